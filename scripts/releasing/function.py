"""The deployed function as Lambda itself describes it: its versions, and the alias `live`."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from lambda_src.pre_traffic_check.pin import Pin, pin_of
from scripts.releasing.errors import ReleaseError
from scripts.releasing.target import Target


@dataclass(frozen=True)
class Live:
    """The alias `live` at one moment."""

    version: int
    pin: Pin | None
    """None too where `live` has left the version that it was pinned to."""
    shifting_to: int | None
    """The version that a canary deployment under way sends a share of the requests to."""
    revision: str
    """Changes with every change of the alias: an update that names it never undoes another."""


@dataclass(frozen=True)
class Version:
    """A published version: one release."""

    number: int
    facts: dict[str, str]
    """`model`, `tags`, `questions` and figures, as `infra_cdk/model.py` describes the release."""
    model_url: str
    model_sha256: str
    published: str
    """As Lambda writes it: `2026-11-22T14:00:00.000+0000`."""
    role: str
    """The ARN of the role that it was published with."""


class Image(NamedTuple):
    """What a version runs."""

    source: str
    """The hash of all that it is built from, by which the CDK names it."""
    digest: str
    """The image's own SHA-256. (The emulator has none and gives the source.)"""


class Function:
    """The function behind the API of one deployment.

    Parameters
    ----------
    target
        Where it is deployed.
    alias_arn
        The stack's output `FunctionAlias`.
    """

    def __init__(self, target: Target, alias_arn: str) -> None:
        self.target = target
        self.arn, _, self.alias = alias_arn.rpartition(":")
        self.client: Any = target.client("lambda")

    @classmethod
    def of(cls, target: Target) -> Self:
        """Find the function of a deployment.

        Raises
        ------
        ReleaseError
            If nothing is deployed there.
        """
        outputs = target.outputs()
        if not outputs or "FunctionAlias" not in outputs:
            region = target.client("cloudformation").meta.region_name
            raise ReleaseError(
                f"there is no stack {target.stack} in {region}: deploy it first with "
                f"scripts/release --environment {target.environment} --model FILE, or set "
                "AWS_REGION to where it is"
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
        """Return `Active`, `Pending`, `Inactive` or `Failed`."""
        configuration = self.client.get_function_configuration(FunctionName=self.qualified(version))
        return str(configuration["State"])

    def image(self, version: int) -> Image:
        """Return which image a version runs."""
        code = self.client.get_function(FunctionName=self.qualified(version))["Code"]
        return Image(
            source=code["ImageUri"].rpartition(":")[2],
            digest=code["ResolvedImageUri"].rpartition(":")[2],
        )

    def live(self) -> Live:
        """Return where the alias points."""
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
        """Move the alias and write or remove the pin, in one step.

        Parameters
        ----------
        live
            The alias as it was read: if it has changed since, Lambda refuses.
        version
            Where to.
        pin
            None says that this is where CloudFormation left it.
        """
        self.client.update_alias(
            FunctionName=self.arn,
            Name=self.alias,
            FunctionVersion=str(version),
            Description=str(pin or ""),
            RevisionId=live.revision,
        )


def facts_of(description: str) -> dict[str, str]:
    """Read what a version's description says of its model.

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
    )
