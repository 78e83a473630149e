"""The models that `scripts/bench serving` compares. They are trained once and kept."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import joblib

from lambda_src.tagger import TagModel
from model_build.bundle_writer import write_bundle
from model_build.corpus import Rejects, read_corpus
from model_build.features import FeatureOptions
from model_build.questions import Question
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.training import PRUNE, TrainingOptions, choose_tags, fit
from scripts.benchmarks.baseline_service.models import BaselineModel, TunedBaselineModel, plain
from scripts.benchmarks.paths import CACHE
from scripts.shared.paths import ROOT

MIN_TAG_COUNT: Final = 20
# More terms than by default: 200,000 and more from 40,000 questions.
FEATURES: Final = FeatureOptions(min_word_count=2, min_pair_count=2)
SMALL_TAGS: Final = 50
SMALL_TERMS: Final = 20_000
QUICK_QUESTIONS: Final = 3_000
_BASELINE_CODE: Final = Path(__file__).with_name("baseline_service") / "models.py"


class ServedModels(NamedTuple):
    """The files of the models."""

    bundle: Path
    baseline: Path
    tuned: Path
    small: Path
    """A baseline with 50 tags for cold starts: loading all tags would take a second longer."""


def read(path: Path, *, quick: bool) -> list[Question]:
    """Read the questions, or only some of them if `quick`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "serving.rejects.jsonl") as rejects:
        questions = read_corpus([path], rejects)
    return questions[:QUICK_QUESTIONS] if quick else questions


def served_models(questions: Sequence[Question], path: Path, bundle: Path | None) -> ServedModels:
    """Train the models that are missing.

    The baselines are trained in a process of their own, which returns its memory when it ends.

    Parameters
    ----------
    questions
        The training questions.
    path
        The file that they were read from.
    bundle
        Serve this bundle instead of training one.
    """
    corpus = f"{_digest([path])}-{len(questions)}"
    baselines = CACHE / f"serving-{corpus}-{_digest([_BASELINE_CODE])}"
    code = [*(ROOT / "lambda_src/tagger").glob("*.py"), *(ROOT / "model_build").glob("*.py")]
    own = CACHE / f"serving-{corpus}-{_digest(sorted(code))}.safetensors"
    if bundle is None and not own.is_file():
        _say(f"training a bundle on {len(questions)} questions")
        _train_bundle(questions, own)
    if not (baselines / "small.joblib").is_file():
        _say(f"training the baselines on {len(questions)} questions")
        arguments = [str(path), str(len(questions)), str(baselines)]
        command = [sys.executable, "-m", __spec__.name, *arguments]
        subprocess.run(command, check=True, cwd=ROOT)
    names = ("baseline", "tuned", "small")
    return ServedModels(bundle or own, *(baselines / f"{name}.joblib" for name in names))


def manifest_of(bundle: Path) -> Mapping[str, Any]:
    """Return the manifest of a bundle."""
    return TagModel.load(bundle).manifest


def _train_bundle(questions: Sequence[Question], bundle: Path) -> None:
    options = TrainingOptions(min_tag_count=MIN_TAG_COUNT, features=FEATURES, prune=PRUNE)
    fitted = fit(questions, options, read_synonyms([WELL_KNOWN]))
    n_terms = fitted.regressions.coef_.shape[1]
    write_bundle(fitted, bundle, corpus={"terms_before_pruning": n_terms})
    TagModel.load(bundle)


def _train_baselines(questions: Sequence[Question], folder: Path) -> None:
    texts = [plain(each.title, each.body) for each in questions]
    tags = [tag for tag, _ in choose_tags(questions, MIN_TAG_COUNT)]
    folder.mkdir(parents=True, exist_ok=True)
    baseline = _fitted(BaselineModel(), texts, questions, tags)
    joblib.dump(baseline, folder / "baseline.joblib")
    joblib.dump(TunedBaselineModel(baseline), folder / "tuned.joblib")
    small = _fitted(BaselineModel(SMALL_TERMS), texts, questions, tags[:SMALL_TAGS])
    joblib.dump(small, folder / "small.joblib")  # last: if it exists, all files exist


def _fitted(
    model: BaselineModel, texts: list[str], questions: Sequence[Question], tags: Sequence[str]
) -> BaselineModel:
    known = set(tags)
    model.fit(texts, [[tag for tag in each.tags if tag in known] for each in questions])
    return model


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr)


if __name__ == "__main__":
    _train_baselines(read(Path(sys.argv[1]), quick=False)[: int(sys.argv[2])], Path(sys.argv[3]))
