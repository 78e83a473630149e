"""The operation that tells how the model does, from the newest report of the monitor.

It reads the report when somebody asks for it, so no prediction waits for it.
"""

import json
import time
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from lambda_src.api.problems import ProblemError

_KEPT_SECONDS: Final = 300.0
_TIMEOUT_SECONDS: Final = 2.0
_CACHE_HEADER: Final = f"public, max-age={_KEPT_SECONDS:.0f}"
_NO_REPORT: Final = (
    "There is no report about the model yet. The monitor writes one every day; its location is the "
    "setting ETIQUETTE_HEALTH_REPORT."
)
_UNREADABLE: Final = (
    "The newest report about the model cannot be read. Try again in some minutes; if the error "
    "stays, check the setting ETIQUETTE_HEALTH_REPORT and the permission to read that file."
)


class ModelHealth(BaseModel):
    """How the model did on the newest day that the monitor has looked at."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "day": "2026-11-27",
                    "state": "ok",
                    "health": "26 November 2026: 84 % of 5200 predictions got a tag. The expected "
                    "Jaccard index of the last seven days is 0.41.",
                }
            ]
        }
    )

    day: str
    state: Literal["ok", "drift", "not enough data"]
    health: str
    """A line for people."""


class HealthReport:
    """The newest report of the monitor, which is read again after some minutes.

    Parameters
    ----------
    location : str or None
        A path or ``s3://bucket/key``. None if there is no monitor.
    """

    def __init__(self, location: str | None) -> None:
        self._location = location
        self._lock = Lock()
        self._read_at = -_KEPT_SECONDS
        self._found: ModelHealth | ProblemError | None = None

    def current(self) -> ModelHealth:
        """Return the newest report.

        Raises
        ------
        ProblemError
            There is none (404), or it cannot be read (503).
        """
        # Callers that ask at the same time wait for one read.
        with self._lock:
            now = time.monotonic()
            if self._found is None or now - self._read_at >= _KEPT_SECONDS:
                self._found = self._read()
                self._read_at = now
            found = self._found
        if isinstance(found, ProblemError):
            raise ProblemError(found.status_code, found.detail)
        return found

    def _read(self) -> ModelHealth | ProblemError:
        if self._location is None:
            return ProblemError(404, _NO_REPORT)
        try:
            content = _read(self._location)
            return ModelHealth.model_validate(json.loads(content))
        except FileNotFoundError:
            return ProblemError(404, _NO_REPORT)
        except (OSError, ValueError, ValidationError):
            return ProblemError(503, _UNREADABLE)


def _read(location: str) -> bytes:
    """Read a file; raises FileNotFoundError if there is none, and OSError if it is unreadable."""
    if not location.startswith("s3://"):
        return Path(location).read_bytes()
    # Imported here because a file on disk needs no AWS library.
    from botocore import config, exceptions, session  # noqa: PLC0415

    # Not with urlsplit: the key of an object may contain ? and #.
    bucket, _, key = location.removeprefix("s3://").partition("/")
    limits = config.Config(
        connect_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS,
        retries={"total_max_attempts": 1},
    )
    try:
        client: Any = session.get_session().create_client("s3", config=limits)
        content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except exceptions.ClientError as error:
        # Without the permission to list a bucket, S3 denies access to a missing object.
        if error.response["Error"]["Code"] in {"NoSuchKey", "AccessDenied"}:
            raise FileNotFoundError(location) from error
        raise OSError(str(error)) from error
    except exceptions.BotoCoreError as error:
        raise OSError(str(error)) from error
    return content


def make_router(report: HealthReport) -> APIRouter:
    """Build the route."""
    router = APIRouter()

    # Not `async`: reading the report may take a moment, in which the server answers others.
    @router.get(
        "/model/health",
        summary="Tell how the model does, by the monitor's newest report",
        responses={404: {}, 503: {}},
    )
    def model_health(response: Response) -> ModelHealth:
        found = report.current()
        response.headers["cache-control"] = _CACHE_HEADER
        return found

    return router
