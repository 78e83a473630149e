"""The sample questions are complete, distinct and split into two parts; no model runs here.

`part` says what a question is for: "tune" may guide a choice, "test" only measures.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from model_build.retrain_starter import CODE_EXAMPLES, TITLE_EXAMPLES
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.taught import read_code_examples, read_title_examples

SAMPLES = Path(__file__).parent.parent / "samples"
Row = dict[str, Any]

OPTIONAL = {"body", "body_format"}
FIELDS = {
    "ambiguous": {"kind", "tag", "title", "tags", "part"},
    "recent": {"title", "tags", "part"},
    "code": {"kind", "group", "title", "any_of", "part"},
    "languages": {"language", "title", "any_of", "part"},
    "quiet": {"title", "why", "part"},
}
GROUPED_BY = {
    "ambiguous": ("tag", "kind"),
    "recent": (),
    "code": ("kind", "group"),
    "languages": ("language",),
    "quiet": ("why",),
}
FEWEST = {"ambiguous": 560, "recent": 80, "code": 164, "languages": 87, "quiet": 60}

# How a tag's name is written in a question that is about something else.
OTHER_WRITINGS = {
    "apache-flex": "flex",
    "apache-spark": "spark",
    "charts": "chart",
    "ionic-framework": "ionic",
    "makefile": "mak(e|ing)",
    "ms-access": "access",
    "next.js": "next",
    "node.js": "node",
    "plotly-dash": "dash",
    "reactjs": "react",
    "unity3d": "unity",
}
LARGEST_OVERLAP = 0.4
"""Of the words of two titles, or of the lines of two pieces of code, the share that both may
have."""
TAG = re.compile(r"\.?[a-z0-9][a-z0-9+#.-]{0,34}")
CODE_BODY = re.compile(r"(?:```|~~~)\n.*\n(?:```|~~~)|<pre><code>.*</code></pre>", re.S)


def rows_of(name: str) -> list[Row]:
    lines = (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


ROWS = {name: rows_of(name) for name in FIELDS}
EVERY_FILE = pytest.mark.parametrize("name", FIELDS)


@EVERY_FILE
def test_every_question_has_its_fields(name: str) -> None:
    for row in ROWS[name]:
        assert row.keys() - OPTIONAL == FIELDS[name], row
        assert ("body" in row) == ("body_format" in row), row
        assert row.get("body_format", "text") in ("html", "markdown", "text"), row
        assert row["title"].strip() == row["title"] != "", row
        assert row.get("body", "text").strip(), row


@EVERY_FILE
def test_there_are_enough_questions(name: str) -> None:
    assert len(ROWS[name]) >= FEWEST[name]


@EVERY_FILE
def test_half_of_every_group_is_kept_for_the_test(name: str) -> None:
    parts: dict[tuple[str, ...], Counter[str]] = {}
    for row in ROWS[name]:
        group = tuple(row[field] for field in GROUPED_BY[name])
        parts.setdefault(group, Counter())[row["part"]] += 1
    for group, counts in parts.items():
        assert counts.keys() == {"tune", "test"}, group
        assert abs(counts["tune"] - counts["test"]) <= 1, group


@EVERY_FILE
def test_expected_tags_are_names_of_tags(name: str) -> None:
    synonyms = read_synonyms([WELL_KNOWN])
    for row in ROWS[name]:
        expected = row.get("tags") or row.get("any_of") or ["none"]
        assert len(expected) == len(set(expected)) <= 5, row
        assert all(TAG.fullmatch(tag) for tag in expected), row
        assert not synonyms.keys() & set(expected), row


def test_no_question_is_there_twice() -> None:
    texts = Counter(
        (row["title"].casefold(), row.get("body", "")) for rows in ROWS.values() for row in rows
    )
    assert [text for text, times in texts.items() if times > 1] == []
    bodies = Counter(row["body"] for rows in ROWS.values() for row in rows if "body" in row)
    assert [body for body, times in bodies.items() if times > 1] == []


@pytest.mark.parametrize("name", ["ambiguous", "recent", "languages"])
def test_no_title_is_another_with_one_word_changed(name: str) -> None:
    titles = [frozenset(re.findall(r"\w+", row["title"].lower())) for row in ROWS[name]]
    alike = [
        (one, other)
        for one, other in combinations(titles, 2)
        if len(one) > 3 and len(one ^ other) <= 2
    ]
    assert alike == []


def test_no_sample_question_is_like_a_title_that_the_starter_learns() -> None:
    learned = [_words(each.title) for each in read_title_examples(TITLE_EXAMPLES)]
    titles = [row["title"] for rows in ROWS.values() for row in rows]
    assert [title for title in titles if _is_like_one(_words(title), learned)] == []


def test_no_sample_question_is_like_code_that_the_starter_learns() -> None:
    learned = [_lines(each.code) for each in read_code_examples(CODE_EXAMPLES)]
    bodies = [row["body"] for rows in ROWS.values() for row in rows if "body" in row]
    assert [body for body in bodies if _is_like_one(_lines(body), learned)] == []


def _is_like_one(asked: set[str], learned: Iterable[set[str]]) -> bool:
    return any(len(asked & each) > LARGEST_OVERLAP * len(asked | each) for each in learned)


def _lines(code: str) -> set[str]:
    return {"".join(line.split()) for line in code.splitlines()} - {""}


def _words(title: str) -> set[str]:
    return set(re.findall(r"[\w+#.']+", title.lower()))


def test_many_ambiguous_tags_have_ten_questions_of_each_kind() -> None:
    counts = Counter((row["tag"], row["kind"]) for row in ROWS["ambiguous"])
    tags = {tag for tag, _ in counts}
    assert len(tags) >= 28
    assert all(counts[tag, kind] >= 10 for tag in tags for kind in ("positive", "negative"))


def test_an_ambiguous_word_means_the_tag_or_something_else() -> None:
    for row in ROWS["ambiguous"]:
        tag: str = row["tag"]
        assert (tag in row["tags"]) == (row["kind"] == "positive"), row
        word = OTHER_WRITINGS.get(tag, tag)
        if len(word) == 1:
            word = rf"(?<![a-z]){word}(?![a-z])"
        text = f"{row['title']} {row.get('body', '')}".lower()
        assert row["kind"] == "positive" or re.search(word, text), row


def test_code_questions_hold_nothing_but_code() -> None:
    rows = [row for row in ROWS["code"] if row["kind"] in ("code", "log")]
    for row in rows:
        indented = all(line.startswith("    ") or not line for line in row["body"].split("\n"))
        assert indented or CODE_BODY.fullmatch(row["body"]), row
    groups = Counter(row["group"] for row in rows if row["kind"] == "code")
    assert len(groups) >= 25
    assert set(groups.values()) == {4}
    logs = Counter(row["group"] for row in rows if row["kind"] == "log")
    assert len(logs) >= 11
    assert set(logs.values()) == {2}


def test_markdown_questions_have_html_only_in_code() -> None:
    rows = [row for row in ROWS["code"] if row["kind"] == "markdown"]
    assert len(rows) >= 10
    code = re.compile(r"^(```|~~~).*?^\1$|^    [^\n]*$|`[^`\n]*`", re.S | re.M)
    for row in rows:
        assert row["body_format"] == "markdown"
        assert re.search("<(p|li)[ >]", row["body"]), row
        assert not re.search("<(p|li)[ >]", code.sub("", row["body"])), row


def test_nine_languages_have_eight_questions_each() -> None:
    counts = Counter(row["language"] for row in ROWS["languages"])
    assert counts.pop("normalisation") >= 15
    assert len(counts) >= 9
    assert all(count >= 8 for count in counts.values())
