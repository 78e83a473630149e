"""What a bundle must hold to be a model, beyond being a bundle."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lambda_src.tagger.bundle import Array
from lambda_src.tagger.calibrator import FEATURES


def words_of(blob: Array) -> list[str]:
    """The words that stand, one a line, in an array of bytes."""
    return bytes(blob).decode().split("\n") if len(blob) else []


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
    known = manifest["calibrator_features"] == list(FEATURES)
    _require(known, "its calibrator is of another release")
    synonyms = manifest["synonyms"]
    _require(isinstance(synonyms, dict) and set(synonyms.values()) <= set(tags), "its synonyms")
    title_weight = manifest["title_weight"]
    _require(type(title_weight) is int and title_weight > 0, "its title weight is no whole number")

    nnz = arrays["weights_value"].size
    expected = {
        "words": ("u", None),
        "terms": ("u8", n_terms),
        "term_weights": ("f", n_terms),
        "weights_start": ("u", n_terms + 1),
        "weights_tag": ("u", nnz),
        "weights_value": ("f", nnz),
        "intercepts": ("f", n_tags),
        "name_keys": ("u8", None),
        "names": ("u", None),
        "name_starts": ("u", None),
        "tag_names": ("u", n_tags),
        "name_worth": ("f", n_tags),
        "calibrator": ("f", len(FEATURES) + 1),
    }
    for name, (kind, length) in expected.items():
        array = arrays[name]
        fits = array.ndim == 1 and length in (None, len(array)) and array.dtype.str[1:2] == kind[0]
        _require(fits, f"array {name!r} has shape {array.shape} and type {array.dtype}")
    for name in ("terms", "name_keys"):
        _require(arrays[name].dtype == np.uint64, f"array {name!r} is not of 64-bit numbers")

    starts = arrays["weights_start"]
    _require(bool((starts[1:] >= starts[:-1]).all()), "its weights are not in order")
    _require(int(starts[0]) == 0 and int(starts[-1]) == nnz, "its weights do not add up")
    _require(nnz == 0 or int(arrays["weights_tag"].max()) < n_tags, "a weight has no tag")
    for name in (name for name, (kind, _) in expected.items() if kind == "f"):
        _require(bool(np.isfinite(arrays[name]).all()), f"array {name!r} holds no numbers")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
