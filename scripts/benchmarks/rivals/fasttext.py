"""fastText with one-vs-all loss and word pairs.

Its tutorial tags questions of Stack Exchange, too, with several tags each (https://fasttext.cc/
docs/en/supervised-tutorial.html#multi-label-classification): lower case, punctuation off the words,
one-vs-all, pairs, 25 epochs, a learning rate of 0.5. Title and prose without code, 100 dimensions
and the default of two million buckets were chosen on a validation part (sample Jaccard 0.259, with
rate 0.2 it was 0.218). Three tags.
"""

import os
import random
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambda_src.tagger import Suggestion
from model_build.questions import Question
from scripts.benchmarks.rivals.rival import N_RANKED, Answer, Corpus, best_three, peer
from scripts.benchmarks.rivals.texts import short_texts

_PREFIX = "__label__"
_WORD = re.compile(r"[^\W_](?:[\w.+#-]*[\w+#])?")


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
            examples = list(zip(corpus.questions, _lines(corpus.questions), strict=True))
            # It learns in the order of the file, and forgets: sites must not come one by one.
            random.Random(0).shuffle(examples)  # noqa: S311 (no secret)
            with path.open("w", encoding="utf-8") as lines:
                for question, text in examples:
                    marks = [f"{_PREFIX}{tag}" for tag in question.tags if tag in known]
                    if marks:
                        lines.write(f"{' '.join(marks)} {text}\n")
            self._model = peer("fasttext").train_supervised(
                input=str(path),
                loss="ova",
                lr=0.5,
                epoch=25,
                wordNgrams=2,
                bucket=2_000_000,
                dim=100,
                thread=os.cpu_count(),
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
    return [" ".join(_WORD.findall(text.lower())) for text in short_texts(questions)]
