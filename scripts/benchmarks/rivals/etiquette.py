"""Etiquette itself, through its own command line: from a corpus on disk to a bundle, and back."""

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
from scripts.benchmarks.rivals.rival import Answer, Corpus


class Etiquette:
    """See the module."""

    seconds_saved = 0.0
    _model: TagModel
    _megabytes: float

    def fit(self, corpus: Corpus) -> None:
        """Run ``python -m model_build train``, and load what it wrote."""
        with tempfile.TemporaryDirectory() as folder:
            whole, partial = _write(corpus.questions, Path(folder))
            bundle = Path(folder) / "model.safetensors"
            command = [sys.executable, "-m", "model_build", "train", "--questions", *whole]
            if partial:
                command += ["--partial-questions", *partial]
            command += ["--out", str(bundle), "--min-tag-count", str(corpus.min_tag_count)]
            subprocess.run(command, check=True, stdout=2)  # its standard error
            self._megabytes = bundle.stat().st_size / 1e6
            self._model = TagModel.load(bundle)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Rank and suggest as the service does."""
        judged = judge(self._model, questions)
        return [Answer(list(each.ranked), list(each.suggested)) for each in judged]

    def megabytes(self) -> float:
        """Size of the bundle."""
        return self._megabytes


def _write(questions: Sequence[Question], folder: Path) -> tuple[list[str], list[str]]:
    """Write files of whole questions and, one for each set of judged tags, of partial ones."""
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
