"""Etiquette itself: trained through its command line and read from its bundle."""

import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lambda_src.tagger import TagModel
from model_build.corpus import write_questions
from model_build.evaluation import judge
from model_build.questions import Question
from scripts.benchmarks.systems.system import Answer, Corpus


class Etiquette:
    """Etiquette; see the module.

    Parameters
    ----------
    options : sequence of str
        More options of ``train``.
    """

    seconds_saved = 0.0
    _model: TagModel
    _megabytes: float

    def __init__(self, options: Sequence[str] = ()) -> None:
        self._options = options

    def fit(self, corpus: Corpus) -> None:
        """Run ``python -m model_build train`` and load the bundle."""
        with tempfile.TemporaryDirectory() as folder:
            whole, partial = _write(corpus.questions, Path(folder))
            bundle = Path(folder) / "model.safetensors"
            command = [sys.executable, "-m", "model_build", "train", "--questions", *whole]
            if partial:
                command += ["--partial-questions", *partial]
            command += ["--out", str(bundle), "--min-tag-count", str(corpus.min_tag_count)]
            command += self._options
            subprocess.run(command, check=True, stdout=2)  # to standard error
            self._megabytes = bundle.stat().st_size / 1e6
            self._model = TagModel.load(bundle)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Rank and suggest tags as the service does."""
        judged = judge(self._model, questions)
        return [Answer(list(each.ranked), list(each.suggested)) for each in judged]

    def megabytes(self) -> float:
        """Return the size of the bundle."""
        return self._megabytes


def _write(questions: Sequence[Question], folder: Path) -> tuple[list[str], list[str]]:
    """Write one file of complete questions, and one of partial questions for each set of tags."""
    kinds: defaultdict[frozenset[str] | None, list[Question]] = defaultdict(list)
    for question in questions:
        kinds[question.judged_tags].append(question)
    whole: list[str] = []
    partial: list[str] = []
    for number, (judged, members) in enumerate(kinds.items()):
        path = folder / f"questions-{number}.parquet"
        write_questions(members, path)
        (whole if judged is None else partial).append(str(path))
    return whole, partial
