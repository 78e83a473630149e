"""The model of a release: a bundle file that is deployed together with the stack."""

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra_cdk.model_signature import SignatureError, read_signature

_DESCRIPTION: Final = 256
"""The longest description, in characters, that Lambda accepts."""
_FIGURES: Final = ("sample_jaccard", "sample_f1", "precision_at_1", "prediction_rate", "ece")
"""The figures of an evaluation's report that a description contains."""
_CARD_FIGURES: Final = ("sample_jaccard", "precision_at_1")
"""The figures of the bundle's card that a description contains, for each kind of questions."""
# A manifest has a few kilobytes and lists of tags. A longer header is not that of a bundle.
_MAX_HEADER_BYTES = 100_000_000


class ModelFileError(ValueError):
    """The model is not a bundle, it is not signed, or the report belongs to another bundle."""


class HeldOut(NamedTuple):
    """The figures that a bundle's card, or its report, states about held-out questions.

    A card has the figures of each kind of questions, for example of titles alone. Each figure here
    is the lowest of them, because nobody knows beforehand which questions people will ask.
    """

    sample_jaccard: float
    sample_f1: float
    """If the card does not have it, the Jaccard index, which no F1 of the same answers is below."""
    prediction_rate: float


class BundleIdentity(NamedTuple):
    """What identifies a bundle."""

    version: str
    sha256: str
    description: str
    """The description of a published version: facts about its model, as `name=value`.

    Lambda lists it with each version, so that Lambda alone tells people and programs what a
    release contains.
    """
    held_out: HeldOut | None
    """None if neither the card nor a report has figures."""


def identify(path: Path, report: Path | None = None) -> BundleIdentity:
    """Read a bundle's version and facts from its header, and compute its digest.

    The infrastructure needs nothing else of a bundle, and so it does not import the parser: a
    bundle begins with eight bytes that give the length of the JSON header that follows.

    Parameters
    ----------
    path
        A bundle, `<version>.safetensors`.
    report
        The report that `python -m model_build evaluate` wrote about this bundle. Its figures
        replace those of the card, which come from the training.

    Returns
    -------
    BundleIdentity
        The version that the manifest states and the SHA-256 of the whole file.

    Raises
    ------
    ModelFileError
        If the file has no such header, or the report is about another bundle.
    """
    data = path.read_bytes()
    try:
        (size,) = struct.unpack_from("<Q", data)
        if size > min(len(data) - 8, _MAX_HEADER_BYTES):
            raise ValueError("the stated length of its header is too large")
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
        held_out = _held_out(manifest.get("quality", {}).get("questions", []))
    except (struct.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is not a model bundle ({type(error).__name__}: {error}): "
            "train one with python -m model_build train"
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    if report:
        figures = _figures(report, sha256)
        held_out = HeldOut(*(float(figures[name]) for name in HeldOut._fields))
        facts |= figures
    else:
        facts |= card
    description = " ".join(f"{name}={value}" for name, value in facts.items())
    return BundleIdentity(version, sha256, description[:_DESCRIPTION], held_out)


def _held_out(kinds: Sequence[Mapping[str, Any]]) -> HeldOut | None:
    """Return the lowest figures of a card's kinds of questions, each of which has an interval."""
    if not kinds:
        return None
    return HeldOut(
        sample_jaccard=min(kind["sample_jaccard"][0] for kind in kinds),
        sample_f1=min(kind.get("sample_f1", kind["sample_jaccard"])[0] for kind in kinds),
        prediction_rate=min(kind["prediction_rate"][0] for kind in kinds),
    )


def _figures(report: Path, sha256: str) -> dict[str, Any]:
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        evaluated = found["model_sha256"]
        figures = {name: f"{found[name]:.3f}" for name in _FIGURES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{report} is not the report of an evaluation ({type(error).__name__}: {error}): "
            "write one with python -m model_build evaluate --json"
        ) from error
    if evaluated != sha256:
        raise ModelFileError(
            f"{report} is about the bundle with digest {evaluated}, but the model has digest "
            f"{sha256}: evaluate this model with python -m model_build evaluate"
        )
    return figures


def signature_variables(path: Path, sha256: str, key: str) -> dict[str, str]:
    """Return the variables with which the API's function checks the signature of its model.

    Parameters
    ----------
    path
        The bundle. Its signature lies beside it, in a file with the ending `.sig`.
    sha256
        The digest of the bundle.
    key
        The setting `signing_key`.

    Raises
    ------
    ModelFileError
        If the bundle is not signed by this key.
    """
    try:
        signature = read_signature(path, sha256, key)
    except SignatureError as error:
        raise ModelFileError(str(error)) from error
    return {"ETIQUETTE_MODEL_SIGNATURE": signature, "ETIQUETTE_MODEL_SIGNING_KEY": key}


class Model(Construct):
    """The bundle as an immutable S3 object, which is uploaded before the function is published.

    Attributes
    ----------
    identity
        The bundle's version, digest and description.
    url
        The location of the bundle, as `s3://bucket/key`.
    signature_variables
        Environment variables with the signature and its key; empty without a signing key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        path: Path,
        report: Path | None,
        signing_key: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.identity = identify(path, report)
        self.signature_variables = (
            signature_variables(path, self.identity.sha256, signing_key) if signing_key else {}
        )
        self._asset = s3_assets.Asset(self, "Bundle", path=str(path))
        self.url = self._asset.s3_object_url

    def read_statement(self) -> iam.PolicyStatement:
        """Return the permission to read this object.

        `Asset.grant_read` would grant access to the whole bucket, which contains the assets of
        every stack of the account.
        """
        arn = Stack.of(self).format_arn(
            service="s3",
            region="",
            account="",
            resource=self._asset.s3_bucket_name,
            resource_name=self._asset.s3_object_key,
        )
        return iam.PolicyStatement(actions=["s3:GetObject"], resources=[arn])
