"""What the real CDK command line says about resources that a deployment removes or replaces."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra_cdk.model import identify
from scripts.emulator.tools import why_not_here
from scripts.releasing.assembly import Assembly
from scripts.releasing.removals import removals
from tests.support.paths import ROOT, STARTER

STACK = "etiquette-dev"
DOMAIN = {
    "domain_name": "tags.example.org",
    "certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/0-1",
    "hosted_zone_id": "Z1",
}
TOKENS = {
    "auth": "jwt",
    "jwt_issuer": "https://id.example.org/pool",
    "jwt_audiences": "web",
}


@pytest.fixture(autouse=True, scope="module")
def _has_the_cdk() -> None:
    reason = why_not_here()
    if reason is not None:
        pytest.skip(reason)


def synthesize(folder: Path, **settings: str) -> Assembly:
    context = [word for item in settings.items() for word in ("-c", "=".join(item))]
    command: list[str | Path] = [
        ROOT / "scripts" / "cdk",
        "synth",
        "--quiet",
        "--output",
        folder,
        *context,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return Assembly(folder, STACK)


def difference(deployed: Any, new: Assembly) -> list[str]:
    """What would be removed or replaced if a template were deployed."""
    answer = {"TemplateBody": json.dumps(deployed)}
    fake = SimpleNamespace(get_template=lambda **_: answer)
    target: Any = SimpleNamespace(stack=STACK, client=lambda service: fake)
    return [str(each) for each in removals(target, new)]


def test_a_removed_domain_and_a_replaced_log_stand_out(tmp_path: Path) -> None:
    with_domain = synthesize(tmp_path / "before", **DOMAIN).template
    after = synthesize(tmp_path / "after")
    assert difference(after.template, after) == []
    removed = difference(with_domain, after)
    assert "!! removes AWS::ApiGatewayV2::DomainName Http/Domain" in removed
    assert "!! removes AWS::Route53::RecordSet Http/ARecord" in removed
    renamed = after.template
    (log,) = (name for name in renamed["Resources"] if name.startswith("HttpAccessLog"))
    renamed["Resources"][log]["Properties"]["LogGroupName"] = "another-name"
    assert "!! replaces AWS::Logs::LogGroup Http/AccessLog" in difference(renamed, after)


def test_nothing_stands_out_in_a_release_of_another_model(tmp_path: Path) -> None:
    # The starter under another name. Without figures, the alarms on quality would be removed.
    starter = STARTER.read_bytes()
    version = identify(STARTER).version.encode()
    model = tmp_path / "other.safetensors"
    model.write_bytes(starter.replace(version, version[:-8] + b"0" * 8))
    before = synthesize(tmp_path / "before")
    released = difference(before.template, synthesize(tmp_path / "after", model=str(model)))
    assert any(" AWS::Lambda::Version " in each for each in released)
    assert not [each for each in released if each.startswith("!!")]


def test_a_removed_authorizer_stands_out(tmp_path: Path) -> None:
    guarded = synthesize(tmp_path / "before", **TOKENS).template
    removed = difference(guarded, synthesize(tmp_path / "after"))
    assert any(each.startswith("!! removes AWS::ApiGatewayV2::Authorizer ") for each in removed)
