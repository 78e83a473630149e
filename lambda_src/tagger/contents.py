"""What a bundle must contain to be a model, beyond being a bundle."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lambda_src.tagger.bundle import Array
from lambda_src.tagger.rules import (
    ANALYZER_VERSION,
    CALIBRATOR_FEATURES,
    N_HIDDEN_UNITS,
    N_QUESTION_FORMS,
    RERANKER_INPUTS,
)

_MAX_COUNT: Final = 2**31
_MAX_TITLE_WEIGHT: Final = 1000
_MAX_FLOAT: Final = 1e9


def check_contents(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Refuse contents that would give meaningless answers or reads outside of an array.

    Raises
    ------
    ValueError
        A manifest field or an array is wrong; the message names it and says what is wrong with it.
    KeyError
        A manifest field or an array is missing.
    """
    _check_manifest(manifest)
    _check_arrays(arrays, n_tags=len(manifest["tags"]))


def _check_manifest(manifest: Mapping[str, Any]) -> None:
    version = manifest.get("analyzer_version")
    _require(
        type(version) is int and version == ANALYZER_VERSION,
        f"it was trained with analyzer version {version!r:.80}, "
        f"but this release has {ANALYZER_VERSION}",
    )
    tags = [tag for tag, count in manifest["tags"] if isinstance(tag, str) and type(count) is int]
    _require_field(
        len(tags) > 0 and len(set(tags)) == len(manifest["tags"]),
        "tags",
        "must be a list of distinct tags with their counts",
    )
    _require_field(isinstance(manifest["version"], str), "version", "must be a string")
    floor, other_tags = manifest["floor"], manifest["other_tags"]
    _require_field(
        isinstance(floor, float) and 0 <= floor <= 1, "floor", "must be a number from 0 to 1"
    )
    _require_field(
        isinstance(other_tags, float) and other_tags >= 0,
        "other_tags",
        "must be a number that is not negative",
    )
    for field, known in (
        ("calibrator_features", CALIBRATOR_FEATURES),
        ("reranker_inputs", RERANKER_INPUTS),
    ):
        _require_field(manifest[field] == list(known), field, "must be the list of this release")
    n_questions = manifest["complete_questions"]
    _require_field(
        type(n_questions) is int and 0 <= n_questions < _MAX_COUNT,
        "complete_questions",
        f"must be an integer from 0 to {_MAX_COUNT - 1}",
    )
    _require_field(isinstance(manifest["quality"], dict), "quality", "must be an object")
    # Only the monitor reads it, and bundles of earlier releases have none.
    _require_field(isinstance(manifest.get("baseline", {}), dict), "baseline", "must be an object")
    synonyms = manifest["synonyms"]
    _require_field(
        isinstance(synonyms, dict) and set(synonyms.values()) <= set(tags),
        "synonyms",
        "must be an object whose values are tags of the model",
    )
    title_weight = manifest["title_weight"]
    _require_field(
        type(title_weight) is int and 0 < title_weight < _MAX_TITLE_WEIGHT,
        "title_weight",
        f"must be an integer from 1 to {_MAX_TITLE_WEIGHT - 1}",
    )


def _check_arrays(arrays: Mapping[str, Array], n_tags: int) -> None:
    n_terms, n_weights = len(arrays["term_weights"]), arrays["weights_value"].size
    # The kinds of numbers, as numpy's `dtype.kind` names them, and the length if it is known.
    expected = {
        "words": ("u", None),
        "text_words": ("u", None),
        "code_words": ("u", None),
        "word_pair_gaps": ("u", None),
        "word_pair_seconds": ("u", len(arrays["word_pair_gaps"])),
        "term_weights": ("f", n_terms),
        "weight_steps": ("f", n_terms),
        "common_terms": ("u", None),
        "weights_count": ("u", n_terms),
        "weights_gap": ("u", n_weights),
        "weights_value": ("if", n_weights),
        "intercepts": ("f", n_tags),
        "off_topic_weights": ("i", n_terms),
        "off_topic_scale": ("f", 2),
        "names": ("u", None),
        "name_starts": ("u", None),
        "tag_names": ("u", n_tags),
        "name_worth": ("f", n_tags),
        "lower_worth": ("f", n_tags),
        "capital_worth": ("f", n_tags),
        "calibrator": ("f", len(CALIBRATOR_FEATURES) + 1),
        "records": ("f", N_QUESTION_FORMS * n_tags),
        "pair_gaps": ("u", None),
        "pair_counts": ("u", len(arrays["pair_gaps"])),
        "hidden": ("f", (len(RERANKER_INPUTS) + 1) * N_HIDDEN_UNITS),
        "output": ("f", N_HIDDEN_UNITS + 1),
    }
    for name, (kinds, length) in expected.items():
        array = arrays[name]
        fits = array.ndim == 1 and length in (None, len(array)) and array.dtype.kind in kinds
        found = f"has shape {array.shape} and type {array.dtype}"
        wanted = "any length" if length is None else f"length {length}"
        _require(fits, f"array {name!r} {found}, but needs {wanted} and a type of kind {kinds!r}")
    _require(n_terms > 0, "array 'term_weights' is empty")
    for name in ("words", "text_words", "code_words", "weights_gap"):
        _require(arrays[name].dtype == np.uint8, f"array {name!r} must have bytes")
    _require(
        not np.signbit(arrays["weight_steps"]).any(),
        "array 'weight_steps' contains a negative value",
    )
    _require(
        arrays["common_weights"].dtype == arrays["weights_value"].dtype,
        "arrays 'common_weights' and 'weights_value' have different types",
    )
    for name, array in arrays.items():
        # The places in an array are 32-bit integers.
        _require(array.size < _MAX_COUNT, f"array {name!r} is too long")
        if array.dtype.kind == "f" and array.size:
            in_range = float(array.min()) > -_MAX_FLOAT and float(array.max()) < _MAX_FLOAT
            _require(in_range, f"array {name!r} contains NaN or a value beyond {_MAX_FLOAT:g}")


def _require_field(condition: bool, field: str, rule: str) -> None:
    _require(condition, f"manifest field {field!r} {rule}")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
