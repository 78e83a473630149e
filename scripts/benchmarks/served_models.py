"""The models that `scripts/bench serving` compares, trained once and kept."""

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
from scripts.benchmarks.rivals.rival import CACHE
from scripts.benchmarks.stacks.models import TunedModel, UsualModel, plain
from scripts.emulator.places import ROOT

MIN_TAG_COUNT: Final = 20
# More terms than by default: 200,000 and more of 40,000 questions.
FEATURES: Final = FeatureOptions(min_word_count=2, min_pair_count=2)
SMALL_TAGS: Final = 50
SMALL_TERMS: Final = 20_000
QUICK_QUESTIONS: Final = 3_000


class ServedModels(NamedTuple):
    """Files of the models."""

    ours: Path
    usual: Path
    tuned: Path
    small: Path
    """The usual one of 50 tags, for starts: reading all the weights would take a second more."""


def read(path: Path, *, quick: bool) -> list[Question]:
    """Read the questions; some of them for a quick look."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "serving.rejects.jsonl") as rejects:
        questions = read_corpus([path], rejects)
    return questions[:QUICK_QUESTIONS] if quick else questions


def served_models(questions: Sequence[Question], path: Path, bundle: Path | None) -> ServedModels:
    """Train what is not there yet, each rival in a process that gives its memory back."""
    corpus = f"{_digest([path])}-{len(questions)}"
    rivals = CACHE / f"serving-{corpus}-{_digest([Path(__file__).parent / 'stacks/models.py'])}"
    code = [*(ROOT / "lambda_src/tagger").glob("*.py"), *(ROOT / "model_build").glob("*.py")]
    own = CACHE / f"serving-{corpus}-{_digest(sorted(code))}.safetensors"
    if bundle is None and not own.is_file():
        _say(f"training ours on {len(questions)} questions")
        _train_ours(questions, own)
    if not (rivals / "small.joblib").is_file():
        _say(f"training the usual stack's model on {len(questions)} questions")
        command = [sys.executable, "-m", __spec__.name, str(path), str(len(questions)), str(rivals)]
        subprocess.run(command, check=True, cwd=ROOT)
    names = ("usual", "tuned", "small")
    return ServedModels(bundle or own, *(rivals / f"{name}.joblib" for name in names))


def manifest_of(bundle: Path) -> Mapping[str, Any]:
    """Give what a bundle says of itself."""
    return TagModel.load(bundle).manifest


def _train_ours(questions: Sequence[Question], bundle: Path) -> None:
    options = TrainingOptions(min_tag_count=MIN_TAG_COUNT, features=FEATURES, prune=PRUNE)
    fitted = fit(questions, options, read_synonyms([WELL_KNOWN]))
    n_terms = fitted.regressions.coef_.shape[1]
    write_bundle(fitted, bundle, corpus={"terms_before_pruning": n_terms})
    TagModel.load(bundle)


def _train_rivals(questions: Sequence[Question], folder: Path) -> None:
    texts = [plain(each.title, each.body) for each in questions]
    tags = [tag for tag, _ in choose_tags(questions, MIN_TAG_COUNT)]
    folder.mkdir(parents=True, exist_ok=True)
    usual = _fitted(UsualModel(), texts, questions, tags)
    joblib.dump(usual, folder / "usual.joblib")
    joblib.dump(TunedModel(usual), folder / "tuned.joblib")
    small = _fitted(UsualModel(SMALL_TERMS), texts, questions, tags[:SMALL_TAGS])
    joblib.dump(small, folder / "small.joblib")  # the last one: all are there


def _fitted(
    model: UsualModel, texts: list[str], questions: Sequence[Question], tags: Sequence[str]
) -> UsualModel:
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
    _train_rivals(read(Path(sys.argv[1]), quick=False)[: int(sys.argv[2])], Path(sys.argv[3]))
