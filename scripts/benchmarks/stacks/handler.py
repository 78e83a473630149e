"""The usual stack as a Lambda function; its model decides whether it is the tuned one."""

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

logger = Logger(service="rival")
metrics = Metrics(namespace="Rival", service="rival")


def load_model() -> Any:
    """Fetch the model from S3 and unpickle it."""
    bucket, _, key = os.environ["RIVAL_MODEL"].removeprefix("s3://").partition("/")
    answer = boto3.client("s3").get_object(Bucket=bucket, Key=key)
    return joblib.load(io.BytesIO(answer["Body"].read()))


class Question(BaseModel):
    """A question."""

    title: str = ""
    body: str = ""


class Answer(BaseModel):
    """Its tags."""

    predicted_tags: list[str]


model = load_model()
app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    """Say that it is there."""
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
    """Answer one API Gateway event."""
    return _adapter(event, context)
