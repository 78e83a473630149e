import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from lambda_src.monitor.events import compact, days_with
from lambda_src.monitor.store import open_store
from lambda_src.tagger import TagModel
from lambda_src.tagger.bundle import MANIFEST_KEY
from model_build.__main__ import main
from model_build.audit.tag_names import TagNames
from model_build.commands.collect import start_of
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from tests.support.live_service import ALIAS, LiveService, invoke_instead_of_aws, serve_model
from tests.support.paths import STARTER
from tests.support.stack_exchange import (
    KEY,
    StackExchangeServer,
    question,
    serve_stack_exchange,
)

TODAY = date(2026, 11, 20)
ASKED = start_of(TODAY - timedelta(days=3))


@pytest.fixture
def service(starter: TagModel) -> Iterator[LiveService]:
    with serve_model(LiveService(starter)) as running:
        yield running


def questions_of(samples: Sequence[Question], count: int) -> list[dict[str, Any]]:
    """So many questions of the audited day, and two of the days around it."""
    asked = [
        question(
            number,
            ASKED + number * 60,
            title=each.title,
            body=each.body if each.body_format == "html" else f"<p>{each.title}</p>",
            tags=list(each.tags),
        )
        for number, each in enumerate(samples[:count], 1)
    ]
    return [*asked, question(900, ASKED - 1), question(901, ASKED + 86_400)]


@pytest.fixture
def site(samples: Sequence[Question]) -> Iterator[StackExchangeServer]:
    with serve_stack_exchange(StackExchangeServer(questions_of(samples, 30))) as running:
        yield running


def audit(site: StackExchangeServer, service: LiveService, *options: str) -> int:
    arguments = ["audit", "--site", "cooking", "--base-url", site.url, "--url", service.url]
    return main([*arguments, "--date", TODAY.isoformat(), *options])


def lines_of(store: Path) -> list[dict[str, Any]]:
    (path,) = (store / "audits" / f"date={TODAY}").glob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def changed_bundle(path: Path, **manifest: Any) -> Path:
    """Write the starter with other values in its manifest."""
    with safe_open(STARTER, "numpy") as bundle:
        arrays = {name: bundle.get_tensor(name) for name in bundle.keys()}  # noqa: SIM118
        old = json.loads(bundle.metadata()[MANIFEST_KEY])
    save_file(arrays, path, {MANIFEST_KEY: json.dumps(old | manifest)})
    return path


def test_an_audit_writes_the_figures_and_the_lines_for_the_monitor(
    site: StackExchangeServer,
    service: LiveService,
    starter: TagModel,
    samples: Sequence[Question],
    tmp_path: Path,
) -> None:
    site.questions = questions_of(samples, 120)
    report = tmp_path / "audit.json"
    assert audit(site, service, "--store", str(tmp_path), "--json", str(report)) == 0
    lines = lines_of(tmp_path)
    assert [line["question_id"] for line in lines] == list(range(1, 121))
    first, asked = lines[0], site.questions[0]
    prediction = starter.suggest(asked["title"], asked["body"], body_format="html")
    assert first == {
        "event_version": 1,
        "event_type": "audit",
        "timestamp": "2026-11-20T00:00:00.000Z",
        "question_id": 1,
        "site": "cooking",
        "creation_date": "2026-11-17T00:01:00Z",
        "final_tags": asked["tags"],
        "model_version": starter.version,
        "tags": [each.tag for each in prediction.suggestions],
        "confidences": [round(each.confidence, 4) for each in prediction.suggestions],
        "top_confidence": round(prediction.top_confidence, 4),
        "expected_jaccard": round(prediction.expected_jaccard, 4),
        "known_share": round(prediction.known_share, 4),
        "words": prediction.n_words,
        "code_share": round(prediction.code_share, 4),
    }
    found = json.loads(report.read_text())
    judged = [
        JudgedQuestion(
            frozenset(each["tags"]),
            starter.rank(each["title"], each["body"], body_format="html"),
            starter.suggest(each["title"], each["body"], body_format="html").suggestions,
        )
        for each in site.questions[:120]
    ]
    expected = compute_metrics(judged, starter.tags)
    for name in ("sample_jaccard", "micro_f1", "precision_at_1", "prediction_rate"):
        assert found[name] == pytest.approx(expected[name], abs=1e-9), name
    assert found["questions"] == 120
    assert found["enough_questions"]
    assert found["differing"] == 0
    assert found["intervals"]["sample_jaccard"]


def test_the_monitor_reads_every_line_of_an_audit(
    site: StackExchangeServer, service: LiveService, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    assert audit(site, service, "--store", str(store)) == 0
    opened = open_store(str(store))
    assert list(days_with(opened, "audits")) == [TODAY]
    with duckdb.connect() as connection:
        day = compact(connection, opened, TODAY, tmp_path, folder="audits")
    assert day is not None
    assert (sum(day.set_aside.values()), day.doubles) == (0, 0)


def test_the_questions_are_sent_as_drafts_and_not_counted(
    site: StackExchangeServer, service: LiveService, capfd: pytest.CaptureFixture[str]
) -> None:
    assert audit(site, service) == 0
    assert len(service.bodies) == 30
    assert all(json.loads(body)["draft"] is True for body in service.bodies)
    assert '"event_type":"prediction"' not in capfd.readouterr().out


def test_a_second_audit_of_a_day_writes_the_same_file(
    site: StackExchangeServer, service: LiveService, tmp_path: Path
) -> None:
    assert audit(site, service, "--store", str(tmp_path)) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    assert audit(site, service, "--store", str(tmp_path)) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")} == before
    assert len(before) == 1


def test_a_renamed_tag_is_no_mistake(
    site: StackExchangeServer, service: LiveService, starter: TagModel, tmp_path: Path
) -> None:
    report, synonyms = tmp_path / "audit.json", tmp_path / "synonyms.csv"
    assert audit(site, service, "--json", str(report)) == 0
    before = json.loads(report.read_text())["sample_jaccard"]
    for each in site.questions:
        each["tags"] = ["py-lang" if tag == "python" else tag for tag in each["tags"]]
    assert audit(site, service, "--json", str(report)) == 0
    assert json.loads(report.read_text())["sample_jaccard"] < before
    synonyms.write_text("synonym,tag\npython,py-lang\n")
    options = ["--synonyms", str(synonyms), "--json", str(report), "--store", str(tmp_path)]
    assert audit(site, service, *options) == 0
    assert json.loads(report.read_text())["sample_jaccard"] == before
    tags = {tag for line in lines_of(tmp_path) for tag in line["final_tags"]}
    assert "python" in tags
    assert "py-lang" not in tags


def test_a_challenger_is_compared_on_the_same_questions(
    site: StackExchangeServer,
    service: LiveService,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = tmp_path / "audit.json"
    twin = changed_bundle(tmp_path / "twin.safetensors", version="twin")
    assert audit(site, service, "--challenger", str(twin), "--json", str(report)) == 0
    found = json.loads(report.read_text())["challenger"]
    assert found["model_version"] == "twin"
    assert found["difference"]["sample_jaccard"] == 0
    quiet = changed_bundle(tmp_path / "quiet.safetensors", version="quiet", floor=0.99)
    assert audit(site, service, "--challenger", str(quiet), "--json", str(report)) == 0
    difference = json.loads(report.read_text())["challenger"]["difference"]
    low, high = difference["interval"]
    assert low <= difference["sample_jaccard"] <= high < 0
    assert "The challenger's sample Jaccard is -" in capsys.readouterr().out


def test_the_bundle_must_be_the_one_that_runs(
    site: StackExchangeServer,
    service: LiveService,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = changed_bundle(tmp_path / "other.safetensors", version="other")
    assert audit(site, service, "--model", str(other), "--store", str(tmp_path)) == 2
    assert "but the bundle is other" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.jsonl"))


def test_answers_that_differ_from_the_bundle_are_reported(
    site: StackExchangeServer,
    service: LiveService,
    starter: TagModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quiet = changed_bundle(tmp_path / "quiet.safetensors", floor=0.99)
    assert audit(site, service, "--model", str(quiet)) == 0
    assert "questions differently than the bundle does" in capsys.readouterr().out


def test_questions_that_are_too_large_are_left_out(
    site: StackExchangeServer, service: LiveService, tmp_path: Path
) -> None:
    site.questions[4]["body"] = "<p>" + "word " * 20_000
    report = tmp_path / "audit.json"
    assert audit(site, service, "--json", str(report)) == 0
    found = json.loads(report.read_text())
    assert (found["questions"], found["too_large"]) == (29, 1)


def test_the_ages_choose_the_days(site: StackExchangeServer, service: LiveService) -> None:
    assert audit(site, service, "--days", "2..4") == 0
    assert len(service.bodies) == 32


@pytest.mark.parametrize("ages", ["0", "9..3", "x", "3-9", "..", "3.."])
def test_impossible_ages_are_refused(ages: str, service: LiveService) -> None:
    with pytest.raises(SystemExit) as stopped:
        audit(StackExchangeServer([]), service, "--days", ages)
    assert stopped.value.code == 2


def test_few_questions_are_not_enough_and_none_is_an_error(
    site: StackExchangeServer, service: LiveService, capsys: pytest.CaptureFixture[str]
) -> None:
    del site.questions[20:]
    assert audit(site, service) == 0
    assert "Not enough questions" in capsys.readouterr().out
    site.questions.clear()
    assert audit(site, service) == 2
    assert "no question of 2026-11-17 to audit" in capsys.readouterr().err


def test_an_invoked_function_gives_the_same_audit(
    site: StackExchangeServer,
    service: LiveService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoke_instead_of_aws(service, monkeypatch)
    (tmp_path / "url").mkdir()
    (tmp_path / "function").mkdir()
    assert audit(site, service, "--store", str(tmp_path / "url")) == 0
    arguments = ["audit", "--site", "cooking", "--base-url", site.url, "--function", ALIAS]
    arguments += ["--date", TODAY.isoformat(), "--store", str(tmp_path / "function")]
    assert main(arguments) == 0
    assert lines_of(tmp_path / "function") == lines_of(tmp_path / "url")
    assert all(json.loads(body)["draft"] is True for body in service.bodies)


def test_the_synonyms_of_the_site_are_fetched(
    site: StackExchangeServer, service: LiveService, tmp_path: Path
) -> None:
    for each in site.questions:
        each["tags"] = ["py-lang" if tag == "python" else tag for tag in each["tags"]]
    site.synonyms = [("python", "py-lang")]
    assert audit(site, service, "--fetch-synonyms", "--store", str(tmp_path)) == 0
    tags = {tag for line in lines_of(tmp_path) for tag in line["final_tags"]}
    assert "python" in tags
    assert "py-lang" not in tags


def test_the_key_may_come_from_the_environment(
    site: StackExchangeServer,
    service: LiveService,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STACK_EXCHANGE_KEY", KEY)
    assert audit(site, service) == 0
    monkeypatch.setenv("STACK_EXCHANGE_KEY", "another")
    assert audit(site, service) == 2
    assert "Check the name of the site and the key" in capsys.readouterr().err


def test_a_store_or_an_address_that_is_not_there(
    site: StackExchangeServer,
    service: LiveService,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit(site, service, "--store", str(tmp_path / "nowhere")) == 2
    assert "is not a folder" in capsys.readouterr().err
    (tmp_path / "audits").write_text("a file in the place of a folder")
    assert audit(site, service, "--store", str(tmp_path)) == 2
    assert "cannot write audits/date=2026-11-20" in capsys.readouterr().err
    service.bodies.clear()
    assert audit(site, service, "--url", "file:///etc/passwd") == 2
    assert "not the address of a service" in capsys.readouterr().err
    assert service.bodies == []


@pytest.mark.parametrize(
    ("synonyms", "tags", "expected"),
    [
        ({"js": "javascript"}, ["javascript"], {"js": "javascript", "javascript": "javascript"}),
        ({"js": "javascript"}, ["js"], {"js": "js", "javascript": "js"}),
        ({"a": "b", "b": "c"}, ["a"], {"a": "a", "b": "a", "c": "a"}),
        ({"a": "b", "b": "a"}, [], {"a": "a", "b": "a"}),
        ({"a": "c", "b": "c"}, ["a", "b"], {"a": "a", "b": "a", "c": "a"}),
        ({"a": "c", "b": "c"}, ["a", "b", "c"], {"a": "c", "b": "c", "c": "c"}),
        ({"a": "b", "c": "d"}, [], {"a": "b", "d": "d", "other": "other"}),
    ],
)
def test_names_of_one_tag(
    synonyms: dict[str, str], tags: list[str], expected: dict[str, str]
) -> None:
    names = TagNames(synonyms, tags)
    assert {tag: names.of(tag) for tag in expected} == expected
