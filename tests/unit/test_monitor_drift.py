"""The monitor and the drift detectors: what they observe, their state, and who learns of it."""

import hashlib
import importlib
import json
import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambda_src import metrics
from lambda_src.environment_settings import SettingsError
from lambda_src.monitor.detectors import Release
from lambda_src.monitor.publish import values
from lambda_src.monitor.quality_fallen import AnnouncementError, Fall, announce, falls
from lambda_src.monitor.run import run
from lambda_src.monitor.settings import Settings
from lambda_src.monitor.store import FolderStore
from tests.support.cloudwatch.emf import read_log
from tests.support.drift_events import MONDAY, RELEASE, lines, run_on, write_days
from tests.support.drift_streams import Site
from tests.support.paths import STARTER


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_without_a_baseline_nothing_is_said_about_drift(store: FolderStore, tmp_path: Path) -> None:
    write_days(tmp_path, 3)
    for release in (None, Release("v1", None), Release("v2", RELEASE.baseline)):
        outcome = run_on(store, 3, release)
        assert outcome.findings == []
        assert not set(metrics.DRIFT_METRICS.values()) & set(values(outcome))
    assert store.list("state/") == []


def test_little_data_has_no_metric_and_a_quiet_week_has_zeros(
    store: FolderStore, tmp_path: Path
) -> None:
    write_days(tmp_path, 1)
    early = values(run_on(store, 1))
    assert metrics.DRIFT_METRICS["concept_drift"] not in early
    write_days(tmp_path, 9, first=1)
    quiet = values(run_on(store, 9))
    assert quiet[metrics.DRIFT_METRICS["concept_drift"]] == 0
    assert quiet[metrics.DRIFT_METRICS["new_tag"]] == 0
    # It needs 3,000 predictions for its own baseline.
    assert metrics.DRIFT_METRICS["data_drift"] not in quiet


def test_daily_runs_end_in_the_same_state_as_one_run(
    store: FolderStore, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    together = tmp_path_factory.mktemp("together")
    write_days(tmp_path, 6)
    write_days(together, 6)
    for days in range(1, 7):
        daily = run_on(store, days)
    again = run_on(store, 6)
    at_once = run_on(FolderStore(together), 6)
    assert daily.findings == again.findings == at_once.findings
    key = "state/v1.json"
    assert store.read(key) == FolderStore(together).read(key)
    assert json.loads(store.read(key) or b"")["observed_until"] == "2026-01-08"


def test_lines_that_come_a_day_late_are_observed(
    store: FolderStore, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    together = tmp_path_factory.mktemp("together")
    for folder in (tmp_path, together):
        write_days(folder, 4)
    late = tmp_path / "events" / f"date={MONDAY + timedelta(days=2)}" / "a.jsonl"
    content = late.read_bytes()
    late.write_bytes(content[: content.index(b"\n") + 1])
    run_on(store, 4)
    late.write_bytes(content)
    assert run_on(store, 4).findings == run_on(FolderStore(together), 4).findings


def test_a_rollback_goes_on_with_the_baseline_that_the_state_kept(
    store: FolderStore, tmp_path: Path
) -> None:
    write_days(tmp_path, 9)
    before = run_on(store, 9)
    after = run_on(store, 9, Release("v2", RELEASE.baseline))
    assert after.live_version == "v1"
    assert after.findings == before.findings != []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 0}'])
def test_a_damaged_state_is_made_again_from_the_events(
    store: FolderStore, tmp_path: Path, damage: bytes
) -> None:
    write_days(tmp_path, 4)
    before = run_on(store, 4)
    whole = store.read("state/v1.json")
    store.write("state/v1.json", damage)
    assert run_on(store, 4).findings == before.findings
    assert store.read("state/v1.json") == whole


def test_a_state_of_older_detectors_is_made_again(store: FolderStore, tmp_path: Path) -> None:
    write_days(tmp_path, 4)
    before = run_on(store, 4)
    state = json.loads(store.read("state/v1.json") or b"")
    state["watch"]["version"] = 0
    store.write("state/v1.json", json.dumps(state).encode())
    assert run_on(store, 4).findings == before.findings


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("watch", {"version": 1}),
        ("watch", []),
        ("observed_until", "yesterday"),
        ("baseline", {"version": 0}),
        ("baseline", None),
    ],
)
def test_a_state_with_a_damaged_part_is_made_again(
    store: FolderStore, tmp_path: Path, part: str, damage: object
) -> None:
    write_days(tmp_path, 4)
    before = run_on(store, 4)
    whole = store.read("state/v1.json")
    state = json.loads(whole or b"")
    store.write("state/v1.json", json.dumps(state | {part: damage}).encode())
    assert run_on(store, 4).findings == before.findings
    assert store.read("state/v1.json") == whole


def test_a_rollback_whose_baseline_is_lost_has_figures_but_no_drift(
    store: FolderStore, tmp_path: Path
) -> None:
    write_days(tmp_path, 4)
    run_on(store, 4)
    store.write("state/v1.json", b"{")
    outcome = run_on(store, 4, Release("v2", RELEASE.baseline))
    assert outcome.live_version == "v1"
    assert outcome.findings == []
    assert outcome.figures["sample_jaccard"].value is not None
    # As with the command's option --model, once.
    again = run_on(store, 4).findings
    assert run_on(store, 4, Release("v2", RELEASE.baseline)).findings == again != []


def everything(store: FolderStore) -> dict[str, bytes | None]:
    """What the monitor keeps for later runs."""
    return {key: store.read(key) for key in (*store.list("days/"), *store.list("state/"))}


@pytest.mark.parametrize("jump", [100, -2, -100])
def test_a_run_with_a_wrong_clock_changes_nothing_that_later_runs_write(
    store: FolderStore, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, jump: int
) -> None:
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    for folder in (tmp_path, undisturbed):
        write_days(folder, 4)
    run_on(store, 4)
    run_on(store, 4 + jump)
    for folder in (tmp_path, undisturbed):
        write_days(folder, 6, first=4)
    after = run_on(store, 6)
    expected = run_on(FolderStore(undisturbed), 6)
    assert after.findings == expected.findings
    assert after.figures == expected.figures
    assert everything(store) == everything(FolderStore(undisturbed))


def test_a_look_at_an_earlier_day_sees_that_day_and_leaves_the_state(
    store: FolderStore, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    earlier = tmp_path_factory.mktemp("earlier")
    write_days(tmp_path, 6)
    run_on(store, 6)
    before = everything(store)
    write_days(earlier, 4)
    assert run_on(store, 4).findings == run_on(FolderStore(earlier), 4).findings
    assert everything(store) == before


def test_a_correction_of_feedback_is_not_observed_again(store: FolderStore, tmp_path: Path) -> None:
    write_days(tmp_path, 4)
    before = run_on(store, 4)
    first = tmp_path / "events" / f"date={MONDAY}" / "a.jsonl"
    feedbacks = [line for line in first.read_text().splitlines() if '"feedback"' in line]
    last = MONDAY + timedelta(days=3)
    corrections = [
        json.dumps(json.loads(line) | {"timestamp": f"{last}T23:00:00.000Z", "final_tags": ["x"]})
        for line in feedbacks
    ]
    with (tmp_path / "events" / f"date={last}" / "a.jsonl").open("a") as file:
        file.write("\n".join(corrections) + "\n")
    after = run_on(store, 4)
    assert after.findings == before.findings
    # The figures of the first day know the corrections.
    day = json.loads(store.read(f"days/{MONDAY}.json") or b"")
    assert day["models"]["v1"]["sample_jaccard"]["value"] == 0


class Bus:
    """A bus of EventBridge that keeps what was sent."""

    def __init__(self, *, accepts: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self._accepts = accepts

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (AWS's)
        if not self._accepts:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Busy", "ErrorMessage": "?"}]}
        self.sent += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


def test_concept_drift_raises_its_metric_and_asks_once_for_a_new_model(
    store: FolderStore, tmp_path: Path
) -> None:
    write_days(tmp_path, 12, wrong_from=7)
    bus = Bus()
    for _ in range(2):
        outcome = run_on(store, 12)
        found = list(falls(outcome, 0.0))
        for fall in found:
            announce(bus, store, fall, "here")
    assert values(outcome)[metrics.DRIFT_METRICS["concept_drift"]] >= 1
    (entry,) = bus.sent
    assert (entry["Source"], entry["DetailType"]) == ("etiquette.monitor", "QualityFallen")
    detail = json.loads(entry["Detail"])
    assert set(detail) == {"service", "model_version", "reason", "figures"}
    assert detail["reason"] == "concept_drift"
    report = store.read("reports/latest.html") or b""
    assert b"right less often than their confidence says" in report


def test_a_quiet_fortnight_asks_for_no_new_model(store: FolderStore, tmp_path: Path) -> None:
    write_days(tmp_path, 14)
    outcome = run_on(store, 14)
    assert not any(finding.pages for finding in outcome.findings)
    assert list(falls(outcome, 0.0)) == []


def test_an_event_that_was_not_accepted_is_sent_again(store: FolderStore) -> None:
    fall = Fall("v1", "audit", {"audit_sample_jaccard": 0.1})
    with pytest.raises(AnnouncementError, match="Busy"):
        announce(Bus(accepts=False), store, fall, "here")
    bus = Bus()
    announce(bus, store, fall, "here")
    announce(bus, store, fall, "here")
    assert len(bus.sent) == 1


@pytest.mark.parametrize(("limit", "fallen"), [(0.6, True), (0.4, False)])
def test_an_audit_below_the_limit_is_a_fall(
    store: FolderStore, tmp_path: Path, limit: float, *, fallen: bool
) -> None:
    write_days(tmp_path, 1)
    event = {
        "event_version": 1,
        "event_type": "audit",
        "timestamp": f"{MONDAY}T01:00:00.000Z",
        "site": "stackoverflow",
        "model_version": "v1",
        "tags": ["python"],
        "confidences": [0.9],
        "top_confidence": 0.9,
        "expected_jaccard": 0.5,
        "known_share": 1.0,
        "words": 9,
        "code_share": 0.0,
    }
    path = tmp_path / "audits" / f"date={MONDAY}" / "a.jsonl"
    path.parent.mkdir(parents=True)
    audits = [
        event | {"question_id": number, "final_tags": ["python" if number % 2 else "java"]}
        for number in range(100)
    ]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in audits))
    assert [fall.reason for fall in falls(run_on(store, 1), limit)] == ["audit"] * fallen


GIVEN = {
    "ETIQUETTE_EVENTS": "s3://store",
    "ETIQUETTE_SERVICE": "etiquette-dev",
    "ETIQUETTE_MODEL": "s3://models/m.safetensors",
    "ETIQUETTE_MODEL_SHA256": "0" * 64,
}


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_environment(GIVEN | {"PATH": "/bin"})
    assert settings == Settings(
        events="s3://store",
        service="etiquette-dev",
        model="s3://models/m.safetensors",
        model_sha256="0" * 64,
    )
    given = GIVEN | {"ETIQUETTE_MIN_AUDIT_JACCARD": "0.3"}
    assert Settings.from_environment(given).min_audit_jaccard == 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ETIQUETTE_EVENTS": ""}, "ETIQUETTE_EVENTS is ''.*Set it to the location of"),
        ({"ETIQUETTE_SERVICE": "a b"}, "ETIQUETTE_SERVICE is 'a b'"),
        ({"ETIQUETTE_EVENT": "x"}, "ETIQUETTE_EVENT is not a setting"),
        ({"ETIQUETTE_MIN_AUDIT_JACCARD": "low"}, "'low', which is not valid: .* a number from 0"),
        ({"ETIQUETTE_MIN_AUDIT_JACCARD": "2"}, "ETIQUETTE_MIN_AUDIT_JACCARD is '2'"),
        ({"ETIQUETTE_MIN_AUDIT_JACCARD": "nan"}, "ETIQUETTE_MIN_AUDIT_JACCARD is 'nan'"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.from_environment(GIVEN | change)


def test_the_handler_runs_on_what_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("ETIQUETTE_")]:
        monkeypatch.delenv(name)
    digest = hashlib.sha256(STARTER.read_bytes()).hexdigest()
    given = {"EVENTS": str(tmp_path), "SERVICE": "here", "MODEL": str(STARTER)}
    for name, value in (given | {"MODEL_SHA256": digest}).items():
        monkeypatch.setenv(f"ETIQUETTE_{name}", value)
    write_days(tmp_path, 1)
    handler = importlib.import_module("lambda_src.monitor.handler").handler
    answer = handler({}, SimpleNamespace(memory_limit_in_mb="512"))
    assert answer["model_version"] == "v1"
    names = {sample.metric.name for sample in read_log(capsys.readouterr().out.encode())}
    assert metrics.MONITOR_RUNS.name in names
    assert FolderStore(tmp_path).read(f"days/{MONDAY}.json") is not None


def test_one_caller_s_feedback_cannot_raise_an_alarm_alone(
    store: FolderStore, tmp_path: Path
) -> None:
    for number in range(6):
        day = MONDAY + timedelta(days=number)
        events = [
            event | {"principal": f"person {place % 150}"}
            for place, event in enumerate(lines(Site(number), day, n=150))
        ]
        if number >= 3:
            events += [
                event | {"prediction_id": f"own {event['prediction_id']}", "principal": "flood"}
                for event in lines(Site(100 + number), day, n=300, wrong=0.9)
            ]
        path = tmp_path / "events" / f"date={day}" / "a.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")

    def concept_drift(share: float) -> float:
        for key in store.list("state/"):
            (tmp_path / key).unlink()
        last = MONDAY + timedelta(days=5)
        found = run(store, last, release=RELEASE, memory_mb=256, threads=1, share=share)
        return values(found)[metrics.DRIFT_METRICS["concept_drift"]]

    assert concept_drift(1.0) >= 1
    assert concept_drift(0.1) < 1
