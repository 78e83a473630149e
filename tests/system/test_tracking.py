"""Trainings, registrations and releases from the registry, with a real MLflow server."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from lambda_src.api.schemas import PredictRequest
from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.commands.tracking import record_or_warn
from model_build.corpus import write_questions
from model_build.questions import Question
from model_build.tracking.environment import PYTHON, call
from model_build.tracking.record_files import record_folder
from scripts.emulator.deployment import Deployment
from scripts.emulator.local_aws import LocalAws
from scripts.releasing import registered_models
from scripts.releasing.errors import ReleaseError
from scripts.releasing.registered_models import RegisteredModel, move_champion
from tests.support.faulty_link import faulty_link
from tests.support.paths import ROOT
from tests.system.faults import ALL_FAULTS
from tests.system.mlflow_processes import model_server, tracking_server

Figures = dict[str, float]


@dataclasses.dataclass
class Tracked:
    """A model that was trained with `--track`, and the server that recorded it."""

    url: str
    bundle: Path
    model: TagModel

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.bundle.read_bytes()).hexdigest()

    def get(self, path: str, **query: str) -> Any:
        return self._json(httpx2.get(f"{self.url}/api/2.0/mlflow/{path}", params=query))

    def runs(self, condition: str) -> list[Any]:
        experiment = self.get("experiments/get-by-name", experiment_name="etiquette")
        body = {
            "experiment_ids": [experiment["experiment"]["experiment_id"]],
            "filter": condition,
        }
        found = self._json(httpx2.post(f"{self.url}/api/2.0/mlflow/runs/search", json=body))
        return list(found.get("runs", []))

    def version(self, alias: str) -> Any:
        found = self.get("registered-models/alias", name="etiquette", alias=alias)
        return found["model_version"]

    @staticmethod
    def _json(answer: httpx2.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


def values(run: Any, kind: str) -> dict[str, Any]:
    """The metrics, parameters or tags of a run, by their names."""
    return {each["key"]: each["value"] for each in run["data"].get(kind, [])}


def train(questions: Path, bundle: Path, uri: str) -> int:
    options = ["--questions", str(questions), "--out", str(bundle), "--jobs", "1"]
    return main(["train", *options, "--min-tag-count", "8", "--track", uri])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, samples: list[Question]) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "samples.parquet"
    write_questions(samples, path)
    return path


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Iterator[Tracked]:
    if not PYTHON.exists():
        pytest.skip("MLflow is not installed: run scripts/setup tracking")
    folder = tmp_path_factory.mktemp("tracking")
    bundle = folder / "model.safetensors"
    with tracking_server(folder) as url:
        assert train(corpus, bundle, url) == 0
        tracked = Tracked(url, bundle, TagModel.load(bundle))
        register = ["--bundle", str(bundle), "--alias", "challenger", "--uri", url]
        assert main(["register", *register]) == 0
        yield tracked


def test_a_training_is_a_run_with_figures_intervals_and_files(tracked: Tracked) -> None:
    [run] = tracked.runs(f"tags.bundle_sha256 = '{tracked.sha256}'")
    assert run["info"]["run_name"] == tracked.model.version
    metrics = values(run, "metrics")
    for name in ("sample_jaccard", "sample_f1", "macro_f1", "precision_at_1", "recall_at_5"):
        low, high = (metrics[f"uncertainty/{name}.{end}"] for end in ("low", "high"))
        assert low <= metrics[name] <= high
    assert metrics["seconds/regressions"] > 0
    assert metrics["bundle_megabytes"] == pytest.approx(tracked.bundle.stat().st_size / 1e6)
    parameters = values(run, "params")
    assert parameters["min_tag_count"] == "8"
    assert parameters["corpus.files"] == "samples.parquet"
    [dataset] = run["inputs"]["dataset_inputs"]
    fingerprint = values(run, "tags")["corpus_fingerprint"]
    assert dataset["dataset"]["digest"] == fingerprint[:36]
    found = tracked.get("artifacts/list", run_id=run["info"]["run_id"])
    names = {each["path"] for each in found["files"]}
    assert names >= {"bundle", "reliability.png", "run.json", "manifest.json"}


def test_each_fold_is_a_run_inside_the_run_of_the_training(tracked: Tracked) -> None:
    [run] = tracked.runs("tags.kind = 'training'")
    folds = tracked.runs("tags.kind = 'fold'")
    assert len(folds) == 5
    parents = {values(fold, "tags")["mlflow.parentRunId"] for fold in folds}
    assert parents == {run["info"]["run_id"]}
    jaccards = [values(fold, "metrics")["sample_jaccard"] for fold in folds]
    whole = values(run, "metrics")["sample_jaccard"]
    assert min(jaccards) <= whole <= max(jaccards)


@pytest.mark.faults
def test_a_server_that_is_away_loses_no_training(
    tracked: Tracked, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "later.safetensors"
    assert train(corpus, bundle, "http://127.0.0.1:9") == 0
    assert TagModel.load(bundle).tags == tracked.model.tags
    warning = capsys.readouterr().err
    assert "cannot be reached" in warning
    assert f"track --bundle {bundle}" in warning
    record = json.loads((tmp_path / "later.run" / "run.json").read_text())
    assert record["bundle_sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    store = f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"
    assert main(["track", "--bundle", str(bundle), "--uri", store]) == 0
    assert "recorded on" in capsys.readouterr().out


@pytest.mark.faults
@pytest.mark.parametrize("answered", [1, 2_000, 4_000, 8_000, 16_000] if ALL_FAULTS else [4_000])
def test_a_server_that_dies_loses_no_training(
    tracked: Tracked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answered: int,
) -> None:
    # In this experiment, the training is not recorded yet.
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", f"faults-{answered}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    bundle = tmp_path / "model.safetensors"
    shutil.copy(tracked.bundle, bundle)
    shutil.copytree(record_folder(tracked.bundle), record_folder(bundle))
    host, _, port = tracked.url.removeprefix("http://").partition(":")
    with faulty_link(host, int(port)) as link:
        link.dies_after = answered
        record_or_warn(bundle, f"http://{link.address}")
    warning = capsys.readouterr().err
    assert f"http://{link.address}: the server cannot be reached" in warning
    assert f"The model is complete: {bundle}. Its run was not recorded." in warning
    assert "Traceback" not in warning
    assert main(["track", "--bundle", str(bundle), "--uri", tracked.url]) == 0
    assert ") recorded on" in capsys.readouterr().out


def test_a_bundle_is_registered_once_and_without_a_pickle(
    tracked: Tracked, capsys: pytest.CaptureFixture[str]
) -> None:
    register = ["--bundle", str(tracked.bundle), "--uri", tracked.url]
    assert main(["register", *register]) == 0
    assert "registered before" in capsys.readouterr().out
    version = tracked.version("challenger")
    tags = {each["key"]: each["value"] for each in version["tags"]}
    assert version["version"] == "1"
    assert tags["bundle_sha256"] == tracked.sha256
    assert tags["model_version"] == tracked.model.version
    [run] = tracked.runs(f"tags.bundle_sha256 = '{tracked.sha256}' and tags.kind = 'training'")
    assert version["run_id"] == run["info"]["run_id"]
    stored = [path.name for path in (tracked.bundle.parent / "artifacts").rglob("*")]
    assert "pyfunc_flavour.py" in stored
    assert not [name for name in stored if name.endswith((".pkl", ".pickle", ".joblib"))]


def test_mlflow_serves_the_tags_of_the_service(
    tracked: Tracked, samples: list[Question], tmp_path: Path
) -> None:
    texts = [f"{each.title}\n{each.body}" for each in samples[:50]]
    with model_server("models:/etiquette@challenger", tracked.url, tmp_path) as url:
        rows = [*({"text": text} for text in texts), {"title": "git rebase", "body": ""}]
        answer = httpx2.post(
            f"{url}/invocations", json={"dataframe_records": rows}, timeout=60
        ).json()["predictions"]
        limited = httpx2.post(
            f"{url}/invocations",
            json={"dataframe_records": rows, "params": {"max_tags": 1}},
            timeout=60,
        ).json()["predictions"]
    for row, served, one in zip(rows, answer, limited, strict=True):
        title, body = PredictRequest.model_validate(row).title_and_body()
        expected = tracked.model.suggest(title, body).suggestions
        assert served["predicted_tags"] == [each.tag for each in expected]
        assert served["confidences"] == pytest.approx([each.confidence for each in expected])
        assert len(one["predicted_tags"]) <= 1
    assert any(served["predicted_tags"] for served in answer)


@pytest.fixture
def _registry(tracked: Tracked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked.url)
    monkeypatch.setattr(registered_models, "_FOLDER", tmp_path / "registered")


@pytest.mark.usefixtures("_registry")
@pytest.mark.parametrize("model", ["models:/etiquette@challenger", "models:/etiquette/1"])
def test_a_release_gets_the_registered_file(tracked: Tracked, model: str) -> None:
    found = RegisteredModel.download(model)
    assert found.path.read_bytes() == tracked.bundle.read_bytes()
    assert (found.name, found.version) == ("etiquette", "1")


@pytest.mark.usefixtures("_registry")
def test_a_release_refuses_another_file_than_the_registered_one(tracked: Tracked) -> None:
    artifacts = tracked.bundle.parent / "artifacts"
    [stored] = artifacts.rglob("models/*/artifacts/artifacts/model.safetensors")
    kept = stored.with_suffix(".kept")
    shutil.copy(stored, kept)
    stored.write_bytes(b"no bundle at all")
    try:
        with pytest.raises(ReleaseError, match=r"its SHA-256 is \w+, but \w+ was asked for"):
            RegisteredModel.download("models:/etiquette@challenger")
    finally:
        kept.replace(stored)


@pytest.mark.usefixtures("_registry")
def test_a_release_names_an_alias_that_does_not_exist() -> None:
    with pytest.raises(ReleaseError, match="nobody"):
        RegisteredModel.download("models:/etiquette@nobody")


@pytest.mark.usefixtures("_registry")
def test_champion_follows_what_is_live(tracked: Tracked) -> None:
    class Live:
        target = SimpleNamespace(stack="etiquette-dev")

        def live(self) -> Any:
            return SimpleNamespace(version=7)

        def versions(self) -> list[Any]:
            return [
                SimpleNamespace(number=7, model_sha256=tracked.sha256),
                SimpleNamespace(number=6, model_sha256="another"),
            ]

    move_champion(Live(), None)  # type: ignore[arg-type]
    champion = tracked.version("champion")
    assert champion["version"] == "1"
    tags = {each["key"]: each["value"] for each in champion["tags"]}
    assert tags["release.etiquette-dev"].startswith("version 7, live since")


def test_a_release_from_the_registry_on_the_emulator_moves_live_and_champion(
    tracked: Tracked, aws: LocalAws
) -> None:
    own_aws = LocalAws.start("registry-test", engine=aws.engine.name)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.release_commands", "release", "--yes",
             "--environment", "emulator", "--emulator", own_aws.name,
             "--model", "models:/etiquette@challenger"],
            cwd=ROOT,
            env=os.environ | {"MLFLOW_TRACKING_URI": tracked.url},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        health = Deployment.read(own_aws).call("/health")
    finally:
        own_aws.stop()
    assert json.loads(health.body)["model_sha256"] == tracked.sha256
    champion = tracked.version("champion")
    tags = {each["key"]: each["value"] for each in champion["tags"]}
    assert tags["bundle_sha256"] == tracked.sha256
    assert tags["release.etiquette-emulator"].startswith("version 1, live since")


def test_a_bundle_that_is_not_registered_leaves_champion_where_it_is(tracked: Tracked) -> None:
    arguments = {"release": "etiquette-dev", "facts": "version 8", "name": None}
    assert call("follow_release", tracked.url, sha256="0" * 64, **arguments)["name"] is None


def test_a_decision_of_the_gate_is_a_tag_of_the_run_and_of_the_version(
    tracked: Tracked, corpus: Path, tmp_path: Path
) -> None:
    models = ["--champion", str(tracked.bundle), "--challenger", str(tracked.bundle)]
    questions = ["--questions", str(corpus), "--corpus", str(corpus), "--any-date"]
    written = tmp_path / "gate.json"
    options = [*models, *questions, "--json", str(written), "--track", tracked.url]
    # Every question is in the corpus, so none is left.
    assert main(["gate", *options]) == 3
    version = tracked.version("challenger")
    tags = {each["key"]: each["value"] for each in version["tags"]}
    assert tags["gate"] == "not enough questions"
    run = tracked.get("runs/get", run_id=version["run_id"])["run"]
    assert values(run, "tags")["gate_champion"] == tracked.model.version
    files = tracked.get("artifacts/list", run_id=version["run_id"])["files"]
    assert "gate.json" in {each["path"] for each in files}


def test_a_comparison_is_a_run_with_a_run_for_each_candidate(
    tracked: Tracked, corpus: Path, tmp_path: Path
) -> None:
    options = ["--questions", str(corpus), "--out", str(tmp_path), "--track", tracked.url]
    few = ["--candidates", "no-pairs", "--min-tag-count", "8", "--jobs", "1"]
    assert main(["compare", *options, *few]) == 0
    [comparison] = tracked.runs("tags.kind = 'comparison'")
    [candidate] = tracked.runs("tags.kind = 'candidate'")
    assert values(comparison, "tags")["selected"] == candidate["info"]["run_name"] == "no-pairs"
    parent = values(candidate, "tags")["mlflow.parentRunId"]
    assert parent == comparison["info"]["run_id"]
    result = json.loads((tmp_path / "comparison.json").read_text())["candidates"][0]
    assert values(candidate, "metrics")["sample_jaccard"] == result["sample_jaccard"]
    files = tracked.get("artifacts/list", run_id=comparison["info"]["run_id"])["files"]
    assert "pareto.png" in {each["path"] for each in files}
