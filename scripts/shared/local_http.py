"""HTTP requests to servers on this machine, never through a proxy."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """The response to a request; header names are in lower case."""

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
    """Send a request and return the response, whatever its status.

    Parameters
    ----------
    url
        The address, such as `http://host:port/path`.
    method
        By default GET, or POST if there is a body.
    body
        The content to send.
    headers
        Additional headers; a `Host` replaces that of the URL.
    timeout
        Seconds to wait for the response.

    Raises
    ------
    OSError
        If there is no response.
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
