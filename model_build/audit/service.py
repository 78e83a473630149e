"""Ask a running service for its predictions."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final, Literal, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from lambda_src.tagger import Suggestion
from model_build.audit.errors import AuditError
from model_build.collect.errors import CollectError
from model_build.collect.stack_exchange import checked_address
from model_build.questions import Question

Authorization = Literal["none", "iam", "jwt"]
"""How the API knows its callers: the setting ``auth`` of the stack."""

_TIMEOUT: Final = 30
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


class Service:
    """A running service.

    Parameters
    ----------
    url : str
        Its address, without ``/predict``.
    authorization : {"none", "iam", "jwt"}
        ``iam`` signs the requests with the AWS credentials of this machine.
    token : str, optional
        The bearer token for ``jwt``.
    sleep : callable
        Waits for some seconds.

    Raises
    ------
    AuditError
        The address is not a possible one, the token is missing, or there are no AWS credentials.
    """

    def __init__(
        self,
        url: str,
        *,
        authorization: Authorization = "none",
        token: str | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        try:
            self.url = checked_address(url)
        except CollectError as error:
            raise AuditError(f"{url!r} is not the address of a service.") from error
        if authorization == "jwt" and not token:
            raise AuditError("The API needs a token (auth=jwt): set ETIQUETTE_TOKEN.")
        self._authorization = authorization
        self._token = token
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
            status, body = self._send(content)
            if status == 200:
                return self._answer(body)
            if status == _TOO_LARGE:
                return None
            reason = f"HTTP {status}: {body[:200].decode(errors='replace')}" if status else (
                body.decode(errors="replace")
            )  # fmt: skip
            if status in _REFUSED:
                raise AuditError(
                    f"{self.url} refuses the request ({reason}). Set --auth and, for jwt, "
                    "ETIQUETTE_TOKEN as the API needs it."
                )
            if status and status not in _TEMPORARY:
                raise AuditError(f"{self.url} does not answer as the service does ({reason}).")
            if wait is not None:
                self._sleep(wait)
        raise AuditError(
            f"{self.url} does not answer ({reason}). Check the address, and that the service runs. "
            "Nothing was written."
        )

    def _send(self, content: bytes) -> tuple[int, bytes]:
        """Send a request; a status of 0 means that there was no answer, and the body says why."""
        url = f"{self.url}/predict"
        asked = AWSRequest(
            "POST",
            url,
            headers={"content-type": "application/json"},
            data=content,
        )
        if self._authorization == "jwt":
            asked.headers["authorization"] = f"Bearer {self._token}"
        if self._authorization == "iam":
            _sign(asked)
        request = urllib.request.Request(  # noqa: S310 (see checked_address)
            url, content, dict(asked.headers.items()), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, HTTPException) as error:
            return 0, (str(error) or type(error).__name__).encode()

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
                f"{self.url}/predict does not answer as the service does. Check the address."
            ) from error


def _sign(request: AWSRequest) -> None:
    try:
        session = get_session()
        credentials, region = session.get_credentials(), session.get_config_variable("region")
    except BotoCoreError as error:
        raise AuditError(f"Cannot read the AWS credentials: {error}.") from error
    if credentials is None or region is None:
        raise AuditError(
            "Signing requests (--auth iam) needs AWS credentials and a region: set AWS_PROFILE and "
            "AWS_REGION."
        )
    SigV4Auth(credentials, "execute-api", region).add_auth(request)
