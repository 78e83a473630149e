"""Tags of weights, packed as distances."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_build.packing import pack_tags

_TAGS_OF_TERMS = st.lists(st.sets(st.integers(0, 5_000), max_size=8).map(sorted), max_size=8)


@given(_TAGS_OF_TERMS)
def test_packed_tags_lead_back_to_the_tags(tags_of_terms: list[list[int]]) -> None:
    starts = np.cumsum([0, *map(len, tags_of_terms)])
    tags = np.array([tag for of_term in tags_of_terms for tag in of_term], np.int64)
    ends, gaps, packed = pack_tags(starts, tags, np.arange(1, len(tags) + 1, dtype=np.int16))
    assert gaps.dtype == np.uint8
    found, values = [], []
    for start, end in pairwise(ends.tolist()):
        there = packed[start:end] != 0
        found.append(gaps[start:end].cumsum(dtype=np.int64)[there].tolist())
        values += packed[start:end][there].tolist()
    assert found == tags_of_terms
    assert values == list(range(1, len(tags) + 1))
