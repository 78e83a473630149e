"""fastText with one-vs-all loss and word pairs.

Its tutorial also suggests several tags for questions of Stack Exchange (https://fasttext.cc/
docs/en/supervised-tutorial.html#multi-label-classification). It uses lower case without
punctuation, one-vs-all loss, word pairs, 25 epochs and a learning rate of 0.5. Three choices were
made on validation data: title and prose without code, 100 dimensions, and the default of two
million buckets (sample Jaccard 0.259; 0.218 with a learning rate of 0.2). It suggests three tags.
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
from scripts.benchmarks.systems.system import N_RANKED, Answer, Corpus, best_three, peer
from scripts.benchmarks.systems.texts import short_texts

_PREFIX = "__label__"
_WORD = re.compile(r"[^\W_](?:[\w.+#-]*[\w+#])?")


class FastText:
    """fastText; see the module."""

    seconds_saved = 0.0

    def __init__(self) -> None:
        self._model: Any = None

    def fit(self, corpus: Corpus) -> None:
        """Write the training file and train the model."""
        known = set(corpus.tags)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            examples = list(zip(corpus.questions, _lines(corpus.questions), strict=True))
            # fastText trains in the order of the file, and later lines count more: mix the sites.
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
        """Rank the tags and suggest the three best."""
        # A list of lines, because the code for a single line does not work with NumPy 2.
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
        """Return the size of the saved model."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.bin"
            self._model.save_model(str(path))
            return path.stat().st_size / 1e6


def _lines(questions: Sequence[Question]) -> list[str]:
    return [" ".join(_WORD.findall(text.lower())) for text in short_texts(questions)]
