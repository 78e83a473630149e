"""Sentence embeddings as a candidate of `python -m model_build compare`, which starts this module.

It runs in the environment of `scripts/bench quality`, reads `training.parquet` and
`validation.parquet` of a folder, and writes `answers.json` there.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from model_build.corpus import Rejects, read_corpus
from model_build.training import choose_tags
from scripts.benchmarks.systems.embeddings import EmbeddingVectorizer, SentenceEncoder
from scripts.benchmarks.systems.minilm import MIN_CONFIDENCE, REGULARIZATION
from scripts.benchmarks.systems.one_vs_rest import joblib_megabytes
from scripts.benchmarks.systems.system import Corpus, answers, at_least
from scripts.benchmarks.systems.texts import short_texts

_TIMED_QUESTIONS: Final = 60


def main() -> None:
    """Train, answer the validation questions, and measure the time of single answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--min-tag-count", type=int, required=True)
    options = parser.parse_args()
    folder: Path = options.folder
    with Rejects(folder / "rejects.jsonl") as rejects:
        training = read_corpus([folder / "training.parquet"], rejects)
        validation = read_corpus([folder / "validation.parquet"], rejects)
    tags = [tag for tag, _ in choose_tags(training, options.min_tag_count)]
    corpus = Corpus(training, tags, options.min_tag_count)

    started = time.perf_counter()
    vectorizer = EmbeddingVectorizer()
    vectors = vectorizer.fit_transform(short_texts(training))
    regression = LogisticRegression(C=REGULARIZATION, max_iter=1000)
    classifiers = OneVsRestClassifier(regression).fit(vectors, corpus.marks)
    seconds = time.perf_counter() - started + vectorizer.seconds_saved_

    texts = short_texts(validation)
    scores = classifiers.predict_proba(vectorizer.transform(texts))
    given = answers(scores, tags, at_least(MIN_CONFIDENCE))
    written = {
        "train_seconds": round(seconds, 1),
        "megabytes": joblib_megabytes((vectorizer, classifiers)),
        "milliseconds": _median_milliseconds(classifiers, texts[:_TIMED_QUESTIONS]),
        "answers": [(each.ranked, each.suggested) for each in given],
    }
    (folder / "answers.json").write_text(json.dumps(written), encoding="utf-8")


def _median_milliseconds(classifiers: OneVsRestClassifier, texts: list[str]) -> float:
    """Measure single answers with a new encoder, because embeddings are kept between runs."""
    encoder = SentenceEncoder()
    times = []
    for text in texts:
        started = time.perf_counter()
        classifiers.predict_proba(encoder.encode([text]))
        times.append((time.perf_counter() - started) * 1_000)
    return float(np.median(times))


if __name__ == "__main__":
    main()
