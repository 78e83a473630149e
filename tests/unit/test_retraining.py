import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambda_src.tagger import TagModel
from model_build import retraining
from model_build.__main__ import main
from model_build.corpus import write_questions
from model_build.locations import Location, LocationError
from model_build.retraining import RetrainingError, retrain
from tests.support.invented_corpus import invent
from tests.support.paths import STARTER


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Location:
    folder = tmp_path_factory.mktemp("corpus")
    older, newer = (
        folder / "questions" / "2024" / "01.parquet",
        folder / "questions" / "new.parquet",
    )
    questions = invent(400, 6)
    write_questions(questions[:200], older)
    write_questions(questions[200:], newer)
    return Location(str(folder))


def in_this_process(gate: int) -> object:
    """Run the steps without processes of their own; the gate answers with an exit code."""

    def run(arguments: Sequence[str | Path], accepted: Sequence[int] = (0,)) -> int:
        words = list(map(str, arguments))
        if words[0] == "gate":
            Path(words[words.index("--json") + 1]).write_text("{}")
            assert gate in accepted
            return gate
        assert main([*words, *(["--jobs", "1"] if words[0] == "train" else [])]) == 0
        return 0

    return run


@pytest.mark.parametrize(
    ("gate", "outcome", "says"),
    [
        (0, "candidate", "scripts/release --keep-settings --model candidate.safetensors"),
        (1, "not better", "gate.json says which condition"),
        (3, "not enough questions", "Add newer ones"),
    ],
)
def test_a_run_leaves_a_candidate_with_its_figures_and_says_what_to_do(
    *,
    gate: int,
    outcome: str,
    says: str,
    corpus: Location,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retraining, "_run", in_this_process(gate))
    out = Location(str(tmp_path / "out"))
    result = retrain(corpus, Location(str(STARTER)), out, run="first")
    assert result.outcome == outcome
    assert says in result.message
    assert len(result.subject) < 100  # SNS takes no longer one
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    assert written["message"] == result.message
    candidate = TagModel.load(tmp_path / "out" / "candidate.safetensors", result.model_sha256)
    assert candidate.version == result.model_version
    # The candidate has the options of the champion, and has not seen the newest tenth.
    champion = TagModel.load(STARTER)
    expected = champion.manifest["training"]
    # An older champion does not have every option.
    assert {name: candidate.manifest["training"][name] for name in expected} == expected
    assert candidate.manifest["corpus"]["questions"] == 360
    assert json.loads((tmp_path / "out" / "report.json").read_text())["questions"] == 40
    assert result.figures["sample_jaccard"] > 0.5


def test_a_step_that_fails_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "questions"
    folder.mkdir(parents=True)
    (folder / "broken.parquet").write_bytes(b"no Parquet")
    out = Location(str(tmp_path / "out"))
    with pytest.raises(RetrainingError, match=r"split ended with code 1: .*not a readable Parquet"):
        retrain(Location(str(tmp_path / "corpus")), Location(str(STARTER)), out, run="first")
    assert not (tmp_path / "out").exists()


def test_a_corpus_without_questions_is_an_error(tmp_path: Path) -> None:
    out = Location(str(tmp_path / "out"))
    with pytest.raises(LocationError, match="there is no file"):
        retrain(Location(str(tmp_path / "corpus")), Location(str(STARTER)), out, run="first")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = Location(str(tmp_path / "missing"))
    with pytest.raises(LocationError, match=r"missing: cannot read this"):
        missing.fetch(tmp_path / "copy")
