"""Get the bundle that the settings name, from disk or from S3."""

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lambda_src.tagger import BundleDigestError, BundleError, TagModel

_CONNECT_SECONDS: Final = 2.0
_READ_SECONDS: Final = 5.0
_TRIES: Final = 3
_PERMISSION_SECONDS: Final = {"snap-start": 60.0, "on-demand": 5.0}
"""How long to ask again for what is not permitted, by how the function starts.

A release comes with a role of its own, which AWS may take seconds to know everywhere. Making
a snapshot may take 130 s; a start on demand is ended after 10 s.
"""
_PERMISSION_PAUSE_SECONDS: Final = 1.0


class _NotPermittedError(BundleError):
    """The object may not be read, or not yet."""


def load_model(location: str, sha256: str | None) -> TagModel:
    """Load the model from a path or from ``s3://bucket/key``.

    Raises
    ------
    BundleError
        It cannot be had or is not the one that was asked for; the message says what to do.
    """
    if location.startswith("s3://"):
        if sha256 is None:
            raise BundleError(
                f"{location}: a bundle in S3 is read only with its digest. "
                "Set ETIQUETTE_MODEL_SHA256."
            )
        return TagModel.load(download(location, sha256), sha256)
    return TagModel.load(location, sha256)


def download(location: str, sha256: str) -> Path:
    """Fetch a bundle from S3 into the temporary folder, once per digest.

    Parameters
    ----------
    location : str
        ``s3://bucket/key``.
    sha256 : str
        A download with another digest is not kept.

    Raises
    ------
    BundleError
    """
    target = Path(tempfile.gettempdir()) / f"etiquette-{sha256.lower()}.safetensors"
    if target.exists():
        return target
    content = _read_once_permitted(location)
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256.lower():
        raise BundleDigestError(
            f"{location}: its SHA-256 is {digest}, but {sha256} was asked for. "
            "The object was replaced: deploy again, so that both match."
        )
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    return unfinished.replace(target)


def _read_once_permitted(location: str) -> bytes:
    start = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    patience = _PERMISSION_SECONDS.get(start, _PERMISSION_SECONDS["on-demand"])
    deadline = time.monotonic() + patience
    while True:
        try:
            return _read_object(location)
        except _NotPermittedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PERMISSION_PAUSE_SECONDS)


def _read_object(location: str) -> bytes:
    # Imported here because a model on disk needs no AWS library.
    from botocore import config, exceptions, session  # noqa: PLC0415

    url = urlsplit(location)
    limits = config.Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _TRIES, "mode": "standard"},
    )
    tries_left = _TRIES
    while True:
        tries_left -= 1
        broke_off = False
        try:
            client: Any = session.get_session().create_client("s3", config=limits)
            answer = client.get_object(Bucket=url.netloc, Key=url.path.lstrip("/"))
            broke_off = True
            content: bytes = answer["Body"].read()
        except exceptions.ClientError as error:
            raise _refusal(location, error.response) from error
        except exceptions.BotoCoreError as error:
            # botocore tries a request again by itself, but not a body that breaks off half-way.
            if not (broke_off and tries_left):
                raise BundleError(
                    f"{location}: S3 did not answer properly: {error}. "
                    "Check the region, the network and the S3 endpoint; then start again."
                ) from error
        else:
            return content


def _refusal(location: str, response: Any) -> BundleError:
    code = response.get("Error", {}).get("Code", "unknown")
    match code:
        case "NoSuchKey" | "NoSuchBucket" | "404":
            advice = f"there is no such object ({code}). Deploy again, or mend ETIQUETTE_MODEL."
        case "AccessDenied" | "403" | "InvalidAccessKeyId" | "SignatureDoesNotMatch":
            return _NotPermittedError(
                f"{location}: no permission to read it ({code}). The role needs s3:GetObject on "
                "this object."
            )
        case _:
            advice = f"S3 refused with {code}. Start again; if it stays so, see the S3 status."
    return BundleError(f"{location}: {advice}")
