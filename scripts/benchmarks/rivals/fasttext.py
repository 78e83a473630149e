"""fastText with one-vs-all loss and word pairs.

Text and settings are those of its tutorial's section on several tags per text
(https://fasttext.cc/docs/en/supervised-tutorial.html#multi-label-classification, which happens to
tag Stack Exchange questions, too): lower case, punctuation set apart, learning rate 0.5, 25 epochs,
pairs, 200,000 buckets, 50 dimensions. Three tags.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambda_src.tagger import Suggestion
from model_build.questions import Question
from scripts.benchmarks.rivals.rival import N_RANKED, Answer, Corpus, best_three, peer
from scripts.benchmarks.rivals.texts import plain_texts

_PREFIX = "__label__"
_PUNCTUATION = re.compile(r"([.!?,'/()])")


class FastText:
    """See the module."""

    seconds_saved = 0.0

    def __init__(self) -> None:
        self._model: Any = None

    def fit(self, corpus: Corpus) -> None:
        """Write the training file and train on it."""
        known = set(corpus.tags)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            with path.open("w", encoding="utf-8") as lines:
                for question, text in zip(corpus.questions, _lines(corpus.questions), strict=True):
                    marks = [f"{_PREFIX}{tag}" for tag in question.tags if tag in known]
                    if marks:
                        lines.write(f"{' '.join(marks)} {text}\n")
            self._model = peer("fasttext").train_supervised(
                input=str(path),
                loss="ova",
                lr=0.5,
                epoch=25,
                wordNgrams=2,
                bucket=200_000,
                dim=50,
                verbose=0,
            )

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Take the three best tags."""
        # A list of lines, because for a single line it asks NumPy 2 for what that refuses.
        tags, confidences = self._model.predict(_lines(questions), k=N_RANKED)
        ranked = [
            [
                Suggestion(tag.removeprefix(_PREFIX), float(confidence))
                for tag, confidence in zip(*each, strict=True)
            ]
            for each in zip(tags, confidences, strict=True)
        ]
        return [Answer(each, best_three(each)) for each in ranked]

    def megabytes(self) -> float:
        """Size of the file that it saves."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.bin"
            self._model.save_model(str(path))
            return path.stat().st_size / 1e6


def _lines(questions: Sequence[Question]) -> list[str]:
    return [
        " ".join(_PUNCTUATION.sub(r" \1 ", text.lower()).split()) for text in plain_texts(questions)
    ]
