from datetime import datetime

import numpy as np

from lambda_src.tagger import Suggestion
from model_build.metrics import JudgedQuestion
from model_build.model_card import RankedTags, corpus_card, judge_ranked, quality_card
from model_build.questions import Question

TITLE = Question("Merging two dicts", "", ("python", "dictionary"))
BODY = Question("Yeast", "<p>Which one?</p>", ("yeast",), creation_date=datetime(2019, 5, 4))
TAGS = [("python", 900), ("yeast", 12)]


def test_the_best_sets_are_chosen_and_nothing_below_the_floor() -> None:
    ranked = [
        RankedTags(np.array([0, 1]), np.array([0.9, 0.02])),
        RankedTags(np.array([1, 0]), np.array([0.1, 0.05])),
    ]
    confident, unsure = judge_ranked(
        [TITLE, BODY], ranked, ["python", "yeast"], other_tags=0.5, floor=0.2
    )
    assert confident == JudgedQuestion(
        frozenset({"python", "dictionary"}),
        [Suggestion("python", 0.9), Suggestion("yeast", 0.02)],
        [Suggestion("python", 0.9)],
    )
    assert [each.tag for each in unsure.ranked] == ["yeast", "python"]
    assert unsure.suggested == []


def test_metrics_are_given_by_kind_of_question_and_of_tag() -> None:
    python, yeast = [Suggestion("python", 0.9)], [Suggestion("yeast", 0.6)]
    judged = [
        *[JudgedQuestion(frozenset(TITLE.tags), python, python)] * 150,
        *[JudgedQuestion(frozenset(BODY.tags), yeast, yeast)] * 100,
        *[JudgedQuestion(frozenset(BODY.tags), python, python)] * 50,
    ]
    card = quality_card([TITLE] * 150 + [BODY] * 150, judged, TAGS)
    titles, bodies = card["questions"]
    assert (titles["kind"], titles["questions"]) == ("titles alone", 150)
    assert titles["sample_jaccard"] == [0.5, 0.5, 0.5]
    value, low, high = bodies["precision_at_1"]
    assert low < value == 0.667 < high
    assert card["tags"] == [
        {"kind": "rare", "least_uses": 0, "tags": 1, "precision": 1.0, "recall": 0.667},
        {"kind": "common", "least_uses": 200, "tags": 1, "precision": 0.75, "recall": 1.0},
    ]


def test_a_few_questions_of_a_kind_have_no_metrics() -> None:
    judged = [JudgedQuestion(frozenset({"yeast"}), [], [])] * 20
    assert quality_card([BODY] * 20, judged, TAGS)["questions"] == []


def test_metrics_are_given_by_year() -> None:
    judged = [JudgedQuestion(frozenset({"yeast"}), [], [])] * 220
    card = quality_card([BODY] * 120 + [TITLE] * 100, judged, TAGS)
    assert [(each["year"], each["questions"]) for each in card["years"]] == [(2019, 120)]


def test_the_card_of_a_corpus_has_its_counts_and_dates() -> None:
    assert corpus_card([TITLE, BODY]) == {
        "questions": 2,
        "with_bodies": 1,
        "tags_cut_down": 0,
        "dated": 1,
        "dates": ["2019-05-04", "2019-05-04"],
    }
