"""Settings and models that are wrong stop the synthesis with a line that says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra_cdk.model import BundleError, identify
from infra_cdk.settings import ROOT, Settings, SettingsError
from tests.infra.synthesis import bundle_bytes


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        ("architecture", "sparc", "arm64, x86_64"),
        ("model", Path("absent.safetensors"), "-c model=PATH"),
        ("alarm_email", "nobody", "mail address"),
        ("service", "Über uns", "lower-case letters"),
    ],
)
def test_a_wrong_setting_is_refused_with_advice(setting: str, value: object, advice: str) -> None:
    with pytest.raises(SettingsError, match=advice) as refused:
        Settings(**{setting: value})  # type: ignore[arg-type]
    assert setting in str(refused.value) or str(value) in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"\xff" * 64,
        (5).to_bytes(8, "little") + b"[1,2]",
        (2).to_bytes(8, "little") + b"{}",
        bundle_bytes("1")[:40],
    ],
)
def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.safetensors is not a model bundle"):
        identify(path)


def run_app(tmp_path: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Run what the CDK command line runs, without credentials and with no way to the network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = "http://127.0.0.1:9"
    return subprocess.run(
        [sys.executable, "-m", "infra_cdk.app"],
        cwd=ROOT,
        env=kept
        | {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "http_proxy": nowhere}
        | {"https_proxy": nowhere, "AWS_EC2_METADATA_DISABLED": "true"}
        | {"CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_synthesis_needs_neither_network_nor_credentials(tmp_path: Path) -> None:
    done = run_app(tmp_path, architecture="x86_64")
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "Etiquette.template.json").read_text())
    functions = [r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    assert functions[0]["Properties"]["Architectures"] == ["x86_64"]


def test_a_person_reads_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = run_app(tmp_path, model="absent.safetensors")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "etiquette: there is no model at" in done.stderr
