"""Write the bill of materials of the API's image, in the format CycloneDX."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from scripts.shared.containers import find_engine
from scripts.shared.paths import ROOT
from scripts.shared.terminal import UserError

REQUIREMENTS: Final = ROOT / "lambda_src" / "api" / "requirements.txt"
_DOCKERFILE: Final = ROOT / "lambda_src" / "api" / "Dockerfile"
_LIST_PACKAGES: Final = (
    "if command -v rpm >/dev/null; then . /etc/os-release; "
    'rpm -qa --qf "rpm $ID %{NAME} %{VERSION}-%{RELEASE} %{ARCH}\\n"; '
    "else . /etc/os-release; dpkg-query -W -f "
    '"deb $ID \\${Package} \\${Version} \\${Architecture}\\n"; fi'
)
"""Amazon Linux, AWS's base image, has rpm; the substitute of the tests is Debian."""


def python_packages() -> Bom:
    """Return the bill of the locked packages, with their digests."""
    made = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible",
         "--of", "JSON", str(REQUIREMENTS)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    bom: Bom = Bom.from_json(json.loads(made.stdout))
    return bom


def base_image() -> Component:
    """Return the base image that the Dockerfile names."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)/(\S+):(\S+)$", _DOCKERFILE.read_text(), re.MULTILINE)
    if found is None:
        raise UserError(f"{_DOCKERFILE} has no line ARG BASE_IMAGE=REGISTRY/NAME:TAG. Add it.")
    registry, name, tag = found.groups()
    return Component(
        name=f"{registry}/{name}",
        version=tag,
        type=ComponentType.CONTAINER,
        bom_ref="base-image",
        purl=PackageURL(
            "docker", name=name.rpartition("/")[2], version=tag,
            qualifiers={"repository_url": f"{registry}/{name}"},
        ),
    )  # fmt: skip


def system_packages(listing: str) -> Iterator[Component]:
    """Return the packages of the operating system.

    Parameters
    ----------
    listing : str
        One line per package: the kind, the distribution, the name, the version, the architecture.
    """
    for line in sorted(set(listing.splitlines())):
        kind, distribution, name, version, architecture = line.split()
        purl = PackageURL(kind, distribution, name, version, {"arch": architecture})
        yield Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=purl.to_string(),
            purl=purl,
        )


def bill(packages: Iterable[Component]) -> str:
    """Return the whole bill as JSON, valid by CycloneDX's schema.

    Parameters
    ----------
    packages : iterable of Component
        The packages of the operating system.

    Raises
    ------
    UserError
        If the schema refuses it.
    """
    bom = python_packages()
    image = Component(name="etiquette-api", type=ComponentType.CONTAINER, bom_ref="image")
    bom.metadata.component = image
    bom.components.add(base_image())
    bom.components.update(packages)
    bom.register_dependency(image, bom.components)
    text = str(JsonV1Dot6(bom).output_as_string(indent=2))
    refused = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if refused is not None:
        raise UserError(f"The bill of materials does not fit CycloneDX's schema: {refused}")
    return text


def main() -> int:
    """Write the bill to a file."""
    parser = argparse.ArgumentParser(prog="scripts/supply_chain sbom")
    parser.add_argument("file", type=Path, help="where to write the bill, as JSON")
    parser.add_argument("image", nargs="?", help="a built image: adds its system's packages")
    options = parser.parse_args()
    listing = ""
    try:
        if options.image:
            listing = find_engine().call(
                "run", "--rm", "--network", "none", "--entrypoint", "/bin/sh",
                options.image, "-c", _LIST_PACKAGES,
            )  # fmt: skip
        text = bill(system_packages(listing))
    except UserError as error:
        print(f"supply_chain: {error}", file=sys.stderr)
        return 1
    options.file.write_text(f"{text}\n", encoding="utf-8")
    count = len(json.loads(text)["components"])
    print(f"{options.file}: {count} components, {len(listing.splitlines())} of the system")
    return 0


if __name__ == "__main__":
    sys.exit(main())
