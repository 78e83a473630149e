"""Pseudonyms of callers whom API Gateway identified, so that the monitor can limit their share.

An event holds no identity. It holds a keyed hash (HMAC, RFC 2104) of the identity and the day. So
the events of one caller on one day belong together, those of two days do not, and without the key
nobody can try out identities.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final

from starlette.types import Scope

_DIGITS: Final = 16
"""Of the pseudonym, in hexadecimal: among a million callers of a day, the probability that two have
the same one is one in 37 million."""


def pseudonym(scope: Scope, key: str | None) -> str | None:
    """Return the pseudonym of a request's caller.

    Parameters
    ----------
    scope : ASGI scope
        The scope of the request, with the event that `events.http_event` copied.
    key : str or None
        The key of the deployment.

    Returns
    -------
    str or None
        Sixteen hexadecimal digits; None without a key, and for callers whom nobody identified.
    """
    if key is None:
        return None
    identity = scope.get("aws.event", {}).get("requestContext", {}).get("principal")
    if identity is None:
        return None
    message = f"{datetime.now(UTC).date()}\n{identity}".encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()[:_DIGITS]
