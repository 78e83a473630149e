"""What a bundle must hold to be a model, beyond being a bundle."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lambda_src.tagger.bundle import Array
from lambda_src.tagger.rules import CALIBRATOR_FEATURES, N_HIDDEN_UNITS, RERANKER_INPUTS

_MOST = 2**31
_LARGEST = 1e9


def check_contents(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Refuse arrays that would answer nonsense, or read beyond each other.

    Raises
    ------
    ValueError
        Something does not fit: the message says what.
    KeyError
        Something is missing.
    """
    tags = [tag for tag, count in manifest["tags"] if isinstance(tag, str) and type(count) is int]
    n_tags, n_terms = len(manifest["tags"]), len(arrays["terms"])
    _require(n_tags > 0 and len(set(tags)) == n_tags, "its tags are not distinct texts with counts")
    _require(isinstance(manifest["version"], str), "its version is not a text")
    floor, other_tags = manifest["floor"], manifest["other_tags"]
    _require(isinstance(floor, float) and 0 <= floor <= 1, "its floor is not in [0, 1]")
    _require(isinstance(other_tags, float) and other_tags >= 0, "its other_tags is no number")
    known = manifest["calibrator_features"] == list(CALIBRATOR_FEATURES)
    known &= manifest["reranker_inputs"] == list(RERANKER_INPUTS)
    _require(known, "its calibrator is of another release")
    complete = manifest["complete_questions"]
    fits = type(complete) is int and 0 <= complete < _MOST
    _require(fits, "its number of complete questions")
    _require(isinstance(manifest["quality"], dict), "its figures")
    synonyms = manifest["synonyms"]
    _require(isinstance(synonyms, dict) and set(synonyms.values()) <= set(tags), "its synonyms")
    title_weight = manifest["title_weight"]
    _require(type(title_weight) is int and 0 < title_weight < 1000, "its title weight")

    nnz = arrays["weights_value"].size
    expected = {
        "words": ("u", None),
        "terms": ("u", n_terms),
        "term_weights": ("f", n_terms),
        "weight_steps": ("f", n_terms),
        "common_terms": ("u", None),
        "weights_start": ("u", n_terms + 1),
        "weights_tag": ("u", nnz),
        "weights_value": ("if", nnz),
        "intercepts": ("f", n_tags),
        "names": ("u", None),
        "name_starts": ("u", None),
        "tag_names": ("u", n_tags),
        "name_worth": ("f", n_tags),
        "calibrator": ("f", len(CALIBRATOR_FEATURES) + 1),
        "records": ("f", n_tags),
        "pairs": ("u", None),
        "pair_counts": ("u", len(arrays["pairs"])),
        "hidden": ("f", (len(RERANKER_INPUTS) + 1) * N_HIDDEN_UNITS),
        "output": ("f", N_HIDDEN_UNITS + 1),
    }
    for name, (kinds, length) in expected.items():
        array = arrays[name]
        fits = array.ndim == 1 and length in (None, len(array)) and array.dtype.kind in kinds
        _require(fits, f"array {name!r} has shape {array.shape} and type {array.dtype}")
    _require(not np.signbit(arrays["weight_steps"]).any(), "a step is less than nothing")
    _require(arrays["words"].dtype == np.uint8, "its words are no text")
    _require(n_terms > 0, "it has no terms")
    same_kind = arrays["common_weights"].dtype == arrays["weights_value"].dtype
    _require(same_kind, "its common terms have weights of another kind")
    _require(arrays["terms"].dtype == np.uint64, "array 'terms' is not of 64-bit numbers")

    for name, array in arrays.items():
        # Places in an array are 32-bit integers.
        _require(array.size < _MOST, f"array {name!r} is too long")
        if array.dtype.kind == "f" and array.size:
            in_range = float(array.min()) > -_LARGEST and float(array.max()) < _LARGEST
            _require(in_range, f"array {name!r} holds no numbers, or far too large ones")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
