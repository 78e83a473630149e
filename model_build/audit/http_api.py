"""A service that is reached by its HTTP address."""

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Final, Literal

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from model_build.audit.errors import AuditError
from model_build.collect.errors import CollectError
from model_build.collect.stack_exchange import checked_address

Authorization = Literal["none", "iam", "jwt"]
"""How the API knows its callers: the setting ``auth`` of the stack."""
_TIMEOUT: Final = 30


class HttpApi:
    """The address of a service.

    Parameters
    ----------
    url : str
        The address, without ``/predict``.
    authorization : {"none", "iam", "jwt"}
        ``iam`` signs the requests with the AWS credentials of this machine.
    token : str, optional
        The bearer token for ``jwt``.

    Raises
    ------
    AuditError
        The address is not a possible one, or the token is missing. `post` raises it if there are no
        AWS credentials.
    """

    access_advice: Final = "Set --auth and, for jwt, ETIQUETTE_TOKEN as the API needs it."

    def __init__(
        self, url: str, *, authorization: Authorization = "none", token: str | None = None
    ) -> None:
        try:
            self.address = checked_address(url)
        except CollectError as error:
            raise AuditError(f"{url!r} is not the address of a service.") from error
        if authorization == "jwt" and not token:
            raise AuditError("The API needs a token (auth=jwt): set ETIQUETTE_TOKEN.")
        self._authorization = authorization
        self._token = token

    def post(self, content: bytes) -> tuple[int, bytes]:
        """See `Connection.post`."""
        url = f"{self.address}/predict"
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
