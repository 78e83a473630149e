"""The tables of synonyms and of implied tags hold what the trainer may rely on."""

import csv
import re

from model_build.vocabulary import names_of
from model_build.synonyms import WELL_KNOWN, read_synonyms

IMPLIED = WELL_KNOWN.parent / "implied_tags.csv"
TAG = re.compile(r"\.?[a-z0-9@][a-z0-9+#./_@-]{0,40}")


def implied_pairs() -> list[tuple[str, str]]:
    with IMPLIED.open(encoding="utf-8", newline="") as file:
        return [(row["tag"], row["parent"]) for row in csv.DictReader(file)]


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


def test_implied_tags_are_main_names_and_form_no_circle() -> None:
    pairs = implied_pairs()
    assert len(pairs) >= 200
    assert len(set(pairs)) == len(pairs)
    assert pairs == sorted(pairs)
    names = {name for pair in pairs for name in pair}
    assert all(TAG.fullmatch(name) for name in names)
    assert not names & read_synonyms([WELL_KNOWN]).keys()
    remaining = set(pairs)
    while remaining:
        children = {tag for tag, _ in remaining}
        outermost = {(tag, parent) for tag, parent in remaining if parent not in children}
        assert outermost, "these tags imply themselves"
        remaining -= outermost


def test_versions_imply_what_they_are_a_version_of() -> None:
    pairs = set(implied_pairs())
    assert {
        ("python-3.x", "python"),
        ("angular8", "angular"),
        ("swift5", "swift"),
        ("spring-boot", "spring"),
        ("react-hooks", "reactjs"),
        ("laravel-8", "laravel"),
    } <= pairs
