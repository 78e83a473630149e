"""HTTP on this machine: straight, never through a proxy."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def fetch(
    url: str,
    *,
    method: str | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Answer:
    """Send a request and return the answer, whatever its status.

    Parameters
    ----------
    url
        Where to, `http://host:port/path`.
    method
        By default GET, or POST with a body.
    body
        What to send.
    headers
        Further headers; a `Host` replaces that of the URL. The names of the answer's headers
        come in lower case.
    timeout
        Seconds to wait for the answer.

    Raises
    ------
    OSError
        If nothing answers.
    """
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(
            method or ("GET" if body is None else "POST"),
            f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}",
            body=body,
            headers=dict(headers or {}),
        )
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    except HTTPException as error:
        raise ConnectionError(f"{url}: {error!r}") from error
    finally:
        connection.close()
