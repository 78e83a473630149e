import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.corpus import CorpusError, write_questions
from model_build.questions import Question
from model_build.scoring import ScoringError, score
from tests.support.paths import STARTER


def rows_of(folder: Path) -> list[dict[str, object]]:
    parts = sorted(folder.glob("part-*.parquet"))
    rows: list[dict[str, object]] = pa.concat_tables(map(pq.read_table, parts)).to_pylist()
    return rows


@pytest.fixture
def archive(tmp_path: Path, samples: list[Question]) -> Path:
    path = tmp_path / "archive.parquet"
    write_questions(samples, path)
    return path


def test_an_archive_gets_the_answers_of_the_model(
    archive: Path, tmp_path: Path, samples: list[Question], starter: TagModel
) -> None:
    found = score(STARTER, [archive], tmp_path / "out", jobs=1, part_questions=10)
    rows = rows_of(tmp_path / "out")
    assert found.questions == len(rows) == len(samples)
    for row, question in zip(rows, samples, strict=True):
        answer = starter.suggest(question.title, question.body, body_format=question.body_format)
        assert row["tags"] == [each.tag for each in answer.suggestions]
        assert row["confidences"] == pytest.approx([each.confidence for each in answer.suggestions])
        assert row["top_confidence"] == pytest.approx(answer.top_confidence)
        assert row["expected_jaccard"] == pytest.approx(answer.expected_jaccard)
        assert row["quiet_reason"] == answer.quiet_reason
    assert [row["row"] for row in rows] == list(range(1, len(rows) + 1))


def test_two_processes_write_the_parts_of_one(archive: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        score(STARTER, [archive], tmp_path / str(jobs), jobs=jobs, part_questions=20)
    assert rows_of(tmp_path / "1") == rows_of(tmp_path / "2")


def test_a_stopped_run_goes_on_with_the_parts_that_are_missing(
    archive: Path, tmp_path: Path, samples: list[Question]
) -> None:
    out = tmp_path / "out"
    score(STARTER, [archive], out, jobs=1, part_questions=10)
    expected = rows_of(out)
    parts = sorted(out.glob("part-*.parquet"))
    parts[1].unlink()
    kept = {part: part.stat().st_mtime_ns for part in parts if part.exists()}
    (out / f".{parts[1].name}.999").write_bytes(b"half a part of a process that was killed")
    found = score(STARTER, [archive], out, jobs=1, part_questions=10)
    assert (found.questions, found.parts, found.parts_before) == (10, 1, len(parts) - 1)
    assert rows_of(out) == expected
    assert {part: part.stat().st_mtime_ns for part in kept} == kept


def test_rows_that_are_no_questions_are_kept_apart_and_tags_are_not_needed(tmp_path: Path) -> None:
    lines = [
        {"id": 7, "title": "How do I merge two dictionaries in Python?", "score": "many"},
        {"id": 8, "title": ""},
        {"id": 9, "title": "Undo a commit in git", "body": "I pushed it already.", "tags": []},
    ]
    archive = tmp_path / "archive.jsonl"
    archive.write_text("".join(json.dumps(line) + "\n" for line in lines) + "no JSON\n")
    out = tmp_path / "out"
    found = score(STARTER, [archive], out, jobs=1)
    assert found.questions == 2
    assert [(row["id"], row["row"]) for row in rows_of(out)] == [(7, 1), (9, 3)]
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert [each["row"] for each in rejects] == [2, 4]


def test_results_of_another_run_are_not_mixed_with_new_ones(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    score(STARTER, [archive], out, jobs=1)
    other = tmp_path / "other.jsonl"
    other.write_text('{"title": "Undo a commit in git"}\n')
    with pytest.raises(ScoringError, match="files differ"):
        score(STARTER, [other], out, jobs=1)


def test_an_archive_without_questions_is_an_error(tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    archive.write_text('{"title": ""}\n')
    with pytest.raises(CorpusError, match="there is no question"):
        score(STARTER, [archive], tmp_path / "out", jobs=1)


def test_the_command_prints_what_it_did(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["score", "--model", str(STARTER), "--questions", str(archive)]
    command += ["--out", str(tmp_path / "out"), "--jobs", "1"]
    assert main(command) == 0
    assert "questions per second of a core" in capsys.readouterr().out
    assert main(command) == 0
    assert "1 parts were there before" in capsys.readouterr().out
