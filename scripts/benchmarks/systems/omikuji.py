"""Omikuji with its default trees, which are those of Parabel: three balanced binary trees.

Omikuji needs vectors as input (https://github.com/tomtung/omikuji, "Data format"). Annif, a tool
for subject indexing in libraries, gives it TF-IDF of stemmed words and recommends Parabel with
default settings (https://github.com/NatLibFi/Annif/wiki/Backend:-Omikuji). Word pairs correspond to
Annif's ``ngram=2``, the removal of rare terms to its ``min_df``. Its scores are not confidences, so
it suggests three tags.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from lambda_src.tagger import Suggestion
from model_build.questions import Question
from scripts.benchmarks.systems.system import N_RANKED, Answer, Corpus, best_three, peer
from scripts.benchmarks.systems.texts import plain_texts, stemmed_terms


class Omikuji:
    """Omikuji; see the module."""

    seconds_saved = 0.0

    def __init__(self) -> None:
        self._vectorizer = TfidfVectorizer(analyzer=stemmed_terms, min_df=2, sublinear_tf=True)
        self._model: Any = None
        self._tags: list[str] = []

    def fit(self, corpus: Corpus) -> None:
        """Write the training file and train the model."""
        self._tags = corpus.tags
        vectors = self._vectorizer.fit_transform(plain_texts(corpus.questions))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            _write(vectors, corpus.marks, path)
            with _silence():
                self._model = peer("omikuji").Model.train_on_data(str(path))

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Rank the tags and suggest the three best."""
        given = []
        for vector in self._vectorizer.transform(plain_texts(questions)):
            pairs = list(zip(vector.indices.tolist(), vector.data.tolist(), strict=True))
            found = self._model.predict(pairs, top_k=N_RANKED)
            ranked = [Suggestion(self._tags[tag], score) for tag, score in found]
            given.append(Answer(ranked, best_three(ranked)))
        return given

    def megabytes(self) -> float:
        """Return the size of the saved model, without the vectorizer."""
        with tempfile.TemporaryDirectory() as folder:
            with _silence():
                self._model.save(folder)
            return sum(path.stat().st_size for path in Path(folder).rglob("*")) / 1e6


def _write(vectors: sp.csr_matrix, marks: sp.csr_matrix, path: Path) -> None:
    """Write the format of the Extreme Classification Repository.

    Questions without tags teach nothing, and Omikuji refuses a line without terms.
    """
    rows = [row for row in range(marks.shape[0]) if marks[row].nnz and vectors[row].nnz]
    with path.open("w", encoding="utf-8") as lines:
        lines.write(f"{len(rows)} {vectors.shape[1]} {marks.shape[1]}\n")
        for row in rows:
            vector = vectors[row]
            order = vector.indices.argsort()
            pairs = zip(vector.indices[order].tolist(), vector.data[order].tolist(), strict=True)
            tags = ",".join(map(str, marks[row].indices.tolist()))
            lines.write(f"{tags} {' '.join(f'{term}:{value:.6g}' for term, value in pairs)}\n")


@contextmanager
def _silence() -> Iterator[None]:
    """Suppress output of file descriptors 1 and 2: the Rust code prints a line per question."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number, _ in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
