"""Strategies for bundles whose arrays and manifest are wrong in some places."""

from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from lambda_src.tagger.bundle import Array, Bundle
from tests.golden.synthetic import make_bundle
from tests.hostile.texts import JSON_VALUES

WHOLE: Final = make_bundle(["for", "loop", "don't", "a", "{", "=>"], ["for loop"])
"""A small model, as it should be."""
QUESTIONS: Final = (
    ("How to unit test node.js in Python?", "<p>for loop</p><pre><code>a => { c++ }</code></pre>"),
    ("", "naïve don't 日本 tag1 tag2 tag15 java sql"),
    ("asp.net mvc", ""),
)
_TYPES: Final = ("i1", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
_EXTREMES: Final = (0, 1, 2, 10, 127, 128, 255, 256, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63)
_FLOATS: Final = (
    0.0,
    -0.0,
    1e-45,
    1.0,
    -1.0,
    65504.0,
    1e9,
    -1e9,
    9.9e8,
    float("nan"),
    float("inf"),
)


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """A bundle with one to three wrong places. Each array has memory of its own."""
    arrays = {name: array.copy() for name, array in WHOLE.arrays.items()}
    manifest = dict(WHOLE.manifest)
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 4)) == 0:
            manifest[draw(st.sampled_from(sorted(manifest)))] = draw(JSON_VALUES)
        else:
            name = draw(st.sampled_from(sorted(arrays)))
            arrays[name] = draw(_changed(arrays[name]))
    return Bundle("0" * 64, manifest, arrays)


@st.composite
def _changed(draw: st.DrawFn, array: Array) -> Array:
    flat = array.ravel()
    how = draw(
        st.sampled_from(["number", "number", "number", "swap", "cut", "longer", "type", "all"])
    )
    if how == "cut":
        return flat[: draw(st.integers(0, flat.size))].copy()
    if how == "longer":
        return np.append(flat, flat[: draw(st.integers(0, 5))])
    if how == "type":
        with np.errstate(all="ignore"):
            return array.astype(draw(st.sampled_from(_TYPES)))
    if not flat.size:
        return array
    places = st.integers(0, flat.size - 1) | st.sampled_from([0, flat.size - 1])
    if how == "swap":
        one, other = draw(places), draw(places)
        flat[[one, other]] = flat[[other, one]]
    else:
        value = _number(draw, array.dtype)
        flat[slice(None) if how == "all" else draw(places)] = value
    return flat.reshape(array.shape)


def _number(draw: st.DrawFn, dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.float64(draw(st.sampled_from(_FLOATS))).astype(dtype)
    info = np.iinfo(dtype)
    value = draw(st.sampled_from(_EXTREMES) | st.integers(int(info.min), int(info.max)))
    return dtype.type(min(max(value, int(info.min)), int(info.max)))
