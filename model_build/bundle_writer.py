"""Write a fitted tagger as a bundle."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from lambda_src.tagger.analyzer import FIELDS
from lambda_src.tagger.bundle import FORMAT_VERSION, MANIFEST_KEY, Array
from lambda_src.tagger.vocabulary import term_key
from model_build.training import FittedTagger

_LIBRARIES = ("numpy", "scikit-learn", "scipy", "selectolax")


def write_bundle(
    fitted: FittedTagger,
    path: Path,
    *,
    threshold: float,
    prune: float,
    corpus: Mapping[str, Any],
) -> str:
    """Write one bundle file.

    Parameters
    ----------
    fitted : FittedTagger
    path : Path
    threshold : float
        Tags below this confidence are not suggested.
    prune : float
        Weights nearer to zero are left out.
    corpus : mapping
        Facts of the corpus for the manifest, as JSON allows.

    Returns
    -------
    str
        The file's SHA-256.
    """
    arrays = _arrays(fitted, prune)
    created = _today()
    content = hashlib.sha256(b"".join(np.ascontiguousarray(a).data for a in arrays.values()))
    options = fitted.options
    manifest = {
        "format": FORMAT_VERSION,
        "version": f"{created.replace('-', '.')}-{content.hexdigest()[:8]}",
        "created": created,
        "tags": fitted.tags,
        "threshold": threshold,
        "field_weights": dict(options.field_weights),
        "corpus": {"questions": fitted.n_questions, **corpus},
        "training": {
            "min_tag_count": options.min_tag_count,
            "min_term_count": options.min_term_count,
            "inverse_regularization": options.inverse_regularization,
            "tolerance": options.tolerance,
            "seed": options.seed,
            "prune": prune,
        },
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    whole = save(arrays, {MANIFEST_KEY: json.dumps(manifest, sort_keys=True)})
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a reader never finds half a bundle under the name.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(whole)
    unfinished.replace(path)
    return hashlib.sha256(whole).hexdigest()


def _today() -> str:
    """The day in UTC, or that of SOURCE_DATE_EPOCH, by which builds are made repeatable."""
    epoch = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return time.strftime("%Y-%m-%d", time.gmtime(epoch))


def _arrays(fitted: FittedTagger, prune: float) -> dict[str, Array]:
    words, keys, columns = _vocabulary(fitted)
    idf = np.concatenate([vectorizer.idf_ for _, vectorizer in fitted.tfidf.transformer_list])
    coefficients = fitted.regressions.coef_
    tags, terms, values = [], [], []
    for tag, row in enumerate(coefficients):
        kept = np.flatnonzero((np.abs(row) >= prune) & (row != 0))
        tags.append(np.full(len(kept), tag, dtype=np.uint16))
        terms.append(kept)
        values.append(row[kept].astype(np.float32))
    place = np.empty(len(columns), dtype=np.int64)
    place[columns] = np.arange(len(columns))
    of_term = place[np.concatenate(terms)]
    order = np.argsort(of_term, kind="stable")
    counts = np.bincount(of_term, minlength=len(keys))
    return {
        "words": np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
        "terms": keys,
        "idf": idf[columns].astype(np.float32),
        "weights_start": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        "weights_tag": np.concatenate(tags)[order],
        "weights_value": np.concatenate(values)[order],
        "intercepts": fitted.regressions.intercept_.astype(np.float32),
    }


def _vocabulary(fitted: FittedTagger) -> tuple[list[str], Array, Array]:
    """Number words and terms.

    Returns
    -------
    words : list of str
    keys : ndarray of uint64, shape (n_terms,)
        Ascending.
    columns : ndarray of int, shape (n_terms,)
        Where each term stands in scikit-learn's matrix.
    """
    spelled: list[tuple[int, list[str]]] = []
    for field, vectorizer in fitted.tfidf.transformer_list:
        spelled += [
            (FIELDS.index(field), term.split(" ")) for term in vectorizer.get_feature_names_out()
        ]
    words = sorted({word for _, term in spelled for word in term})
    number = {word: place for place, word in enumerate(words)}
    keys = np.array(
        [term_key(field, *(number[word] for word in term)) for field, term in spelled],
        dtype=np.uint64,
    )
    columns = np.argsort(keys)
    return words, keys[columns], columns
