"""The parts of the template where a mistake would do the most harm."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra_cdk.build_context import is_code
from infra_cdk.settings import STARTER_MODEL
from tests.infra.synthesis import Synthesize, Synthesized
from tests.support.paths import ROOT

LAMBDA = "AWS::Lambda::Function"
LEFT_BEHIND = (
    "tagger/kernel/kernel-{}.so",
    "tagger/__pycache__/{}.pyc",
    "api/.DS_Store-{}",
    "api/.mypy_cache/{}.json",
    "api/.{}.py.swp",
    "api/.#{}.py",
    "api/#{}.py#",
    "api/{}.py~",
    "api/{}.py.orig",
    "api/page/[{}].bak",
    "pre_traffic_check/{}.rej",
    "pre_traffic_check/.idea/{}.xml",
)
"""What editors, tools and builds leave in the folders of functions."""


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def model_location(synthesized: Synthesized) -> tuple[Any, str]:
    """The bucket and the key of the model in the function's environment."""
    variables = synthesized.only(LAMBDA, "Function")["Properties"]["Environment"]["Variables"]
    location = variables["ETIQUETTE_MODEL"]["Fn::Sub"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def test_the_role_may_read_the_model_and_write_its_log_and_traces_only(
    synthesized: Synthesized,
) -> None:
    role = synthesized.only("AWS::IAM::Role", "Function")["Properties"]
    assert "ManagedPolicyArns" not in role
    synthesized.template.resource_count_is("AWS::IAM::Policy", 0)
    bucket, key = model_location(synthesized)
    assert "*" not in key
    one_object = ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Fn::Sub": bucket}, f"/{key}"]
    (log_group,) = synthesized.resources("AWS::Logs::LogGroup", "Function")
    (events,) = synthesized.resources("AWS::S3::Bucket", "EventStore")
    bucket_arn = {"Fn::GetAtt": [events, "Arn"]}
    assert [policy["PolicyDocument"]["Statement"] for policy in role["Policies"]] == [
        [
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": {"Fn::Join": ["", one_object]},
            }
        ],
        [
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": {"Fn::Join": ["", [bucket_arn, "/reports/latest.json"]]},
            }
        ],
        [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": {"Fn::GetAtt": [log_group, "Arn"]},
            }
        ],
        [
            {
                "Effect": "Allow",
                "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
                "Resource": "*",  # X-Ray has no resource-level permissions for these
            }
        ],
    ]


def test_each_release_has_a_role_that_outlives_it(
    synthesized: Synthesized, synthesize: Synthesize, other_model: Path
) -> None:
    """Otherwise the version before could not read its model, and a rollback would fail."""
    roles = [
        each.resources("AWS::IAM::Role", "Function")
        for each in (synthesized, synthesize(model=other_model))
    ]
    assert not set(roles[0]) & set(roles[1])
    (role,) = roles[0].values()
    assert role["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_function_gets_location_and_digest_of_the_model(
    synthesized: Synthesized,
) -> None:
    function = synthesized.only(LAMBDA, "Function")["Properties"]
    variables = function["Environment"]["Variables"]
    assert set(variables) == {
        "ETIQUETTE_HEALTH_REPORT",
        "ETIQUETTE_MODEL",
        "ETIQUETTE_MODEL_SHA256",
        "ETIQUETTE_SERVICE",
    }
    digest = hashlib.sha256(STARTER_MODEL.read_bytes()).hexdigest()
    assert variables["ETIQUETTE_MODEL_SHA256"] == digest
    assert function["PackageType"] == "Image"
    assert function["Architectures"] == ["arm64"]
    assert function["Timeout"] < 30  # the limit of API Gateway


def test_the_model_is_an_asset_of_the_deployment(synthesized: Synthesized) -> None:
    (manifest,) = synthesized.assembly.glob("*.assets.json")
    files = json.loads(manifest.read_text())["files"].values()
    _, key = model_location(synthesized)
    (asset,) = [
        file
        for file in files
        if key in {place["objectKey"] for place in file["destinations"].values()}
    ]
    carried = synthesized.assembly / asset["source"]["path"]
    assert carried.read_bytes() == STARTER_MODEL.read_bytes()


def test_live_sends_every_request_to_a_published_version(synthesized: Synthesized) -> None:
    template = synthesized.template
    ((version, published),) = template.find_resources("AWS::Lambda::Version").items()
    assert published["DeletionPolicy"] == "RetainExceptOnCreate"
    ((alias, live),) = template.find_resources("AWS::Lambda::Alias").items()
    assert live["Properties"]["Name"] == "live"
    assert live["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    integration = synthesized.only("AWS::ApiGatewayV2::Integration")["Properties"]
    assert integration["IntegrationUri"] == {"Ref": alias}
    assert integration["PayloadFormatVersion"] == "2.0"
    ((shared, _),) = template.find_resources("AWS::ApiGatewayV2::Integration").items()
    routes = template.find_resources("AWS::ApiGatewayV2::Route").values()
    for route in routes:
        target = {"Fn::Join": ["", ["integrations/", {"Ref": shared}]]}
        assert route["Properties"]["Target"] == target
    assert "$default" in {route["Properties"]["RouteKey"] for route in routes}
    for permission in synthesized.resources("AWS::Lambda::Permission", "Http").values():
        assert permission["Properties"]["FunctionName"] == {"Ref": alias}
        assert permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
        assert "SourceArn" in permission["Properties"]


def test_every_log_expires(synthesized: Synthesized) -> None:
    groups = synthesized.template.find_resources("AWS::Logs::LogGroup").values()
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {30}


def test_the_outputs_name_urls_and_the_model_version(synthesized: Synthesized) -> None:
    outputs = synthesized.outputs()
    assert "ApiEndpoint" in text(outputs["ApiUrl"])
    assert "#dashboards/dashboard/" in text(outputs["ResourcesDashboardUrl"])
    size = int.from_bytes(STARTER_MODEL.read_bytes()[:8], "little")
    header = json.loads(STARTER_MODEL.read_bytes()[8 : 8 + size])
    manifest = json.loads(header["__metadata__"]["manifest"])
    assert outputs["ModelVersion"] == manifest["version"]


def test_the_build_context_has_only_what_serves(synthesized: Synthesized) -> None:
    image = synthesized.image("api")
    assert image["platform"] == "linux/arm64"
    folder = synthesized.assembly / image["directory"]
    assert (folder / image["dockerFile"]).is_file()
    assert {entry.name for entry in folder.iterdir()} == {
        ".dockerignore",
        "__init__.py",
        "environment_settings.py",
        "metrics.py",
        "model_signature.py",
        "tagger",
        "api",
    }
    assert not [*folder.rglob("*.pyc"), *folder.rglob("*.so")]
    assert not (folder / "api" / "requirements-serve.txt").exists()


def test_another_model_makes_another_version_of_the_same_image(
    synthesized: Synthesized, synthesize: Synthesize, other_model: Path
) -> None:
    other = synthesize(model=other_model)
    assert set(other.template.find_resources("AWS::Lambda::Version")) != set(
        synthesized.template.find_resources("AWS::Lambda::Version")
    )
    assert other.outputs()["ModelVersion"] == "1900.01.01-other"
    code = [each.only(LAMBDA, "Function")["Properties"]["Code"] for each in (synthesized, other)]
    assert code[0] == code[1]


def test_files_that_belong_to_no_function_change_nothing(
    synthesized: Synthesized, synthesize_anew: Synthesize
) -> None:
    """A changed asset would be published as another version."""
    left = [ROOT / "lambda_src" / name.format(uuid4()) for name in LEFT_BEHIND]
    new_folders = {path.parent for path in left if not path.parent.is_dir()}
    try:
        for path in left:
            path.parent.mkdir(exist_ok=True)
            path.write_text("left behind")
        again = synthesize_anew()
    finally:
        for path in left:
            path.unlink(missing_ok=True)
        for folder in new_folders:
            folder.rmdir()
    taken = {path.name for path in again.assembly.rglob("*")} & {path.name for path in left}
    assert not taken
    assert again.template.to_json() == synthesized.template.to_json()


def test_every_tracked_file_of_a_function_is_code() -> None:
    """A file of a new kind needs its ending in infra_cdk/build_context.py."""
    listed = subprocess.run(
        ["git", "ls-files", "lambda_src", "model_build"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    tracked = [ROOT / name for name in listed.stdout.splitlines()]
    left_out = {path.name for path in tracked if path.is_file() and not is_code(path, ROOT)}
    # The jobs of model_build train from the release's own model, and not from the starter.
    assert left_out == {".dockerignore", "kinds.toml", "starter.safetensors"}


def test_a_checkout_that_only_its_owner_can_read_makes_code_that_lambda_can_read(
    tmp_path: Path,
) -> None:
    private = [ROOT / "lambda_src/pre_traffic_check", ROOT / "lambda_src/pre_traffic_check/pin.py"]
    before = [path.stat().st_mode for path in private]
    for path in private:
        path.chmod(path.stat().st_mode & 0o700)
    try:
        subprocess.run(
            [sys.executable, "-m", "infra_cdk.app"],
            cwd=ROOT,
            env={**os.environ, "CDK_OUTDIR": str(tmp_path)},
            check=True,
        )
    finally:
        for path, mode in zip(private, before, strict=True):
            path.chmod(mode)
    copies = list(tmp_path.glob("asset.*/pre_traffic_check/pin.py"))
    assert copies
    for copy in copies:
        assert stat.filemode(copy.stat().st_mode) == "-rw-r--r--"
        assert stat.filemode(copy.parent.stat().st_mode) == "drwxr-xr-x"


@pytest.mark.parametrize("kind", ["AWS::SNS::Subscription"])
def test_there_is_a_subscription_if_there_is_an_address(
    synthesized: Synthesized, synthesize: Synthesize, kind: str
) -> None:
    synthesized.template.resource_count_is(kind, 0)
    subscriptions = synthesize(alarm_email="operator@example.org").properties(kind)
    assert {(each["Protocol"], each["Endpoint"]) for each in subscriptions} == {
        ("email", "operator@example.org")
    }
    assert len({each["TopicArn"]["Ref"] for each in subscriptions}) == 2
