"""Every function: its folder, its construct, its build context, its requirements and its alarms.

A function is a folder of lambda_src/ with a handler.py. With a Dockerfile, it is an image.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk.assertions import Template

from infra_cdk.function import SOURCES, FolderFunction
from infra_cdk.observability import functions
from infra_cdk.observability.watch import Fixed
from infra_cdk.settings import ENVIRONMENTS
from tests.infra.synthesis import WITH_ADDRESS, Synthesize, Synthesized
from tests.support.cloudwatch.alarms import Alarm
from tests.support.cloudwatch.templates import Resolver
from tests.support.paths import ROOT

LAMBDA = "AWS::Lambda::Function"
IMAGES = sorted(path.parent.name for path in SOURCES.glob("*/Dockerfile"))
WITHOUT_ALARMS = {"pre_traffic_check": "If it fails, so does the deployment that runs it."}


def deployed(stack: Synthesized) -> dict[str, str]:
    """The functions of the template: their folders, and the logical id of one of each folder."""
    sources = stack.images()
    found = {}
    for name, resource in stack.resources(LAMBDA).items():
        properties = resource["Properties"]
        if properties.get("PackageType") == "Image":
            tag = properties["Code"]["ImageUri"]["Fn::Sub"].rpartition(":")[2]
            folder = Path(sources[tag]["dockerFile"]).parent.name
        else:
            folder = properties["Handler"].partition(".")[0]
        found[folder] = name
    return found


def test_every_function_has_a_folder_and_every_folder_is_deployed(
    synthesized: Synthesized,
) -> None:
    folders = {path.parent.name for path in SOURCES.glob("*/handler.py")}
    for folder in folders - set(deployed(synthesized)):
        pytest.fail(
            f"lambda_src/{folder} has a handler.py, but the stack has no such function: "
            f"add a FolderFunction with folder={folder!r} to infra_cdk/stack.py"
        )
    for folder in IMAGES:
        assert folder in folders, (
            f"lambda_src/{folder} has a Dockerfile, but no handler.py: add the handler, or remove "
            "the Dockerfile"
        )
    assert set(deployed(synthesized)) == folders


@pytest.mark.parametrize("folder", IMAGES)
def test_every_image_has_locked_requirements(folder: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert folder in project["optional-dependencies"], (
        f"pyproject.toml has no optional dependencies {folder!r}: add what lambda_src/{folder} "
        "imports, also to `test`, and run scripts/lock"
    )
    path = SOURCES / folder / "requirements.txt"
    assert path.is_file(), f"lambda_src/{folder}/requirements.txt does not exist: run scripts/lock"


def copied_by(dockerfile: str) -> Iterator[str]:
    """The paths that a Dockerfile copies from its build context for its last stage."""
    stages = re.split(r"^FROM ", dockerfile.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    names = [re.findall(r" AS (\S+)", stage.splitlines()[0]) for stage in stages]
    by_name = {name[0]: stage for name, stage in zip(names, stages, strict=True) if name}
    waiting = [stages[-1]]
    while waiting:
        for arguments in re.findall(r"^COPY (.+)$", waiting.pop(), flags=re.MULTILINE):
            first, *others = arguments.split()
            if first.startswith("--from="):
                waiting.append(by_name[first.removeprefix("--from=")])
            else:
                yield from [first, *others][:-1]


@pytest.mark.parametrize("folder", IMAGES)
def test_the_build_context_of_an_image_is_what_its_dockerfile_copies(
    synthesized: Synthesized, folder: str
) -> None:
    context = synthesized.assembly / synthesized.image(folder)["directory"]
    copied = set(copied_by((SOURCES / folder / "Dockerfile").read_text(encoding="utf-8")))
    for path in copied:
        assert (context / path).exists(), (
            f"lambda_src/{folder}/Dockerfile copies {path}, which is not in its build context: "
            f"add it to `shared` where the FolderFunction with folder={folder!r} is created"
        )
    top = {path.name for path in context.iterdir()} - {".dockerignore", folder, "__init__.py"}
    unused = top - {path.partition("/")[0] for path in copied}
    assert not unused, f"lambda_src/{folder}/Dockerfile does not copy {unused}: shorten `shared`"


def alarmed_functions(resources: Mapping[str, Any]) -> dict[str, set[str]]:
    """The metrics of Lambda that raise alarms for people, by the logical id of the function."""
    resolver = Resolver(resources)
    by_name = {
        resolver.reference(name): name
        for name, resource in resources.items()
        if resource["Type"] == LAMBDA
    }
    found: dict[str, set[str]] = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::CloudWatch::Alarm" and not name.startswith("Rollout"):
            alarm = Alarm.from_template(name, resource["Properties"], resolver)
            for metric, _ in alarm.metrics.values():
                if metric.namespace == "AWS/Lambda" and metric.dimensions:
                    function = by_name[dict(metric.dimensions)["FunctionName"]]
                    found.setdefault(function, set()).add(metric.name)
    return found


def test_every_function_raises_alarms_unless_there_is_a_reason(synthesize: Synthesize) -> None:
    prod = synthesize("prod", **WITH_ADDRESS)
    alarmed = alarmed_functions(prod.template.to_json()["Resources"])
    for folder, name in deployed(prod).items():
        if folder in WITHOUT_ALARMS:
            assert name not in alarmed, f"{folder} has alarms: remove it from WITHOUT_ALARMS"
        else:
            assert alarmed[name] >= {"Errors", "Throttles", "Duration"}, folder


def another_function(folder: str) -> FolderFunction:
    """A function as a later one may be: not published, with the alarms that every function has."""
    return FolderFunction(
        Stack(App(analytics_reporting=False), "Another"),
        "Another",
        settings=ENVIRONMENTS["dev"](),
        folder=folder,
        title="Another function",
        description="For this test",
        memory_mb=512,
        timeout=Duration.minutes(5),
        policies={},
        environment={},
    )


@pytest.fixture
def another() -> FolderFunction:
    return another_function("pre_traffic_check")


def test_a_new_function_may_only_write_its_log(another: FolderFunction) -> None:
    template = Template.from_stack(Stack.of(another))
    (role,) = template.find_resources("AWS::IAM::Role").values()
    (inline,) = role["Properties"]["Policies"]
    ((log, _),) = template.find_resources("AWS::Logs::LogGroup").items()
    assert inline["PolicyDocument"]["Statement"] == [
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [log, "Arn"]},
        }
    ]
    template.resource_count_is("AWS::Lambda::Version", 0)
    ((_, function),) = template.find_resources(LAMBDA).items()
    assert "SnapStart" not in function["Properties"]
    assert function["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": log}}


def test_a_new_function_gets_its_own_alarms(another: FolderFunction) -> None:
    watches = functions.watches(another)
    for watch in watches:
        watch.alarm(Stack.of(another), "another")
        assert watch.name.startswith("Another function ")
    assert "AnotherFunctionLogGroup" in watches[0].first_command
    template = Template.from_stack(Stack.of(another)).to_json()
    ((_, alarmed),) = alarmed_functions(template["Resources"]).items()
    assert alarmed == {"Errors", "Throttles", "Duration"}
    limits = [watch.limit.value for watch in watches if isinstance(watch.limit, Fixed)]
    assert limits == [1, 1, 0.8 * 5 * 60 * 1000]


def test_a_folder_without_a_handler_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lambda_src/tagger has no handler\.py"):
        another_function("tagger")
