"""The alarms of the environment `prod`, and recordings of the running image."""

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from lambda_src.metrics import MODEL_LATENCY
from lambda_src.tagger import TagModel
from lambda_src.tagger.rules import MAX_CHUNKS_PER_FIELD
from model_build.questions import Question
from scripts.emulator.local_aws import LocalAws
from tests.support.api_gateway import gateway_event
from tests.support.cloudwatch.alarms import DAY, Alarm, any_in_alarm
from tests.support.cloudwatch.evaluation import Forecast
from tests.support.cloudwatch.samples import Sample, Samples
from tests.support.cloudwatch.templates import Resolver
from tests.support.paths import ROOT, STARTER
from tests.system.containers import RunningFunction, running
from tests.system.drills.days import MIDNIGHT, Recordings, Traffic
from tests.system.drills.recordings import Invocation, questions, record
from tests.system.drills.stand_ins import (
    DAYS_OF_HISTORY,
    Names,
    Outside,
    Request,
    archive,
    forecast_of,
    log_sizes,
    measure,
    measure_outside,
)

SERVICE = "etiquette-prod"
CONCURRENCY = 10
TIME_LIMIT = 15
"""The function's, in seconds."""
SLOW = 150
"""An answer counts as slow if the model takes more than this many milliseconds. The limit of the
alarm is 100."""
HOST = "tags.example.org"
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0-1"
MOUNT = ("--volume", f"{STARTER.parent}:/opt/model:ro")
MODEL = ("--env", "ETIQUETTE_MODEL=/opt/model/starter.safetensors")
NAMED = ("--env", f"ETIQUETTE_SERVICE={SERVICE}")
OTHER_SUBJECTS: list[dict[str, Any]] = [
    {"text": "How long should I knead sourdough before the first rise?"},
    {"text": "Why does my tomato plant have yellow leaves in July?"},
    {"text": "Is it rude to leave early from a wedding dinner in Japan?"},
    {"text": "Which opening is best against the Sicilian defence for a club player?"},
    {"text": "What is the best way to polish silver cutlery at home?"},
    {"text": "How much water does a lemon tree on a balcony need in winter?"},
]
OTHER_LANGUAGES: list[dict[str, Any]] = [
    {"text": "Wie lange muss der Teig gehen, bevor ich das Brot backe?"},
    {"text": "Pourquoi mes tomates ont-elles des feuilles jaunes en juillet ?"},
    {"text": "Kuinka kauan taikinan pitaa kohota ennen paistamista?"},
    {"text": "Cuanto tiempo debe reposar la masa del pan por la noche?"},
]
LONG_QUESTION = {"title": "Merge frames", "body": "Merge two frames on a column. " * 2000}
LONG_BATCH = {"questions": [LONG_QUESTION] * 15}
REFUSED: list[dict[str, Any]] = [{"text": 7}, {"question": "?"}, {"text": "x" * 70_000}]


class Deployed(NamedTuple):
    """What the synthesized template of `prod` contains."""

    alarms: dict[str, list[Alarm]]
    """By the anchor of their runbook entry. A composite alarm is raised while any of several is."""
    names: Names
    concurrency: int
    """How many copies of the function may run at once. The default is that of a new account."""
    heartbeat: dict[str, Any]
    """The event that the schedule sends to the function."""


@pytest.fixture(scope="session")
def deployed(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The template as the CDK command line makes it. Like local AWS, it needs Node.js."""
    folder = tmp_path_factory.mktemp("cdk.out")
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    context |= {"environment": "prod", "alarm_email": "operator@example.org"}
    context |= {"retraining": "true", "audit_site": "stackoverflow"}
    named = {"domain_name": HOST, "certificate_arn": CERTIFICATE}
    _synthesize("infra_cdk.app", context | named | {"account_concurrency": CONCURRENCY}, folder)
    _synthesize("infra_cdk.probe", context | {"host": HOST}, folder)
    return _read(folder / f"{SERVICE}.template.json", folder / f"{SERVICE}-probe.template.json")


def _synthesize(module: str, context: dict[str, Any], folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | {"CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder)},
        capture_output=True,
        check=True,
    )


def _read(path: Path, probe: Path) -> Deployed:
    resources = json.loads(path.read_text())["Resources"] | {
        name: each
        for name, each in json.loads(probe.read_text())["Resources"].items()
        if each["Type"] in {"AWS::CloudWatch::Alarm", "AWS::Route53::HealthCheck"}
    }
    resolver = Resolver(resources)

    def of_kind(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        return (
            (name, resolver.resolve(each["Properties"]))
            for name, each in resources.items()
            if each["Type"] == kind
        )

    alarms = [
        Alarm.from_template(name, each, resolver)
        for name, each in of_kind("AWS::CloudWatch::Alarm")
    ]
    ((alias, live),) = of_kind("AWS::Lambda::Alias")
    ((api, _),) = of_kind("AWS::ApiGatewayV2::Api")
    ((_, stage),) = of_kind("AWS::ApiGatewayV2::Stage")
    ((check, _),) = of_kind("AWS::Route53::HealthCheck")
    groups = [name for name, _ in of_kind("AWS::Logs::LogGroup")]
    (function_log,) = (each for each in groups if each.startswith("Function"))
    (access_log,) = (each for each in groups if each.startswith("Http"))
    ((_, down),) = of_kind("AWS::CloudWatch::CompositeAlarm")
    behind = {each.removesuffix(".Arn") for each in any_in_alarm(down["AlarmRule"])}
    function = live["FunctionName"]
    (machine,) = (
        each
        for name, each in of_kind("AWS::StepFunctions::StateMachine")
        if name.startswith("Retraining")
    )
    account = [{"Ref": f"AWS::{name}"} for name in ("Partition", "Region", "AccountId")]
    partition, region, number = map(resolver.resolve, account)
    names = Names(
        function,
        f"{function}:live",
        live["FunctionVersion"],
        api,
        stage["AccessLogSettings"]["Format"],
        function_log,
        access_log,
        CERTIFICATE,
        f"{check}.HealthCheckId",
        f"arn:{partition}:states:{region}:{number}:stateMachine:{machine['StateMachineName']}",
    )
    assert resolver.reference(alias).endswith(f":{names.alias}")
    (heartbeat,) = (
        target["Input"]
        for _, rule in of_kind("AWS::Events::Rule")
        for target in rule["Targets"]
        if target["Arn"] == resolver.reference(alias)
    )
    by_entry = {_entry(alarm.description): [alarm] for alarm in alarms}
    by_entry[_entry(down["AlarmDescription"])] = [each for each in alarms if each.name in behind]
    return Deployed(by_entry, names, CONCURRENCY, json.loads(heartbeat))


def _entry(description: str) -> str:
    return description.rpartition("#")[2]


@pytest.fixture(scope="session")
def recordings(
    aws: LocalAws, image: str, samples: list[Question], request: pytest.FixtureRequest
) -> Recordings:
    """What the image does, with and without something wrong."""
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(_record_slow, aws, image)
        broken = pool.submit(_record_broken, aws, image)
        # Synthesize meanwhile: the slow recording takes long, but little processor time.
        deployed: Deployed = request.getfixturevalue("deployed")
        found = _record_healthy(aws, image, samples[:60], deployed.heartbeat)
        recorded = [*found, *slow.result(), *broken.result()]
    kinds = dict.fromkeys(each.kind for each in recorded)
    return {kind: [each for each in recorded if each.kind == kind] for kind in kinds}


def _record_healthy(
    aws: LocalAws, image: str, samples: list[Question], heartbeat: dict[str, Any]
) -> list[Invocation]:
    asked: list[dict[str, Any]] = [{"title": each.title, "body": each.body} for each in samples]
    feedback: list[dict[str, Any]] = [
        {"prediction_id": str(uuid4()), "final_tags": each.tags} for each in samples[:9]
    ]
    drafts: list[dict[str, Any]] = [{**each, "draft": True} for each in asked[:9]]
    other: list[dict[str, Any]] = [{"source": "aws.unknown"}]
    with running(aws, image, *MOUNT, *MODEL, *NAMED) as function:
        return [
            *record(function, "cold", questions(asked[:1])),
            *record(function, "prediction", questions(asked)),
            *record(function, "draft", questions(drafts)),
            *record(function, "feedback", questions(feedback, "/feedback")),
            *record(function, "refused", questions(REFUSED)),
            *record(function, "refused", [gateway_event("GET", "/wp-login.php")]),
            *record(function, "heartbeat", [heartbeat]),
            *record(function, "other subject", questions(OTHER_SUBJECTS)),
            *record(function, "other language", questions(OTHER_LANGUAGES)),
            *record(function, "other event", other),
        ]


def _record_slow(aws: LocalAws, image: str) -> list[Invocation]:
    """Record the image with too little processor time, and when it exceeds its time limit."""
    limit = ("--env", f"AWS_LAMBDA_FUNCTION_TIMEOUT={TIME_LIMIT}")
    # With the kernel, a share that slows the model down would nearly stop AWS's emulator, which is
    # in the same container.
    ranker = ("--env", "ETIQUETTE_RANKER=plain")
    with running(aws, image, *MOUNT, *MODEL, *NAMED, *limit, *ranker) as function:
        record(function, "cold", [gateway_event("GET", "/health")])
        slow = _record_slow_answers(function)
        function.starve(millicores=1000)
        return [*slow, *_record_out_of_time(function)]


def _record_slow_answers(function: RunningFunction) -> list[Invocation]:
    # How much processor time a request takes depends on the machine. So look for a share that makes
    # it slow, but not so slow that it runs out of time.
    for millicores in (200, 100, 80, 60, 50, 40):
        function.starve(millicores)
        recorded = record(function, "slow", questions([_demanding_question()] * 4))
        slow = [each for each in recorded if _model_latency(each) > SLOW]
        if slow:
            return slow
    pytest.fail("No share of a processor makes the model slow.")


def _demanding_question() -> dict[str, str]:
    """Make a question with as many different words as the model reads, in each of its fields."""
    words = sorted({word for tag in TagModel.load(STARTER).tags for word in tag.split("-")})
    title, prose, code = (
        " ".join(words[start : start + MAX_CHUNKS_PER_FIELD])
        for start in range(0, 3 * MAX_CHUNKS_PER_FIELD, MAX_CHUNKS_PER_FIELD)
    )
    return {"title": title, "body": f"{prose}\n\n```\n{code}\n```"}


def _model_latency(invocation: Invocation) -> float:
    """Milliseconds, 0 if the invocation gave no answer."""
    return max(
        (each.value for each in invocation.samples if each.metric.name == MODEL_LATENCY.name),
        default=0,
    )


def _record_out_of_time(function: RunningFunction) -> list[Invocation]:
    # With too little processor time for the request, the emulator, which ends the request, would
    # not run in time either. So stop the function's process alone.
    function.signal("STOP")
    return record(function, "out of time", questions([LONG_BATCH], "/predict/batch"))


def _record_broken(aws: LocalAws, image: str) -> list[Invocation]:
    """Record the image when it expects another model than it finds."""
    wrong = ("--env", f"ETIQUETTE_MODEL_SHA256={'0' * 64}")
    with running(aws, image, *MOUNT, *MODEL, *NAMED, *wrong) as function:
        return record(function, "not started", [gateway_event("GET", "/health")])


class Day(NamedTuple):
    """An ordinary day, and the two weeks before it."""

    requests: list[Request]
    samples: Samples
    forecast: Forecast


@pytest.fixture(scope="session")
def quiet_day(recordings: Recordings, deployed: Deployed) -> Day:
    """The ordinary day that the drills change.

    For the weeks before, only the metrics are made that forecasts use, and those that are compared
    with them.
    """
    every = itertools.chain.from_iterable(deployed.alarms.values())
    banded = [alarm for alarm in every if alarm.band]
    compared = [*banded, *deployed.alarms["archived-predictions"]]
    needed = {query.metric for alarm in compared for query in alarm.metrics.values()}
    traffic = Traffic(recordings, random.Random(7))  # noqa: S311 (a day, not a secret)
    before = [
        Sample(metric, request.at, value)
        for days in range(1, DAYS_OF_HISTORY + 1)
        for request in traffic.day(MIDNIGHT - days * DAY)
        for metric, _, value in [
            *request.invocation.samples,
            *log_sizes(deployed.names, request),
            *archive(request.invocation.events),
        ]
        if metric in needed
    ]
    requests = list(traffic.day(MIDNIGHT))
    today = measure(requests, deployed.names, deployed.concurrency)
    outside = measure_outside(deployed.names, MIDNIGHT, MIDNIGHT + DAY, Outside())
    measured = Samples([*before, *today, *outside])
    return Day(requests, measured, forecast_of(measured))
