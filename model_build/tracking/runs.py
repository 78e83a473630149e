"""MLflow runs of trainings and comparisons. Needs MLflow; see `mlflow_process`."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run
from mlflow.utils.mlflow_tags import (
    MLFLOW_DATASET_CONTEXT,
    MLFLOW_GIT_COMMIT,
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_RUN_NOTE,
)

from lambda_src.tagger.bundle import Bundle, read_bundle
from model_build.tracking.record_files import FACTS, RELIABILITY

EXPERIMENT: Final = os.environ.get("MLFLOW_EXPERIMENT_NAME", "etiquette")
SHA256: Final = "bundle_sha256"
"""The tag of runs and of model versions that names the bundle."""
KIND: Final = "kind"
"""The tag of runs: ``training``, ``fold``, ``comparison`` or ``candidate``."""
BUNDLE_FOLDER: Final = "bundle"
"""The folder of a run's artifacts that holds the bundle."""

_MODEL_TRAINING: Final = {"mlflow.experimentKind": "custom_model_development"}
"""The tag of an experiment. Without it, MLflow's pages show what they have for language models."""
_DIGEST_CHARACTERS: Final = 36
"""MLflow allows no longer digest of a dataset."""
_HEADLINES: Final = (
    "sample_jaccard",
    "sample_f1",
    "macro_f1",
    "precision_at_1",
    "recall_at_5",
    "prediction_rate",
    "ece",
)


def record_training(bundle: str, record: str | None, report: str | None) -> dict[str, Any]:
    """Record a training as a run, with a nested run for each fold.

    Parameters
    ----------
    bundle : str
        The bundle file.
    record : str or None
        The folder that the training wrote beside it; without one, the run has only what the bundle
        itself says.
    report : str or None
        A report of ``python -m model_build evaluate``, which is added to the run.

    Returns
    -------
    dict
        ``run_id``, ``run_name``, and ``is_new``: whether this call created the run.
    """
    read = read_bundle(bundle)
    run = find_training(read.sha256)
    is_new = run is None
    if run is None:
        run = _create_training(read, Path(bundle), Path(record) if record else None)
    if report:
        _add_report(run.info.run_id, Path(report))
    return {"run_id": run.info.run_id, "run_name": run.info.run_name, "is_new": is_new}


def record_comparison(folder: str) -> dict[str, Any]:
    """Record a comparison as a run, with a nested run for each candidate.

    Parameters
    ----------
    folder : str
        What ``python -m model_build compare`` wrote.

    Returns
    -------
    dict
        ``run_id`` and ``run_name``.
    """
    place = Path(folder)
    result = json.loads((place / "comparison.json").read_text(encoding="utf-8"))
    client = MlflowClient()
    table = (place / "comparison.md").read_text(encoding="utf-8")
    selected = result["candidates"][0]
    note = (
        f"**{selected['name']}** was selected on {result['validation_questions']:,} questions "
        f"({result['validation']}).\n\n{table}"
    )
    tags = {KIND: "comparison", "selected": selected["name"], MLFLOW_RUN_NOTE: note}
    started = time.time() - sum(each["train_seconds"] for each in result["candidates"])
    run = create_run(f"comparison of {len(result['candidates'])}", tags, started=started)
    settings = ("files", "training_questions", "validation_questions", "validation")
    with marked_as_failed(run):
        shared = {name: result[name] for name in settings}
        log(run, _candidate_metrics(selected), {**shared, "min_tag_count": result["min_tag_count"]})
        for each in result["candidates"]:
            _log_candidate(run, each, started)
        for name in ("comparison.json", "comparison.md", "pareto.png"):
            client.log_artifact(run.info.run_id, str(place / name))
    client.set_terminated(run.info.run_id, "FINISHED")
    return {"run_id": run.info.run_id, "run_name": run.info.run_name}


def _log_candidate(parent: Run, candidate: Mapping[str, Any], started: float) -> None:
    tags = {KIND: "candidate"}
    if "bundle_sha256" in candidate:
        tags[SHA256] = candidate["bundle_sha256"]
    run = create_run(candidate["name"], tags, started=started, parent=parent.info.run_id)
    log(run, _candidate_metrics(candidate), _flat(candidate["options"]))
    ended = round((started + candidate["train_seconds"]) * 1_000)
    MlflowClient().set_terminated(run.info.run_id, "FINISHED", end_time=ended)


def _candidate_metrics(candidate: Mapping[str, Any]) -> list[Metric]:
    intervals = candidate["intervals"]
    figures = {
        name: [value, *intervals.get(name, ())]
        for name, value in candidate.items()
        if isinstance(value, float)
    }
    return metrics_of(figures)


def find_training(sha256: str) -> Run | None:
    """Find the newest complete run that recorded a bundle."""
    experiment = MlflowClient().get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return None
    found = MlflowClient().search_runs(
        [experiment.experiment_id],
        f"tags.{SHA256} = '{sha256}' and tags.{KIND} = 'training' and "
        "attributes.status = 'FINISHED'",
        max_results=1,
    )
    return found[0] if found else None


def experiment_id() -> str:
    """Return the experiment's identifier; create it if it does not exist."""
    experiment = MlflowClient().get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return str(experiment.experiment_id)
    uri = mlflow.get_tracking_uri()
    # A server knows its own place for artifacts. A local database's default is a folder of the
    # current directory; ours is beside the database.
    place = None
    if uri.startswith("sqlite:///"):
        database = Path(uri.removeprefix("sqlite:///")).resolve()
        place = (database.parent / "artifacts").as_uri()
    return str(
        MlflowClient().create_experiment(EXPERIMENT, artifact_location=place, tags=_MODEL_TRAINING)
    )


def _create_training(bundle: Bundle, path: Path, record: Path | None) -> Run:
    manifest = bundle.manifest
    facts: dict[str, Any] = {}
    if record is not None and (record / FACTS).exists():
        facts = json.loads((record / FACTS).read_text(encoding="utf-8"))
        if facts["bundle_sha256"] != bundle.sha256:
            raise LookupError(
                f"{record / FACTS} belongs to another bundle. Train {path.name} again with --track,"
                " or remove this folder to record what the bundle itself says."
            )
    code = facts.get("code", {})
    finished = facts.get("finished", time.time())
    seconds = facts.get("seconds", {})
    tags = {
        KIND: "training",
        SHA256: bundle.sha256,
        "model_version": manifest["version"],
        "analyzer_version": str(manifest["analyzer_version"]),
        MLFLOW_RUN_NOTE: _note(manifest, facts),
    }
    if code.get("commit"):
        tags |= {MLFLOW_GIT_COMMIT: code["commit"], "uncommitted_changes": str(code["dirty"])}
    if "corpus_fingerprint" in facts:
        tags["corpus_fingerprint"] = facts["corpus_fingerprint"]
    run = create_run(manifest["version"], tags, started=finished - sum(seconds.values()))
    metrics = [
        *metrics_of(facts.get("metrics", {})),
        *(metric for kind in manifest["quality"]["questions"] for metric in _of_kind(kind)),
        *(metric for year in manifest["quality"]["years"] for metric in _of_year(year)),
        *(metric for kind in manifest["quality"]["tags"] for metric in _of_tags(kind)),
        *(Metric(f"seconds/{_key(stage)}", each, _now(), 0) for stage, each in seconds.items()),
        Metric("bundle_megabytes", path.stat().st_size / 1e6, _now(), 0),
        Metric("tags", len(manifest["tags"]), _now(), 0),
    ]
    client = MlflowClient()
    with marked_as_failed(run):
        log(run, metrics, _parameters(manifest, facts.get("options", {})))
        _log_corpus(run, manifest["corpus"], facts.get("corpus_fingerprint"))
        for number, fold in enumerate(facts.get("folds", []), start=1):
            _log_fold(run, number, len(facts["folds"]), fold)
        if record is not None and record.is_dir():
            for name in (FACTS, RELIABILITY):
                if (record / name).exists():
                    client.log_artifact(run.info.run_id, str(record / name))
        client.log_dict(run.info.run_id, dict(manifest), "manifest.json")
        client.log_artifact(run.info.run_id, str(path), BUNDLE_FOLDER)
    client.set_terminated(run.info.run_id, "FINISHED", end_time=round(finished * 1_000))
    return client.get_run(run.info.run_id)


@contextmanager
def marked_as_failed(run: Run) -> Iterator[None]:
    """Mark a run as failed if the block does not end, so that it is recorded again later."""
    try:
        yield
    except BaseException:
        MlflowClient().set_terminated(run.info.run_id, "FAILED")
        raise


def create_run(
    name: str, tags: Mapping[str, str], *, started: float, parent: str | None = None
) -> Run:
    """Create a run that began at a time in seconds since 1970, inside another run if it has one."""
    nested = {MLFLOW_PARENT_RUN_ID: parent} if parent else {}
    return MlflowClient().create_run(
        experiment_id(), round(started * 1_000), {**tags, **nested}, run_name=name
    )


def log(run: Run, metrics: Sequence[Metric], parameters: Mapping[str, Any]) -> None:
    """Add metrics and parameters to a run, in as few requests as MLflow allows."""
    client, run_id = MlflowClient(), run.info.run_id
    for start in range(0, len(metrics), 1_000):
        client.log_batch(run_id, metrics=metrics[start : start + 1_000])
    params = [Param(name, str(value)) for name, value in parameters.items()]
    for start in range(0, len(params), 100):
        client.log_batch(run_id, params=params[start : start + 100])


def metrics_of(figures: Mapping[str, Sequence[float]], group: str = "") -> list[Metric]:
    """Make metrics of values with the ends of their intervals: ``[value, low, high]``.

    The ends are metrics of their own, in a group of their own: MLflow shows a chart for each
    metric, group by group in the order of the names.
    """
    now, made = _now(), []
    for name, (value, *ends) in figures.items():
        made.append(Metric(f"{group}{name}", value, now, 0))
        for end, bound in zip(("low", "high"), ends, strict=False):
            made.append(Metric(f"uncertainty/{group.replace('/', '.')}{name}.{end}", bound, now, 0))
    return made


def _of_kind(card: Mapping[str, Any]) -> list[Metric]:
    figures = {name: value for name, value in card.items() if isinstance(value, list)}
    group = f"{_key(card['kind'])}/"
    return [*metrics_of(figures, group), Metric(f"{group}questions", card["questions"], _now(), 0)]


def _of_year(card: Mapping[str, Any]) -> list[Metric]:
    """Make metrics whose step is the year, so that a chart has the years from left to right."""
    return [
        Metric(f"by_year/{name}", value[0], _now(), card["year"])
        for name, value in card.items()
        if isinstance(value, list)
    ]


def _of_tags(card: Mapping[str, Any]) -> list[Metric]:
    return [
        Metric(f"{card['kind']}_tags/{name}", card[name], _now(), 0)
        for name in ("tags", "precision", "recall")
    ]


def _log_fold(parent: Run, number: int, of: int, fold: Mapping[str, Any]) -> None:
    tags = {KIND: "fold"}
    run = create_run(
        f"fold {number} of {of}",
        tags,
        started=parent.info.start_time / 1_000,
        parent=parent.info.run_id,
    )
    metrics = [Metric(name, value, _now(), 0) for name, value in fold["metrics"].items()]
    log(run, [*metrics, Metric("questions", fold["questions"], _now(), 0)], {"fold": number})
    MlflowClient().set_terminated(run.info.run_id, "FINISHED")


def _log_corpus(run: Run, corpus: Mapping[str, Any], fingerprint: str | None) -> None:
    files = ", ".join(corpus.get("files", []))
    digest = (fingerprint or "unknown")[:_DIGEST_CHARACTERS]
    source = CodeDatasetSource(tags={"files": files})
    described = MetaDataset(source=source, name=files or "corpus", digest=digest).to_dict()
    dataset = Dataset(
        name=described["name"],
        digest=described["digest"],
        source_type=described["source_type"],
        source=described["source"],
    )
    context = InputTag(key=MLFLOW_DATASET_CONTEXT, value="training")
    MlflowClient().log_inputs(run.info.run_id, [DatasetInput(dataset, [context])])


def _parameters(manifest: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    corpus = manifest["corpus"]
    return {
        **_flat(manifest["training"]),
        **options,
        "corpus.files": ", ".join(corpus.get("files", [])),
        "corpus.questions": corpus["questions"],
        "corpus.with_bodies": corpus["with_bodies"],
        "corpus.dates": " to ".join(corpus["dates"]) or "none",
        **{f"library.{name}": version for name, version in manifest["libraries"].items()},
    }


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in options.items():
        inner = value if isinstance(value, dict) else None
        flat |= {f"{name}.{key}": each for key, each in inner.items()} if inner else {name: value}
    return flat


def _add_report(run_id: str, path: Path) -> None:
    report = json.loads(path.read_text(encoding="utf-8"))
    figures = {
        name: [value, *report["intervals"].get(name, ())]
        for name, value in report.items()
        if isinstance(value, float)
    }
    client = MlflowClient()
    client.log_batch(run_id, metrics=metrics_of(figures, "held_out/"))
    client.set_tag(run_id, "held_out_files", ", ".join(report["files"]))
    client.log_artifact(run_id, str(path))


def _note(manifest: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Describe a model in Markdown, which MLflow shows on top of the run's page."""
    corpus = manifest["corpus"]
    lines = [
        f"**{len(manifest['tags']):,} tags**, learned from {corpus['questions']:,} questions"
        f" ({', '.join(corpus.get('files', [])) or 'files unknown'}).",
    ]
    figures = {
        name: facts["metrics"][name] for name in _HEADLINES if name in facts.get("metrics", {})
    }
    if figures:
        # Not a table: MLflow's pages leave no space between its columns.
        lines += ["", "Out of fold, with 95 % intervals:", ""]
        for name, (value, low, high) in figures.items():
            lines.append(f"- `{name}` {value:.3f} ({low:.3f} to {high:.3f})")
    return "\n".join(lines)


def _key(words: str) -> str:
    """Make a name of a metric from words: ``titles alone`` becomes ``titles_alone``."""
    return words.replace(" ", "_")


def _now() -> int:
    return round(time.time() * 1_000)
