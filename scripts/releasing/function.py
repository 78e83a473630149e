"""The deployed function as Lambda describes it: its versions and the alias `live`."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from lambda_src.pre_traffic_check.pin import Pin, pin_of
from scripts.releasing.errors import ReleaseError
from scripts.releasing.target import Target


@dataclass(frozen=True)
class Live:
    """The state of the alias `live` at one moment."""

    version: int
    pin: Pin | None
    """None also if `live` has moved away from the version that it was pinned to."""
    shifting_to: int | None
    """The version that receives a share of the requests during a canary deployment."""
    revision: str
    """Changes with every update of the alias; Lambda refuses an update with an old revision."""


@dataclass(frozen=True)
class Version:
    """A published version: one release."""

    number: int
    facts: dict[str, str]
    """`model`, `tags`, `questions` and figures, from the description by `infra_cdk/model.py`."""
    model_url: str
    model_sha256: str
    published: str
    """The time, as Lambda formats it: `2026-11-22T14:00:00.000+0000`."""
    role: str
    """The ARN of the role of this version."""
    model_signature: str = ""
    """In base64; empty if the version needs no signature."""


class Image(NamedTuple):
    """The image of a version."""

    source: str
    """The hash of its sources, which the CDK uses as the tag."""
    digest: str
    """The image's SHA-256. (The emulator returns the source instead.)"""


class Function:
    """The function behind the API of one deployment.

    Parameters
    ----------
    target
        The deployment.
    alias_arn
        The ARN of the alias, from the stack's output `FunctionAlias`.
    """

    def __init__(self, target: Target, alias_arn: str) -> None:
        self.target = target
        self.arn, _, self.alias = alias_arn.rpartition(":")
        self.client: Any = target.client("lambda")

    @classmethod
    def of(cls, target: Target) -> Self:
        """Return the function of a deployment.

        Raises
        ------
        ReleaseError
            If the stack does not exist.
        """
        outputs = target.outputs()
        if not outputs or "FunctionAlias" not in outputs:
            region = target.client("cloudformation").meta.region_name
            raise ReleaseError(
                f"There is no stack {target.stack} in {region}. Deploy it with scripts/release "
                f"--environment {target.environment} --model FILE, or set AWS_REGION to the region "
                "of the stack."
            )
        return cls(target, outputs["FunctionAlias"])

    def versions(self) -> list[Version]:
        """Return the published versions, newest first."""
        pages = self.client.get_paginator("list_versions_by_function").paginate(
            FunctionName=self.arn
        )
        published = [
            _version(each)
            for page in pages
            for each in page["Versions"]
            if each["Version"] != "$LATEST"
        ]
        return sorted(published, key=lambda each: -each.number)

    def qualified(self, version: int) -> str:
        """Return the ARN of one version."""
        return f"{self.arn}:{version}"

    def state(self, version: int) -> str:
        """Return the state of a version: `Active`, `Pending`, `Inactive` or `Failed`."""
        configuration = self.client.get_function_configuration(FunctionName=self.qualified(version))
        return str(configuration["State"])

    def image(self, version: int) -> Image:
        """Return the image of a version."""
        code = self.client.get_function(FunctionName=self.qualified(version))["Code"]
        return Image(
            source=code["ImageUri"].rpartition(":")[2],
            digest=code["ResolvedImageUri"].rpartition(":")[2],
        )

    def model_of(self, version: Version) -> bytes:
        """Download the bundle of a version."""
        bucket, _, key = version.model_url.removeprefix("s3://").partition("/")
        client = self.target.client("s3")
        return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def live(self) -> Live:
        """Return the state of the alias."""
        alias = self.client.get_alias(FunctionName=self.arn, Name=self.alias)
        number = int(alias["FunctionVersion"])
        shifted = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        return Live(
            version=number,
            pin=pin_of(alias.get("Description", ""), number),
            shifting_to=next(map(int, shifted), None),
            revision=alias["RevisionId"],
        )

    def update_alias(self, live: Live, *, version: int, pin: Pin | None) -> None:
        """Move the alias and set or remove the pin, in one update.

        Parameters
        ----------
        live
            The state of the alias as it was read. If it has changed since, Lambda refuses.
        version
            The version to move to.
        pin
            None if CloudFormation itself left the alias at this version.
        """
        self.client.update_alias(
            FunctionName=self.arn,
            Name=self.alias,
            FunctionVersion=str(version),
            Description=str(pin or ""),
            RevisionId=live.revision,
        )


def facts_of(description: str) -> dict[str, str]:
    """Parse the description of a version.

    Examples
    --------
    >>> facts_of("model=2026.11.22-35984239 tags=1115")
    {'model': '2026.11.22-35984239', 'tags': '1115'}
    """
    words = [word.partition("=") for word in description.split()]
    return {name: value for name, separator, value in words if separator}


def _version(configuration: dict[str, Any]) -> Version:
    variables = configuration.get("Environment", {}).get("Variables", {})
    return Version(
        number=int(configuration["Version"]),
        facts=facts_of(configuration.get("Description", "")),
        model_url=variables.get("ETIQUETTE_MODEL", ""),
        model_sha256=variables.get("ETIQUETTE_MODEL_SHA256", ""),
        published=configuration["LastModified"],
        role=configuration["Role"],
        model_signature=variables.get("ETIQUETTE_MODEL_SIGNATURE", ""),
    )
