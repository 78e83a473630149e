"""The commands of scripts/supply_chain, with their real tools."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

REQUIREMENTS = ROOT / "lambda_src" / "api" / "requirements.txt"
TOOLS = ROOT / ".cache" / "supply_chain" / "venv" / "bin" / "python"


def bill(path: Path, *image: str) -> dict[str, Any]:
    """The bill of materials of the API. The command fails if it does not fit the schema."""
    done = subprocess.run(
        [ROOT / "scripts" / "supply_chain", "sbom", path, *image],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def of_packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return bill(tmp_path_factory.mktemp("sbom") / "sbom.json")


def test_the_bill_names_every_locked_package_with_its_digests(of_packages: dict[str, Any]) -> None:
    assert (of_packages["bomFormat"], of_packages["specVersion"]) == ("CycloneDX", "1.6")
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", REQUIREMENTS.read_text(), re.MULTILINE))
    libraries = [each for each in of_packages["components"] if each["type"] == "library"]
    assert {each["name"]: each["version"] for each in libraries} == locked
    digests = set(re.findall(r"sha256:([0-9a-f]{64})", REQUIREMENTS.read_text()))
    for each in libraries:
        found = {
            digest["content"]
            for reference in each["externalReferences"]
            for digest in reference.get("hashes", ())
        }
        assert found, each["name"]
        assert found <= digests
        assert each["purl"].startswith(f"pkg:pypi/{each['name']}@")


def test_the_bill_names_the_base_image_and_what_the_image_consists_of(
    of_packages: dict[str, Any],
) -> None:
    (base,) = (each for each in of_packages["components"] if each["type"] == "container")
    assert base["name"] == "public.ecr.aws/lambda/python"
    assert of_packages["metadata"]["component"]["name"] == "etiquette-api"
    of_image = {each["ref"]: each.get("dependsOn", []) for each in of_packages["dependencies"]}
    assert len(of_image["image"]) == len(of_packages["components"])


def test_the_bill_of_a_built_image_names_the_packages_of_its_system(
    image: str, of_packages: dict[str, Any], tmp_path: Path
) -> None:
    components = bill(tmp_path / "sbom.json", image)["components"]
    added = {each["purl"] for each in components if re.match("pkg:(deb|rpm)/", each["purl"])}
    assert len(added) > 20
    assert len(components) == len(of_packages["components"]) + len(added)
    assert any("/libc6@" in each or "/glibc@" in each for each in added)


@pytest.mark.usefixtures("of_packages")
def test_a_secret_is_found(tmp_path: Path) -> None:
    """With the tools that the first bill has installed."""
    (tmp_path / "settings.py").write_text('KEY = "AKIA' + "4Q" * 8 + '"\nNAME = "etiquette"\n')
    program = (
        "import json, sys; from pathlib import Path; "
        "from scripts.dependencies.secrets import findings; "
        "print(json.dumps(findings(['settings.py'], Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [TOOLS, "-c", program, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (found, *_) = json.loads(done.stdout)
    assert (found["type"], found["line_number"]) == ("AWS Access Key", 1)
