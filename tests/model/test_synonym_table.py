"""The table of synonyms holds what the trainer may rely on."""

import csv
import re

from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.vocabulary import names_of

TAG = re.compile(r"\.?[a-z0-9@][a-z0-9+#./_@-]{0,40}")


def test_each_synonym_is_there_once_and_stands_for_another_name() -> None:
    with WELL_KNOWN.open(encoding="utf-8", newline="") as file:
        pairs = [(row["synonym"], row["tag"]) for row in csv.DictReader(file)]
    assert len(pairs) >= 400
    assert len({synonym for synonym, _ in pairs}) == len(pairs)
    assert all(TAG.fullmatch(name) for pair in pairs for name in pair)


def test_words_with_several_meanings_are_no_synonyms() -> None:
    several = {"access", "dash", "express", "flex", "next", "tf", "unity", "vs", "word"}
    assert not several & read_synonyms([WELL_KNOWN]).keys()


def test_no_two_tags_share_a_name() -> None:
    synonyms = read_synonyms([WELL_KNOWN])
    tags_of: dict[tuple[str, ...], str] = {}
    for tag in sorted(set(synonyms.values())):
        for name in names_of(tag, synonyms):
            assert tags_of.setdefault(name, tag) == tag, name
