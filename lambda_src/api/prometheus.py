"""Metrics for Prometheus, at ``/metrics`` of a server that runs for a long time.

A Lambda function does not import this module. Many copies of it run at once, and Prometheus could
reach none of them; its metrics go to CloudWatch as log lines (``telemetry``).
"""

import time
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_src import metrics
from lambda_src.metrics import Metric
from lambda_src.prometheus_names import (
    BUCKETS,
    REQUEST_BUCKETS,
    REQUEST_SECONDS,
    REQUESTS,
    STATUS_CLASSES,
    STATUS_LABEL,
    prometheus_name,
    scale,
)
from lambda_src.tagger import TagModel

PATH: Final = "/metrics"


class PrometheusMetrics:
    """Everything that Prometheus can read of one server.

    It contains counts, durations and the version of the model: no text, no tags and nothing about
    a single request.

    Parameters
    ----------
    service : str
        The name of the deployment, which is a label of every metric.
    model : TagModel
        Its version and its digest are labels of the metric ``etiquette_model_info``.
    """

    def __init__(self, service: str, model: TagModel) -> None:
        self._registry = CollectorRegistry()
        label = metrics.SERVICE_DIMENSION
        self._record: dict[Metric, Callable[[float], None]] = {}
        for metric in metrics.PREDICTION_METRICS:
            name = prometheus_name(metric)
            text = f"The metric {metric.name} of CloudWatch"
            if metric in BUCKETS:
                histogram = Histogram(
                    name, text, [label], buckets=BUCKETS[metric], registry=self._registry
                )
                self._record[metric] = histogram.labels(service).observe
            else:
                counter = Counter(name, text, [label], registry=self._registry)
                self._record[metric] = counter.labels(service).inc
        requests = Counter(
            REQUESTS,
            "Answered requests by class of status",
            [label, STATUS_LABEL],
            registry=self._registry,
        )
        # A counter that appears only with its first event has no increase that a rule could see.
        self._requests = {each: requests.labels(service, each) for each in STATUS_CLASSES}
        self._durations = Histogram(
            REQUEST_SECONDS,
            "Seconds from a request to its complete answer",
            [label],
            buckets=REQUEST_BUCKETS,
            registry=self._registry,
        ).labels(service)
        info = Gauge(
            "etiquette_model_info",
            "1 for the model that answers",
            [label, "version", "sha256"],
            registry=self._registry,
        )
        info.labels(service, model.version, model.sha256).set(1)
        ProcessCollector(registry=self._registry)

    def record(self, metric: Metric, value: float) -> None:
        """Record a value of one of `metrics.PREDICTION_METRICS`, in CloudWatch's unit."""
        self._record[metric](value * scale(metric))

    def record_request(self, status: int, seconds: float) -> None:
        """Record an answer with its status and its duration in seconds."""
        self._requests[f"{status // 100}xx"].inc()
        self._durations.observe(seconds)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics as text, and its content type.

        Parameters
        ----------
        accept : str
            The header ``accept`` of the request, which names the versions of the text format.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class RequestMetrics:
    """ASGI middleware that counts and measures every request except those of Prometheus.

    Parameters
    ----------
    app : ASGI application
        Handles the requests.
    prometheus : PrometheusMetrics
        Receives status and duration.
    """

    def __init__(self, app: ASGIApp, prometheus: PrometheusMetrics) -> None:
        self._app = app
        self._prometheus = prometheus

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["path"] == PATH:
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._prometheus.record_request(status, time.perf_counter() - start)


def install(app: FastAPI, prometheus: PrometheusMetrics) -> None:
    """Add the middleware and the route to an application.

    The route is not part of the public API, so the OpenAPI document does not contain it.
    """
    router = APIRouter()

    @router.get(PATH, include_in_schema=False)
    async def read_metrics(request: Request) -> Response:
        content, content_type = prometheus.exposition(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type})

    app.include_router(router)
    app.add_middleware(RequestMetrics, prometheus=prometheus)
