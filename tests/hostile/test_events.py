"""Whatever is in the log, the archive sorts it and the monitor joins it, and neither fails."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.event_archive.lines import sort_lines
from lambda_src.monitor.run import run
from lambda_src.monitor.store import FolderStore
from tests.hostile.cases import CASES, cases
from tests.hostile.texts import JSON_VALUES, encodable, short_texts

DAY: Final = date(2026, 11, 2)
_IDS: Final = st.sampled_from([f"3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3{last}" for last in "abc"])
_TAGS: Final = st.lists(st.sampled_from(["python", "c++", "dictionary", "<b>", "", "\0"]))
_TIMES: Final = st.sampled_from(
    [
        *(
            "2026-11-02T12:00:00.000+00:00",
            "2026-11-02T12:00:00Z",
            "2026-11-02",
            "2026-11-02T23:59",
        ),
        *("2026-11-03T00:30:00+01:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
        *("infinity", "epoch", "now", "20261102T120000Z", "2026-W45-1", "0500-01-01T00:00:00Z"),
    ]
)
_NUMBERS: Final = st.sampled_from(
    [0, 1, 0.5, -1, 1e308, float("nan"), float("inf"), 2**63, 10**400]
)
_PREDICTION: Final[dict[str, st.SearchStrategy[Any]]] = {
    "event_version": st.just(1),
    "event_type": st.just("prediction"),
    "timestamp": _TIMES,
    "prediction_id": _IDS,
    "model_version": st.sampled_from(["2026.11.01-aaaaaaaa", "<script>", "\x1b[2J", "a\nb"]),
    "tags": st.just(["python"]) | _TAGS,
    "confidences": st.just([0.9]) | st.lists(_NUMBERS),
    "top_confidence": st.just(0.9) | _NUMBERS,
    "expected_jaccard": st.just(0.8) | _NUMBERS,
    "known_share": st.just(1.0) | _NUMBERS,
    "quiet_reason": st.none() | short_texts(),
    "terms": st.lists(st.integers(), max_size=3),
    "words": st.just(10) | _NUMBERS,
    "code_share": st.just(0.0) | _NUMBERS,
    "max_tags": st.none() | _NUMBERS,
    "min_confidence": st.none() | _NUMBERS,
    "excluded": st.none() | _NUMBERS,
    "source": st.sampled_from(["single", "batch"]) | short_texts(),
}
_FEEDBACK: Final[dict[str, st.SearchStrategy[Any]]] = {
    "event_version": st.just(1),
    "event_type": st.just("feedback"),
    "timestamp": _TIMES,
    "prediction_id": _IDS,
    "accepted": st.none() | _TAGS,
    "final_tags": st.none() | _TAGS,
    "unknown_tags": st.none() | _TAGS,
    "authenticated": st.booleans() | short_texts(),
}


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of the log: an event with up to three wrong fields, or anything else."""
    kind = draw(st.sampled_from([_PREDICTION, _PREDICTION, _FEEDBACK, None]))
    if kind is None:
        return draw(short_texts() | JSON_VALUES.map(json.dumps))
    event = draw(st.fixed_dictionaries(kind))
    for name in draw(st.lists(st.sampled_from(sorted(kind)), max_size=3)):
        event[name] = draw(JSON_VALUES)
    return json.dumps(event, ensure_ascii=draw(st.booleans()))


LINES: Final = st.lists(lines(), max_size=12)


@cases(200)
@given(lines=LINES, received=st.integers(0, 2**41))
def test_the_archive_sorts_any_lines(lines: list[str], received: int) -> None:
    CASES["archive lines"] += len(lines)
    found = sort_lines([{"message": line, "timestamp": received} for line in lines])
    kept = [content for key, content in found.files.items() if key.startswith("events/")]
    n_kept = sum(content.count(b"\n") for content in kept)
    assert n_kept + found.n_set_aside == len(lines)
    for key, content in found.files.items():
        # Athena and the monitor find the day in the key.
        date.fromisoformat(key.split("/")[1].removeprefix("date="))
        for line in content.decode().removesuffix("\n").split("\n"):
            json.loads(line)


@cases(20)
@given(lines=LINES)
def test_the_monitor_joins_any_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    CASES["joined lines"] += len(lines)
    folder = tmp_path_factory.mktemp("store")
    _write(folder, lines)
    outcome = run(FolderStore(folder), DAY, memory_mb=256, threads=1)
    for day in outcome.days:
        json.loads(json.dumps(day, allow_nan=False))
        n_lines = sum(bool(line.strip()) for text in lines for line in encodable(text).split("\n"))
        assert sum(each["predictions"] for each in day["models"].values()) <= n_lines
    for page in folder.glob("reports/*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script>" not in text
        assert "\0" not in text
        assert "\x1b" not in text


def _write(folder: Path, lines: list[str]) -> None:
    path = folder / "events" / f"date={DAY}" / "12-hostile.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{encodable(line)}\n" for line in lines), encoding="utf-8")
