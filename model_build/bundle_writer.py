"""Write a trained model as a bundle."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from lambda_src.tagger.bundle import FORMAT_VERSION, MANIFEST_KEY, Array, BundleError
from lambda_src.tagger.rules import ANALYZER_VERSION, CALIBRATOR_FEATURES, RERANKER_INPUTS
from model_build.packing import narrow, pack, pack_terms
from model_build.training import FittedTagger

_LIBRARIES = ("numpy", "scikit-learn", "scipy", "selectolax")


def write_bundle(
    fitted: FittedTagger,
    path: Path,
    *,
    corpus: Mapping[str, Any],
) -> str:
    """Write one bundle file.

    Parameters
    ----------
    fitted : FittedTagger
    path : Path
    corpus : mapping
        Facts about the corpus for the manifest, of types that JSON has.

    Returns
    -------
    str
        The file's SHA-256.
    """
    arrays = _arrays(fitted)
    created = _today()
    content = hashlib.sha256(b"".join(np.ascontiguousarray(a).data for a in arrays.values()))
    options = fitted.options
    manifest = {
        "format": FORMAT_VERSION,
        "analyzer_version": ANALYZER_VERSION,
        "version": f"{created.replace('-', '.')}-{content.hexdigest()[:8]}",
        "created": created,
        "tags": fitted.tags,
        "synonyms": fitted.synonyms,
        "floor": round(fitted.ranking.floor, 4),
        "other_tags": round(fitted.ranking.other_tags, 4),
        "calibrator_features": CALIBRATOR_FEATURES,
        "reranker_inputs": RERANKER_INPUTS,
        "complete_questions": fitted.ranking.reranker_inputs.pairs_.n_questions,
        "title_weight": options.features.title_weight,
        "corpus": {**fitted.corpus, **corpus},
        "quality": fitted.quality,
        "baseline": fitted.baseline.to_json(),
        "training": {name: value for name, value in asdict(options).items() if name != "jobs"},
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    return write_file(path, manifest, arrays)


def write_file(path: Path, manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Write a manifest and arrays as a bundle file; give the file's SHA-256.

    Raises
    ------
    BundleError
        The file cannot be written.
    """
    whole = save(dict(arrays), {MANIFEST_KEY: json.dumps(manifest, sort_keys=True)})
    # A reader never finds half a bundle under this name.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(whole)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise BundleError(
            f"{path}: cannot write this bundle of {len(whole) / 1e6:.1f} MB: {error.strerror}. "
            "Make room on the disk, or name another file with --out, and train again."
        ) from error
    return hashlib.sha256(whole).hexdigest()


def _today() -> str:
    """Give the day in UTC; SOURCE_DATE_EPOCH sets another one, for repeatable builds."""
    epoch = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return time.strftime("%Y-%m-%d", time.gmtime(epoch))


def _arrays(fitted: FittedTagger) -> dict[str, Array]:
    vocabulary, ranking = fitted.vocabulary, fitted.ranking
    tag_facts, pairs = ranking.reranker_inputs.tag_facts_, ranking.reranker_inputs.pairs_
    network = ranking.reranker.network_
    union = fitted.tfidf.named_steps["terms"]
    term_weights = np.concatenate(
        [
            *[v.idf_ * union.transformer_weights[kind] for kind, v in union.transformer_list],
            # The last weight is for the terms that have no column.
            [0],
        ]
    )
    # The coefficients need the same: an empty column after the others.
    coefficients = fitted.regressions.coef_.tocsc()
    n_columns = coefficients.shape[1] + 1
    coefficients.resize(len(fitted.tags), n_columns)
    scorer = pack(
        coefficients[:, vocabulary.columns % n_columns].T.tocsr(),
        term_weights[vocabulary.columns],
        fitted.regressions.intercept_,
        np.append(fitted.off_topic.coef_, 0)[vocabulary.columns],
        fitted.off_topic.intercept_,
        rounded=fitted.options.prune > 0,
    )
    return {
        "words": np.frombuffer("\n".join(vocabulary.words).encode(), dtype=np.uint8),
        **pack_terms(vocabulary.keys, len(vocabulary.words))._asdict(),
        "term_weights": scorer.term_weights,
        "weight_steps": scorer.steps,
        "common_terms": scorer.common,
        "common_weights": scorer.rows,
        "weights_count": narrow(np.diff(scorer.starts).astype(np.intp)),
        "weights_gap": scorer.gaps,
        "weights_value": scorer.values,
        "intercepts": scorer.intercepts,
        "off_topic_weights": scorer.off_topic_weights,
        "off_topic_scale": scorer.off_topic_scale,
        "names": vocabulary.names.terms.astype(np.uint32),
        "name_starts": vocabulary.names.name_starts.astype(np.uint32),
        "tag_names": vocabulary.names.tag_starts.astype(np.uint32),
        "name_worth": tag_facts.name_worth.astype(np.float32),
        "lower_worth": tag_facts.lower_worth.astype(np.float32),
        "capital_worth": tag_facts.capital_worth.astype(np.float32),
        "calibrator": np.append(ranking.calibrator.coef_, ranking.calibrator.intercept_).astype(
            np.float32
        ),
        "records": ranking.reranker_inputs.records_.ravel().astype(np.float32),
        "pair_gaps": narrow(np.diff(pairs.keys, prepend=0)),
        "pair_counts": narrow(pairs.counts),
        "hidden": network.hidden.ravel().astype(np.float32),
        "output": network.output.astype(np.float32),
    }
