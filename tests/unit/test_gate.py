"""The gate between a challenger and the champion."""

import doctest
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from lambda_src.tagger import TagModel
from model_build.__main__ import main
from model_build.bundle_writer import write_bundle, write_file
from model_build.corpus import write_questions
from model_build.gate import paired
from model_build.gate.behaviour import SHIPPED, read_tests
from model_build.gate.decision import FAIL, NOT_ENOUGH, PASS, Limits, judge_answers
from model_build.gate.errors import GateError
from model_build.gate.paired import large_tag_tests, mean_difference
from model_build.gate.unseen import choose_unseen, newest_question
from model_build.questions import Question
from model_build.training import TrainingOptions, fit

LAST_DAY = datetime(2024, 3, 1, 12)
WORDS = {"python": "snake", "java": "coffee", "git": "branch", "css": "colour", "sql": "query"}


def question(number: int, created: datetime | None = LAST_DAY) -> Question:
    """A question whose tag is mostly given away by a word; no two share most of their words."""
    tag, word = list(WORDS.items())[number % len(WORDS)]
    if number % 7 == 0:
        word = list(WORDS.values())[number % 3]
    title = f"{word} item{number} with thing{number * 7} and part{number * 13}"
    return Question(title, "", (tag,), id=number, creation_date=created)


def newer(count: int) -> list[Question]:
    return [question(10_000 + n, LAST_DAY + timedelta(days=1 + n % 30)) for n in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion, a challenger that is as good, one that is worse, and new questions."""
    folder = tmp_path_factory.mktemp("gate")
    corpus = [question(number) for number in range(300)]
    write_questions(corpus, folder / "corpus.parquet")
    write_questions(newer(1_200), folder / "newer.parquet")
    options = TrainingOptions(jobs=1, min_tag_count=5)
    for name, questions in (("champion", corpus), ("equal", corpus[:290])):
        write_bundle(fit(questions, options), folder / f"{name}.safetensors", corpus={})
    # Without its words for one tag, the model cannot find this tag.
    without_css = [each for each in corpus if each.tags != ("css",)]
    write_bundle(fit(without_css, options), folder / "worse.safetensors", corpus={})
    (folder / "none.jsonl").touch()
    return folder


def gate(
    folder: Path, challenger: str, *options: str, champion: str = "champion"
) -> tuple[int, Any]:
    """Run the command; return its exit code and the decision, if it wrote one."""
    written = folder / "gate.json"
    given = {
        "--champion": f"{champion}.safetensors",
        "--challenger": f"{challenger}.safetensors",
        "--questions": "newer.parquet",
        "--behaviour": "none.jsonl",
        "--json": written.name,
    }
    words = [word for name, file in given.items() for word in (name, str(folder / file))]
    # The time of these small models is all noise.
    limits = ["--min-questions", "1000", "--max-time-ratio", "1000"]
    code = main(["gate", *words, *limits, *options])
    return code, json.loads(written.read_text()) if written.exists() else None


def test_an_equal_challenger_passes(folder: Path) -> None:
    code, decision = gate(folder, "equal", "--corpus", str(folder / "corpus.parquet"))
    assert (code, decision["decision"]) == (0, PASS)
    jaccard = decision["sample_jaccard"]
    assert jaccard["lower_bound"] > -jaccard["margin"]
    assert decision["large_tags"]["tested"] == len(WORDS)
    assert decision["questions"]["used"] == 1_200
    assert decision["questions"]["corpora_compared"]
    assert decision["challenger"]["sha256"] == TagModel.load(folder / "equal.safetensors").sha256


def test_a_worse_challenger_fails_and_the_reasons_name_the_tag(folder: Path) -> None:
    code, decision = gate(folder, "worse")
    assert (code, decision["decision"]) == (1, FAIL)
    assert decision["sample_jaccard"]["upper_bound"] < 0
    assert decision["large_tags"]["worse"] == ["css"]
    assert any("sample Jaccard" in reason for reason in decision["reasons"])
    assert any("the tag css" in reason for reason in decision["reasons"])


def test_too_few_questions_are_an_answer_of_their_own(folder: Path) -> None:
    code, decision = gate(folder, "worse", "--min-questions", "1201")
    assert (code, decision["decision"]) == (3, NOT_ENOUGH)
    assert decision["reasons"] == ["1200 usable questions, but 1201 are needed"]


def test_answers_that_show_neither_are_not_enough() -> None:
    random = np.random.default_rng(5)
    truths = [frozenset({"a", "b"})] * 300
    champion, challenger = (
        [frozenset("a") if hit else frozenset("ab") for hit in random.uniform(size=300) < 0.5]
        for _ in range(2)
    )
    outcome, (reasons, card) = judge_answers(champion, challenger, truths, Limits(tag_margin=1))
    assert outcome == NOT_ENOUGH
    assert (
        card["sample_jaccard"]["lower_bound"] < -0.005 < 0 < card["sample_jaccard"]["upper_bound"]
    )
    assert "300 questions show neither" in reasons[0]


def test_a_bundle_that_is_too_large_fails(folder: Path) -> None:
    code, decision = gate(folder, "equal", "--max-size-ratio", "0.5")
    assert (code, decision["decision"]) == (1, FAIL)
    [reason] = decision["reasons"]
    assert "times as large; the limit is 0.5" in reason


def test_what_the_champion_answers_right_must_stay_right(folder: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests.jsonl"
    lines = [
        {"title": "colour item3 with thing5 and part9", "expect": ["css"]},
        {"title": "coffee item3 with thing5 and part9", "expect": ["java"]},
        {"title": "coffee of a page", "expect": ["unknown-tag"]},
    ]
    tests.write_text("\n".join(map(json.dumps, lines)))
    _, decision = gate(folder, "worse", "--behaviour", str(tests))
    assert decision["behaviour"] == {
        "tests": 3,
        "champion_passes": 2,
        "challenger_passes": 1,
        "broken": ["colour item3 with thing5 and part9"],
    }
    assert (
        "behaviour: no longer right about 'colour item3 with thing5 and part9'"
        in decision["reasons"]
    )


def test_a_file_that_is_no_bundle_is_an_error_and_leaves_no_old_decision(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(folder, "equal")[0] == 0
    assert gate(folder, "missing") == (2, None)
    assert "missing.safetensors: this bundle cannot be read" in capsys.readouterr().err


def test_a_corpus_without_dates_needs_the_day_or_the_corpora(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "champion.safetensors"
    with safe_open(path, "numpy") as opened:
        manifest = json.loads(opened.metadata()["manifest"])
    manifest["corpus"] |= {"dated": 0, "dates": []}
    write_file(folder / "undated.safetensors", manifest, load_file(path))
    assert gate(folder, "equal", champion="undated") == (2, None)
    assert "--newer-than" in capsys.readouterr().err
    assert gate(folder, "equal", "--any-date", champion="undated") == (2, None)
    assert "name the files of both corpora with --corpus" in capsys.readouterr().err
    by_hand = gate(folder, "equal", "--newer-than", "2024-03-01", champion="undated")
    assert (by_hand[0], by_hand[1]["questions"]["used"]) == (0, 1_200)
    corpus = ["--corpus", str(folder / "corpus.parquet")]
    of_any_date = gate(folder, "equal", "--any-date", *corpus, champion="undated")
    assert (of_any_date[0], of_any_date[1]["questions"]["newer_than"]) == (0, None)


def test_the_newest_question_is_in_the_card(folder: Path) -> None:
    model = TagModel.load(folder / "champion.safetensors")
    assert newest_question(model) == LAST_DAY.date()


def test_old_and_known_questions_are_left_out() -> None:
    day = timedelta(days=1)
    known = question(1)
    given = [
        question(2, LAST_DAY),
        question(3, None),
        question(4, LAST_DAY + day),
        question(4, LAST_DAY + 2 * day),
        Question(known.title, "", ("git",), creation_date=LAST_DAY + day),
        question(5, LAST_DAY + day),
    ]
    unseen = choose_unseen(given, newer_than=LAST_DAY.date(), corpus=[known])
    assert unseen.questions == [given[2], given[5]]
    assert (unseen.not_newer, unseen.undated, unseen.near_duplicates) == (1, 1, 2)


def test_the_bounds_of_a_difference_hold_as_often_as_they_say() -> None:
    random = np.random.default_rng(7)
    below = 0
    for _ in range(300):
        champion = random.uniform(size=400)
        challenger = champion + random.normal(0, 0.2, 400)
        below += mean_difference(champion, challenger, draws=200).low > 0
    # The bound is wrong in 5 % of the draws; 300 draws give 3 to 27 with a probability of 0.999.
    assert 3 <= below <= 27


def test_only_a_large_tag_that_got_worse_is_found() -> None:
    truths = [frozenset({"a"}), frozenset({"b"})] * 250 + [frozenset({"rare"})] * 50
    challenger = [tags if place % 20 else frozenset() for place, tags in enumerate(truths)]
    worse, same = large_tag_tests(truths, challenger, truths, margin=0.02)
    assert (worse.tag, same.tag) == ("a", "b")
    assert worse.p_value < 0.01
    assert same.p_value == 1
    assert worse.challenger_f1 < worse.champion_f1 == 1
    tolerant = large_tag_tests(truths, challenger, truths, margin=0.1)
    assert min(each.p_value for each in tolerant) > 0.5


def test_a_tag_whose_f1_falls_by_the_margin_is_rarely_called_worse() -> None:
    random = np.random.default_rng(3)
    called = 0
    for _ in range(400):
        has_tag = random.uniform(size=1_000) < 0.3
        # Recall 0.8 and 0.774 without false suggestions: F1 0.889 and 0.873.
        found = random.uniform(size=(2, 1_000)) < np.array([[0.8], [0.774]])
        truths = [frozenset("a") if true else frozenset("b") for true in has_tag]
        answers = [
            [
                truth if hit or truth == {"b"} else frozenset("c")
                for hit, truth in zip(hits, truths, strict=True)
            ]
            for hits in found
        ]
        tests = large_tag_tests(answers[0], answers[1], truths, margin=0.0163)
        called += next(each.p_value for each in tests if each.tag == "a") <= 0.05
    # The level is 0.05 for both tags together, so at most 0.025 to 0.05 for this one.
    assert called / 400 <= 0.06


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(paired).failed == 0


def test_the_starter_passes_the_behavioural_tests_that_ship(starter: TagModel) -> None:
    assert [each.title for each in read_tests(SHIPPED) if not each.passes(starter)] == []


def test_a_line_that_is_no_behavioural_test_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    path.write_text('{"title": "one", "expect": ["a"]}\n{"title": "two"}\n')
    with pytest.raises(GateError, match="line 2: not a test"):
        read_tests(path)
