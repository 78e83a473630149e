"""Load the model from a file or from S3."""

import hashlib
import math
import os
import sys
import tempfile
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from lambda_src.api.plain_s3_request import opened_object
from lambda_src.model_signature import SignatureError, check_signature
from lambda_src.tagger import BundleDigestError, BundleError, TagModel

_FIRST_SECONDS: Final = 1.0
"""How long the first attempt, without botocore, waits for an address of S3 and for each part. Then
botocore has the time to make its attempts before Lambda ends a start."""
_CONNECT_SECONDS: Final = 2.0
_READ_SECONDS: Final = 5.0
_MAX_ATTEMPTS: Final = 3
_DOWNLOAD_SECONDS: Final = 100.0
"""How long a download may take in all. `_READ_SECONDS` does not end one that goes on slowly. Lambda
ends a start on demand itself, after 10 s; this limit is for snapshots and for servers."""
_SLOW_SECONDS: Final = 5.0
"""After so long, a line in the log says that S3 is slow; Lambda would end the start without one."""
_PART_BYTES: Final = 2**17
_PERMISSION_SECONDS: Final = {"snap-start": 60.0, "on-demand": 5.0}
"""How long to repeat a request that S3 denies, by AWS_LAMBDA_INITIALIZATION_TYPE.

Each release has its own role, and AWS may need some seconds until all of its servers know a new
role. Lambda gives 130 s to create a snapshot, but only 10 s to start on demand.
"""
_PERMISSION_PAUSE_SECONDS: Final = 1.0
_SERVICES: Final = ("s3", "sts", "sso", "sso-oidc", "signin")
"""S3, and the services that credentials may come from."""


class _NotPermittedError(BundleError):
    """S3 denies access to the object, perhaps only because the role is new."""


def load_model(
    location: str,
    sha256: str | None,
    *,
    signature: str | None = None,
    signing_key: str | None = None,
) -> TagModel:
    """Load the model from a path or from ``s3://bucket/key``.

    Parameters
    ----------
    location : str
        A path or an S3 URL.
    sha256 : str or None
        The digest that the bundle must have. It is required for S3, and with a signing key.
    signature : str or None
        The signature of the digest, in base64.
    signing_key : str or None
        The public key, in base64, by which the model must be signed. None needs no signature.

    Raises
    ------
    BundleError
        The bundle cannot be read, it is not the expected one, or it is not signed by the key.
    """
    if signing_key is not None:
        _check_signature(location, sha256, signature, signing_key)
    if location.startswith("s3://"):
        if sha256 is None:
            raise BundleError(
                f"{location}: a bundle in S3 needs its SHA-256. Set ETIQUETTE_MODEL_SHA256 to the "
                "64 hexadecimal digits that 'sha256sum' prints for the bundle."
            )
        return _load_from_s3(location, sha256)
    return TagModel.load(location, sha256)


def _check_signature(
    location: str, sha256: str | None, signature: str | None, signing_key: str
) -> None:
    """Check the signature of the digest. The digest is then checked before the file is parsed."""
    if sha256 is None:
        raise BundleError(
            f"{location}: ETIQUETTE_MODEL_SIGNING_KEY is set, so the bundle needs its SHA-256. Set "
            "ETIQUETTE_MODEL_SHA256 to the 64 hexadecimal digits that 'sha256sum' prints for it."
        )
    try:
        check_signature(sha256, signature, signing_key)
    except SignatureError as error:
        raise BundleError(f"{location}: {error}") from error


def _load_from_s3(location: str, sha256: str) -> TagModel:
    """Load a bundle from S3, or the copy of it in the temporary folder.

    The name of the copy contains the digest. An object with another digest leaves no copy.
    """
    copy = Path(tempfile.gettempdir()) / f"etiquette-{sha256.lower()}.safetensors"
    if copy.exists():
        return TagModel.load(copy, sha256)
    content = _read_plainly(location)
    if content is not None:
        # botocore checks what it gets, and asks again.
        with suppress(BundleDigestError):
            return _load_and_keep(location, content, sha256, copy)
    return _load_and_keep(location, _read_when_permitted(location), sha256, copy)


def _load_and_keep(location: str, content: bytes, sha256: str, copy: Path) -> TagModel:
    # Another process may start at the same time, so the complete file appears in one step.
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        # `TagModel.load` computes the digest; a second time would make the start slower.
        model = TagModel.load(unfinished, sha256)
        unfinished.replace(copy)
    except BundleDigestError as error:
        raise BundleDigestError(
            f"{location}: the object's SHA-256 is {hashlib.sha256(content).hexdigest()}, but "
            f"ETIQUETTE_MODEL_SHA256 is {sha256}. "
            "The object was replaced. Deploy again, so that both match."
        ) from error
    except BundleError as error:
        raise type(error)(str(error).replace(str(unfinished), location)) from error
    except OSError as error:
        raise BundleError(
            f"{copy}: cannot write the bundle of {len(content) / 1e6:.0f} MB to the temporary "
            f"folder: {error.strerror}. Make room in this folder, or name another one with TMPDIR; "
            "a function gets more with a larger ephemeral storage. Then start again."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return model


def _read_when_permitted(location: str) -> bytes:
    start_type = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    seconds = _PERMISSION_SECONDS.get(start_type, _PERMISSION_SECONDS["on-demand"])
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _read_object(location)
        except _NotPermittedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PERMISSION_PAUSE_SECONDS)


def _bucket_and_key(location: str) -> tuple[str, str]:
    # Not with urlsplit: the key of an object may contain ? and #.
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _read_plainly(location: str) -> bytes | None:
    """Try to read an object without botocore; return None where that does not succeed."""
    started = time.monotonic()
    try:
        with opened_object(
            *_bucket_and_key(location), os.environ, seconds=_FIRST_SECONDS
        ) as response:
            n_bytes = response.length
            content = _read_parts(location, response, n_bytes, started)
    except (OSError, HTTPException, ValueError):
        return None
    # http.client does not report a body that ends too early.
    return content if len(content) == n_bytes else None


def _read_object(location: str) -> bytes:
    # Imported here because most starts do not need it.
    from botocore import config, exceptions, loaders, session  # noqa: PLC0415

    class FewServices(loaders.Loader):
        # The library would list the folders of more than 400 services, twice, to find that of S3.
        def list_available_services(self, _: str) -> list[str]:
            return list(_SERVICES)

    bucket, key = _bucket_and_key(location)
    limits = config.Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _MAX_ATTEMPTS, "mode": "standard"},
    )
    attempt = 1
    started = time.monotonic()
    try:
        aws = session.get_session()
        aws.register_component("data_loader", FewServices())
        client: Any = aws.create_client("s3", config=limits)
        while True:
            answer = client.get_object(Bucket=bucket, Key=key)
            n_bytes = answer.get("ContentLength")
            try:
                content = _read_parts(location, answer["Body"], n_bytes, started)
            except exceptions.BotoCoreError:
                # botocore repeats a failed request, but not one whose body ends too early.
                if attempt == _MAX_ATTEMPTS:
                    raise
                attempt += 1
            else:
                return content
    except exceptions.ClientError as error:
        raise _bundle_error(location, error.response) from error
    except exceptions.BotoCoreError as error:
        raise BundleError(
            f"{location}: cannot read the object from S3: {error}. "
            "Check the credentials, the region, the network and the S3 endpoint, then start again."
        ) from error


def _read_parts(location: str, body: Any, n_bytes: int | None, started: float) -> bytes:
    """Read a body whose download began at a time of `time.monotonic`."""
    parts: list[bytes] = []
    warn_at = started + _SLOW_SECONDS
    while part := body.read(_PART_BYTES):
        parts.append(part)
        now = time.monotonic()
        if now > min(warn_at, started + _DOWNLOAD_SECONDS):
            whole = f"of {n_bytes / 1e6:.1f} MB" if n_bytes else "MB"
            progress = (
                f"{location}: S3 has sent {sum(map(len, parts)) / 1e6:.1f} {whole} "
                f"in {now - started:.0f} s"
            )
            if now > started + _DOWNLOAD_SECONDS:
                raise BundleError(
                    f"{progress}, which is too slow. Check the network between this machine and "
                    "S3, then start again."
                )
            print(f"etiquette starts slowly: {progress}.", file=sys.stderr)  # noqa: T201
            warn_at = math.inf
    return b"".join(parts)


def _bundle_error(location: str, response: Any) -> BundleError:
    code = response.get("Error", {}).get("Code", "unknown")
    match code:
        case "NoSuchKey" | "NoSuchBucket" | "404":
            return BundleError(
                f"{location}: the object does not exist ({code}). "
                "Correct ETIQUETTE_MODEL, or deploy again."
            )
        case "AccessDenied" | "403" | "InvalidAccessKeyId" | "SignatureDoesNotMatch":
            return _NotPermittedError(
                f"{location}: S3 denies access to the object ({code}). "
                "Check the credentials, and allow s3:GetObject on this object for the role. "
                "S3 also answers so if the object does not exist and the role may not list the "
                "bucket: check ETIQUETTE_MODEL."
            )
        case "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired":
            return BundleError(
                f"{location}: S3 does not accept the session token ({code}). "
                "Sign in again, or renew the credentials, then start again."
            )
        case "RequestTimeTooSkewed":
            return BundleError(
                f"{location}: the clock of this machine differs from that of S3 ({code}). "
                "Set the clock, then start again."
            )
        case "PermanentRedirect" | "AuthorizationHeaderMalformed" | "301":
            region = response["Error"].get("Region") or "another region"
            return BundleError(
                f"{location}: the bucket is in {region} ({code}). "
                "Set AWS_REGION to the region of the bucket, then start again."
            )
        case _:
            return BundleError(
                f"{location}: S3 answered with the error {code}. "
                "Start again; if the error stays, check the status of S3 in the region."
            )
