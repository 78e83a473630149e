"""The ASGI application: `create_app` builds one; `app` is built from environment variables."""

import os
import sys
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from lambda_src.api import model_health, predictions, problems, service_info
from lambda_src.api.cors import Cors
from lambda_src.api.middleware import RequestGuard
from lambda_src.api.model_store import load_model
from lambda_src.api.queueing import QueueLimit
from lambda_src.api.settings import Settings
from lambda_src.api.telemetry import Telemetry, make_logger
from lambda_src.environment_settings import SettingsError
from lambda_src.metrics import Metric
from lambda_src.tagger import BundleError, KernelError, TagModel


class _Application(FastAPI):
    """An application whose OpenAPI document describes the answers to problems, too."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, which the first call makes."""
        if self.openapi_schema is None:
            self.openapi_schema = problems.add_to_openapi(super().openapi())
        return self.openapi_schema


def create_app(model: TagModel, settings: Settings) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    model : TagModel
        Answers the questions.
    settings : Settings
        All settings but those of the model are used here.
    """
    logger = make_logger(settings.service, settings.log_level)
    telemetry = Telemetry(settings.service, logger, event_text=settings.event_text)
    health_report = model_health.HealthReport(settings.health_report)
    routers = (
        predictions.make_router(model, telemetry, principal_key=settings.principal_key),
        service_info.make_router(model),
        model_health.make_router(health_report),
    )
    app = _Application(
        title="Etiquette",
        description=service_info.SERVICE_DESCRIPTION,
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        # `RequestGuard` does it with a relative target, which does not reveal the host's name.
        redirect_slashes=False,
        # FastAPI would look for the route of each request twice in a router that is included.
        routes=[route for router in routers for route in router.routes],
        # Its OpenTelemetry has no exporter here, and looking for one takes time at each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.logger = logger
    app.state.telemetry = telemetry
    problems.install(app)
    app.add_middleware(QueueLimit, max_waiting=settings.max_waiting)
    # CORS is outside the guard, because a page must be able to read the guard's refusals, too.
    app.add_middleware(RequestGuard, logger=logger, origin_secret=settings.origin_secret)
    if settings.cors_origins:
        app.add_middleware(Cors, origins=settings.cors_origins)
    if settings.prometheus:
        # The outermost middleware: it also counts what the others refuse.
        telemetry.add_recorder(_install_prometheus(app, model, settings.service))
    return app


def _install_prometheus(
    app: FastAPI, model: TagModel, service: str
) -> Callable[[Metric, float], None]:
    """Add the route of the metrics for Prometheus; return what records a metric there."""
    try:
        # The function's image does not contain prometheus-client.
        from lambda_src.api import prometheus  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"ETIQUETTE_PROMETHEUS is true, but the package {error.name} is not installed. On a "
            "server, install it with 'scripts/setup serve'. For a Lambda function, remove the "
            "setting: its metrics are in CloudWatch."
        ) from None
    prometheus_metrics = prometheus.PrometheusMetrics(service, model)
    prometheus.install(app, prometheus_metrics)
    return prometheus_metrics.record


def _app_from_environment() -> FastAPI:
    try:
        settings = Settings.from_environment(os.environ)
        model = load_model(
            settings.model,
            settings.model_sha256,
            signature=settings.model_signature,
            signing_key=settings.model_signing_key,
        )
        return create_app(model, settings)
    except (SettingsError, BundleError, KernelError) as error:
        # One line without a traceback, because a person reads it in a log or a terminal.
        print(f"etiquette cannot start: {error}", file=sys.stderr)  # noqa: T201 (see above)
        sys.exit(1)


def __getattr__(name: str) -> FastAPI:
    # `app` is built when a server asks for it. Importing `create_app` must not load a model.
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["app"] = app = _app_from_environment()
    return app
