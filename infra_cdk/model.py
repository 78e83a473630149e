"""The model of a release: a bundle file that travels with the deployment."""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

_DESCRIPTION: Final = 256
"""So many characters Lambda has room for. The figures that say most are chosen to fit."""
_FIGURES: Final = ("sample_jaccard", "sample_f1", "precision_at_1", "prediction_rate", "ece")
"""Of an evaluation's report."""
_CARD_FIGURES: Final = ("sample_jaccard", "precision_at_1")
"""Of the bundle's own card, for each kind of questions."""
# A manifest is a few kilobytes and lists of tags; more than this is no bundle of ours.
_MAX_HEADER_BYTES = 100_000_000


class BundleError(ValueError):
    """The file given as the model is not a bundle, or the report is not this bundle's."""


class BundleIdentity(NamedTuple):
    """What names a bundle."""

    version: str
    sha256: str
    description: str
    """What a published version says of its model: facts as `name=value`, for people and programs.

    Lambda lists it with each version, so that a release can be read from Lambda alone.
    """


def identify(path: Path, report: Path | None = None) -> BundleIdentity:
    """Read a bundle's version and facts from its header and its digest from its bytes.

    The infrastructure needs no more of a bundle than this, and so imports nothing that
    could parse one: the layout is eight bytes of length, then a JSON header.

    Parameters
    ----------
    path
        A bundle, `<version>.safetensors`.
    report
        What `python -m model_build evaluate` wrote of it: its figures instead of the card's,
        which the bundle has from its own training.

    Returns
    -------
    BundleIdentity
        The version that the manifest states and the SHA-256 of the whole file.

    Raises
    ------
    BundleError
        If the file has no such header, or the report is of another bundle.
    """
    data = path.read_bytes()
    try:
        (size,) = struct.unpack_from("<Q", data)
        if size > min(len(data) - 8, _MAX_HEADER_BYTES):
            raise ValueError("its header is longer than the file")
        header = json.loads(data[8 : 8 + size])
        manifest = json.loads(header["__metadata__"]["manifest"])
        version = str(manifest["version"])
        facts = {"model": version, "tags": len(manifest["tags"])}
        facts |= {"questions": manifest["corpus"]["questions"]}
        card = {
            f"{kind['kind'].replace(' ', '_')}.{name}": f"{kind[name][0]:.3f}"
            for kind in manifest.get("quality", {}).get("questions", [])
            for name in _CARD_FIGURES
        }
    except (struct.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{path} is not a model bundle ({type(error).__name__}: {error}): "
            "build one with python -m model_build train"
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    facts |= _figures(report, sha256) if report else card
    description = " ".join(f"{name}={value}" for name, value in facts.items())
    return BundleIdentity(version, sha256, description[:_DESCRIPTION])


def _figures(report: Path, sha256: str) -> dict[str, Any]:
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        of = found["model_sha256"]
        figures = {name: f"{found[name]:.3f}" for name in _FIGURES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{report} is no report of an evaluation ({type(error).__name__}: {error}): "
            "write one with python -m model_build evaluate --json"
        ) from error
    if of != sha256:
        raise BundleError(
            f"{report} is of the bundle {of}, but the model is {sha256}: evaluate this one"
        )
    return figures


class Model(Construct):
    """The bundle as an immutable object, uploaded before the function that reads it is published.

    Attributes
    ----------
    identity
        Version and digest of the bundle.
    url
        Where the function finds it, as `s3://bucket/key`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, path: Path, report: Path | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.identity = identify(path, report)
        self._asset = s3_assets.Asset(self, "Bundle", path=str(path))
        self.url = self._asset.s3_object_url

    def read_statement(self) -> iam.PolicyStatement:
        """Return the permission to read this one object.

        `Asset.grant_read` would open the whole bucket, which holds the assets of every
        stack of the account.
        """
        arn = Stack.of(self).format_arn(
            service="s3",
            region="",
            account="",
            resource=self._asset.s3_bucket_name,
            resource_name=self._asset.s3_object_key,
        )
        return iam.PolicyStatement(actions=["s3:GetObject"], resources=[arn])
