import pytest

from lambda_src.tagger import TagModel
from model_build.evaluation import judge
from model_build.metrics import compute_metrics
from model_build.questions import Question
from tests.support.paths import STARTER


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("How do I merge two dictionaries in Python?", {"python", "dictionary"}),
        ("Python is very cool !", {"python"}),
    ],
)
def test_plain_questions_get_their_obvious_tags(
    starter: TagModel, text: str, tags: set[str]
) -> None:
    suggested = {each.tag for each in starter.suggest(text).suggestions}
    assert tags <= suggested
    assert len(suggested) <= 5


def test_the_starter_model_knows_enough_tags_and_is_small(starter: TagModel) -> None:
    assert len(starter.tags) >= 1_800
    assert STARTER.stat().st_size <= 8_000_000


def test_the_starter_model_is_useful_on_questions_of_our_own(
    starter: TagModel, samples: list[Question]
) -> None:
    measured = compute_metrics(judge(starter, samples), starter.tags)
    assert measured["precision_at_1"] >= 0.8
    assert measured["sample_jaccard"] >= 0.4


def test_nothing_is_suggested_for_text_without_a_known_word(starter: TagModel) -> None:
    for text in ("", "qwrtzp xkcdvv", "???", "\0"):
        assert starter.suggest(text).suggestions == []
