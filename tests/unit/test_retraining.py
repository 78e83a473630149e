import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from lambda_src.tagger import TagModel
from model_build import retraining
from model_build.__main__ import main
from model_build.corpus import write_questions
from model_build.locations import Location, LocationError
from model_build.retraining import Result, RetrainingError, record, retrain
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


def test_every_folder_of_the_corpus_reaches_the_training(
    corpus: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []

    def run(arguments: Sequence[str | Path], accepted: Sequence[int] = (0,)) -> int:
        words = list(map(str, arguments))
        if words[0] == "split":
            return main(words)
        trained.extend(words)
        raise RetrainingError("train is not run here")

    monkeypatch.setattr(retraining, "_run", run)
    folder = tmp_path / "corpus"
    shutil.copytree(str(corpus), folder)
    options = {name: option for name, option in retraining._FOLDERS.items() if name != "questions"}
    for name in options:
        (folder / name).mkdir()
        (folder / name / f"{name}.txt").write_text("@@ c\n")
    with pytest.raises(RetrainingError, match="not run here"):
        retrain(Location(str(folder)), Location(str(STARTER)), Location(str(tmp_path)), run="first")
    assert len(options) == 6
    for name, option in options.items():
        assert trained[trained.index(option) + 1].endswith(f"{name}.txt")


def test_a_step_that_fails_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "questions"
    folder.mkdir(parents=True)
    (folder / "broken.parquet").write_bytes(b"no Parquet")
    out = Location(str(tmp_path / "out"))
    with pytest.raises(RetrainingError, match=r"split ended with code 2: .*not a readable Parquet"):
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


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A simulated AWS, with a bucket and the table of claims."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="bucket")
        boto3.client("dynamodb").create_table(
            TableName="claims",
            KeySchema=[{"AttributeName": "service", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "service", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield


@pytest.mark.usefixtures("account")
def test_locations_in_s3_are_read_and_written_like_folders(tmp_path: Path) -> None:
    root = Location("s3://bucket/corpus")
    for name in ("questions/b.csv", "questions/a/a.csv"):
        (tmp_path / "file").write_text(name)
        (root / name).store(tmp_path / "file")
    boto3.client("s3").put_object(Bucket="bucket", Key="corpus/questions/", Body=b"")
    found = (root / "questions").fetch_all(tmp_path / "copies")
    assert [path.read_text() for path in found] == ["questions/a/a.csv", "questions/b.csv"]
    assert (root / "partial").fetch_all(tmp_path / "none") == []
    with pytest.raises(LocationError, match="s3://bucket/missing: cannot read this"):
        Location("s3://bucket/missing").fetch(tmp_path / "copy")


@pytest.mark.usefixtures("account")
def test_a_result_is_recorded_only_while_its_run_has_the_claim() -> None:
    result = Result(
        outcome="candidate",
        run="first",
        model_version="1",
        model_sha256="0" * 64,
        model="s3://bucket/candidate.safetensors",
        gate="s3://bucket/gate.json",
        figures={},
        subject="A subject",
        message="A message",
    )
    key = {"service": {"S": "etiquette-dev"}}
    with pytest.raises(LocationError, match="cannot record the result of first"):
        record(result, "claims", "etiquette-dev")
    table = boto3.client("dynamodb")
    table.put_item(TableName="claims", Item=key | {"run": {"S": "first"}})
    record(result, "claims", "etiquette-dev")
    item = table.get_item(TableName="claims", Key=key)["Item"]
    assert {name: value["S"] for name, value in item.items()} == {
        "service": "etiquette-dev",
        "run": "first",
        "outcome": "candidate",
        "subject": "A subject",
        "message": "A message",
    }
