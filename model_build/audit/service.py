"""Ask a running service for its predictions."""

import json
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from lambda_src.tagger import Suggestion
from model_build.audit.errors import AuditError
from model_build.questions import Question

_WAITS: Final = (1, 5, 20)
"""Seconds to wait after each failure in a row, until the audit gives up."""
_TOO_LARGE: Final = 413
_REFUSED: Final = frozenset({401, 403})
_TEMPORARY: Final = frozenset({429, 500, 502, 503, 504})


class Answer(NamedTuple):
    """What the service answered to one question."""

    model_version: str
    suggestions: tuple[Suggestion, ...]
    """Best first; the confidences are rounded to four digits."""


class Connection(Protocol):
    """A way to send requests to a service."""

    @property
    def address(self) -> str:
        """Identifies the service, for messages and for the name of the audit's file."""

    @property
    def access_advice(self) -> str:
        """What to do if the service refuses the request."""

    def post(self, content: bytes) -> tuple[int, bytes]:
        """Send JSON to ``POST /predict``; return the HTTP status and the body of the answer.

        A status of 0 means that there was no answer, and the body says why.
        """


class Service:
    """A running service.

    Parameters
    ----------
    connection : Connection
        How to reach it.
    sleep : callable
        Waits for some seconds.
    """

    def __init__(
        self, connection: Connection, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.address = connection.address
        self._connection = connection
        self._sleep = sleep

    def predict(self, question: Question) -> Answer | None:
        """Ask for the tags of a question, as a draft: the service does not count it.

        Returns
        -------
        Answer or None
            None if the service refuses the question because it is too large.

        Raises
        ------
        AuditError
            The service refuses the request, or does not answer after several attempts.
        """
        body_format = "html" if question.body_format == "html" else "markdown"
        content = json.dumps(
            {
                "title": question.title,
                "body": question.body,
                "body_format": body_format,
                "draft": True,
            }
        ).encode()
        reason = ""
        for wait in (*_WAITS, None):
            status, body = self._connection.post(content)
            if status == 200:
                return self._answer(body)
            if status == _TOO_LARGE:
                return None
            reason = body[:200].decode(errors="replace")
            if status:
                reason = f"HTTP {status}: {reason}"
            if status in _REFUSED:
                raise AuditError(
                    f"{self.address} refuses the request ({reason}). "
                    f"{self._connection.access_advice}"
                )
            if status and status not in _TEMPORARY:
                raise AuditError(f"{self.address} does not answer as the service does ({reason}).")
            if wait is not None:
                self._sleep(wait)
        raise AuditError(
            f"{self.address} does not answer ({reason}). Check the address, and that the service "
            "runs. Nothing was written."
        )

    def _answer(self, body: bytes) -> Answer:
        try:
            answer: dict[str, Any] = json.loads(body)
            return Answer(
                str(answer["model_version"]),
                tuple(
                    Suggestion(str(each["tag"]), float(each["confidence"]))
                    for each in answer["suggestions"]
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise AuditError(
                f"{self.address} does not answer as the service does. Check the address."
            ) from error
