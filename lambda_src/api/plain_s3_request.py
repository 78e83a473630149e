"""One request for an object in S3, signed here and sent with the standard library.

A start of the function sends one request to S3. To import botocore and to build its client takes a
quarter of the time of a start. This module replaces both where nothing is special: in Lambda, with
the credentials of the environment. It is only a first attempt. Where it does not apply or does not
succeed, the caller asks botocore, which knows all settings, repeats requests and explains errors.
"""

import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

_NEEDED: Final = (
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
SPECIAL_VARIABLES: Final = frozenset(
    {
        "all_proxy",
        "aws_ca_bundle",
        "aws_config_file",
        "aws_ignore_configured_endpoint_urls",
        "aws_profile",
        "aws_use_dualstack_endpoint",
        "aws_use_fips_endpoint",
        "http_proxy",
        "https_proxy",
    }
)
"""Variables, in lower case, that change where or how botocore asks. With one of them, only botocore
does."""
_NO_CONTENT: Final = hashlib.sha256(b"").hexdigest()


class PlainRequestError(ValueError):
    """The caller must ask with botocore: S3 did not answer with the object, or nobody asked it."""


@contextmanager
def opened_object(
    bucket: str, key: str, environment: Mapping[str, str], *, seconds: float
) -> Iterator[HTTPResponse]:
    """Ask S3 for an object, and close the connection at the end.

    Parameters
    ----------
    bucket, key : str
    environment : mapping of str to str
        Environment variables.
    seconds : float
        How long to wait for a connection to each address, and for each part of the answer.

    Yields
    ------
    HTTPResponse
        An answer with the object, whose body is not read yet.

    Raises
    ------
    PlainRequestError
        See the class.
    OSError, HTTPException, ValueError
        S3 cannot be reached, or the request cannot be written.
    """
    endpoint = _endpoint(environment)
    if not key:
        raise PlainRequestError("S3 would list the bucket")
    path = quote(f"/{bucket}/{key}", safe="/~")
    headers = signed_headers(endpoint.netloc, path, environment, time.time())
    kind = HTTPSConnection if endpoint.scheme == "https" else HTTPConnection
    with closing(kind(endpoint.netloc, timeout=seconds)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise PlainRequestError(f"S3 answered with {response.status}")
        yield response


def _endpoint(environment: Mapping[str, str]) -> SplitResult:
    """Give the address of S3, if nothing is special about it."""
    is_special = any(
        environment[name] and name.lower() in SPECIAL_VARIABLES for name in environment
    )
    if is_special or not all(map(environment.get, _NEEDED)):
        raise PlainRequestError("not the environment of a function without special settings")
    configured = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    # Where a partition has other addresses, this host does not exist, and botocore is asked.
    endpoint = urlsplit(configured or f"https://s3.{environment['AWS_REGION']}.amazonaws.com")
    if (
        endpoint.scheme not in ("http", "https")
        or not endpoint.hostname
        or endpoint.path.strip("/")
    ):
        raise PlainRequestError("a special endpoint")
    return endpoint


def signed_headers(
    host: str, path: str, environment: Mapping[str, str], seconds: float
) -> dict[str, str]:
    """Sign a GET request for a path of S3, with signature version 4.

    The steps are those of "Create a signed AWS API request" in the IAM User Guide of AWS.

    Parameters
    ----------
    host : str
        With the port, unless it is that of the scheme.
    path : str
        Percent-encoded, without a query.
    environment : mapping of str to str
        The region and the credentials, in Lambda's environment variables.
    seconds : float
        The time of the request, in seconds since 1970.

    Returns
    -------
    dict of str to str
        All headers of the request.
    """
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    signed = {"host": host, "x-amz-content-sha256": _NO_CONTENT, "x-amz-date": timestamp}
    if token := environment.get("AWS_SESSION_TOKEN"):
        signed["x-amz-security-token"] = token
    names = ";".join(signed)
    lines = [f"{name}:{value}" for name, value in signed.items()]
    request = "\n".join(["GET", path, "", *lines, "", names, _NO_CONTENT])
    scope = [timestamp[:8], environment["AWS_REGION"], "s3", "aws4_request"]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", timestamp, "/".join(scope), digest])
    signature = f"AWS4{environment['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in [*scope, text]:
        signature = hmac.digest(signature, part.encode(), "sha256")
    credential = "/".join([environment["AWS_ACCESS_KEY_ID"], *scope])
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, "
        f"Signature={signature.hex()}"
    )
    return signed
