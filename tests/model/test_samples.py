"""The starter answers the sample questions at least as well as when it was trained."""

from typing import Final

import pytest

from lambda_src.tagger import TagModel
from tests.model.sample_measures import MEASURES, PARTS, share

AT_LEAST: Final = {
    "ambiguous word, its tag is suggested": 0.8,
    "technologies since 2020, the first tag is right": 0.8,
    "code alone, the first tag is right": 0.75,
    "code alone, one tag is right": 0.9,
    "error logs, one tag is right": 0.9,
    "other languages and spellings, one tag is right": 0.95,
}
AT_MOST: Final = {
    "ambiguous word, the wrong tag is suggested": 0.25,
    "gibberish and pleasantries, tags are suggested": 0.2,
    "everyday and vague texts, tags are suggested": 0.2,
}


def test_every_measure_has_a_bound() -> None:
    assert set(AT_LEAST) | set(AT_MOST) == set(MEASURES)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", MEASURES)
def test_the_starter_keeps_its_level(starter: TagModel, name: str, part: str) -> None:
    assert AT_MOST.get(name, 1) >= share(starter, name, part) >= AT_LEAST.get(name, 0)
