"""The Lambda function of the baseline; BASELINE_MODEL names its model, an `s3://` URL."""

import io
import os
from typing import Any

import boto3
import joblib
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

logger = Logger(service="baseline")
metrics = Metrics(namespace="Baseline", service="baseline")


def load_model() -> Any:
    """Download the model from S3 and load it with joblib."""
    bucket, _, key = os.environ["BASELINE_MODEL"].removeprefix("s3://").partition("/")
    answer = boto3.client("s3").get_object(Bucket=bucket, Key=key)
    return joblib.load(io.BytesIO(answer["Body"].read()))


class Question(BaseModel):
    """A question."""

    title: str = ""
    body: str = ""


class Answer(BaseModel):
    """The tags of a question."""

    predicted_tags: list[str]


model = load_model()
app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Return the health of the function."""
    return {"status": "ok"}


@app.post("/predict")
def predict(question: Question) -> Answer:
    """Suggest tags."""
    tags = model.predict(question.title, question.body)
    metrics.add_metric(name="Predictions", unit=MetricUnit.Count, value=1)
    logger.info("prediction", extra={"tags": tags})
    return Answer(predicted_tags=tags)


_adapter = Mangum(app, lifespan="off")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one API Gateway event."""
    return _adapter(event, context)
