"""Any text is a question: analyzer, rankers and decoder answer it, and the rankers agree."""

from math import isfinite
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.tagger import TagModel, read_bundle
from lambda_src.tagger.analyzer import fields_of, normalize, tokens_of
from lambda_src.tagger.decoder import choose_tags, expected_jaccards, min_expected_jaccard
from lambda_src.tagger.kernel import Kernel
from lambda_src.tagger.markup import BodyFormat, split_body, split_text
from lambda_src.tagger.rules import MAX_TAGS, MAX_TOKENS_PER_FIELD, MAX_WORD_LENGTH
from tests.hostile.cases import CASES, cases
from tests.hostile.texts import short_texts, texts
from tests.support.paths import STARTER

FORMATS = st.sampled_from(get_args(BodyFormat))
CONFIDENCES = st.lists(st.floats(0, 1), max_size=20).map(lambda each: sorted(each, reverse=True))


@pytest.fixture(scope="module")
def models() -> tuple[TagModel, TagModel]:
    """The starter with the kernel and without it."""
    bundle = read_bundle(STARTER)
    if not Kernel.can_rank(bundle):
        pytest.skip("the kernel is not built: run scripts/setup kernel")
    return TagModel(bundle, ranker="kernel"), TagModel(bundle, ranker="plain")


@cases(400)
@given(title=texts(), body=texts(), body_format=FORMATS)
def test_the_analyzer_reads_any_text(title: str, body: str, body_format: BodyFormat) -> None:
    CASES["analyzer"] += 1
    assert split_text(body).body in body
    prose, code = split_body(body, body_format)
    assert isinstance(prose + code, str)
    fields = fields_of(title, body, body_format)
    tokens = tokens_of(fields)
    for field in tokens[:3]:
        assert len(field) <= MAX_TOKENS_PER_FIELD
        for token in field:
            whole, parts = normalize(token)
            assert all(len(word) <= MAX_WORD_LENGTH for word in (whole, *parts))


@cases(400)
@given(title=short_texts(), body=texts(), body_format=FORMATS)
def test_both_rankers_find_the_same_in_any_text(
    models: tuple[TagModel, TagModel], title: str, body: str, body_format: BodyFormat
) -> None:
    """Confidences may differ more: if two tags are equally likely, rounding decides."""
    CASES["rankers"] += 1
    fields = fields_of(title, body, body_format)
    ours, theirs = (model._ranker.rank(fields) for model in models)
    assert ours.evidence == pytest.approx(theirs.evidence)
    assert set(zip(*ours.found, strict=True)) == set(zip(*theirs.found, strict=True))
    assert ours.confidences == pytest.approx(theirs.confidences, abs=0.01)
    assert ours.jaccards == pytest.approx(theirs.jaccards, abs=0.01)


@cases(200)
@given(
    title=texts(),
    body=texts(),
    body_format=FORMATS,
    max_tags=st.integers(1, MAX_TAGS),
    min_confidence=st.floats(0, 1),
    exclude=st.lists(short_texts() | st.sampled_from(["python", "c++", "js"]), max_size=5),
)
def test_any_question_is_answered(
    models: tuple[TagModel, TagModel], title: str, body: str, exclude: list[str], **options: Any
) -> None:
    CASES["answers"] += 1
    answer = models[0].suggest(title, body, exclude=exclude, **options)
    given_tags = [each.tag for each in answer.suggestions]
    assert len(given_tags) == len(set(given_tags)) <= options["max_tags"]
    assert not {*given_tags} & {models[0].main_tag(name) for name in exclude}
    assert all(options["min_confidence"] <= each.confidence <= 1 for each in answer.suggestions)
    for share in (answer.known_share, answer.code_share, answer.top_confidence):
        assert 0 <= share <= 1
    assert 0 <= answer.expected_jaccard <= 1
    assert (answer.quiet_reason is None) == bool(given_tags)
    explained = models[0].explain(given_tags, title, body, body_format=options["body_format"])
    assert all(isfinite(each.score) for each in explained.values())


@cases(400)
@given(
    confidences=CONFIDENCES,
    other_tags=st.floats(0, 1e300),
    max_tags=st.integers(1, MAX_TAGS),
    known_share=st.floats(0, 1),
)
def test_the_decoder_chooses_a_possible_set(
    confidences: list[float], other_tags: float, max_tags: int, known_share: float
) -> None:
    CASES["decoder"] += 1
    expected = expected_jaccards(confidences, other_tags, max_tags)
    assert len(expected) == min(len(confidences), max_tags)
    assert all(0 <= each <= 1 + 1e-9 for each in expected)
    chosen = choose_tags(confidences, other_tags, max_tags)
    assert 0 <= chosen.size <= len(expected)
    assert 0 <= min_expected_jaccard(known_share, max_tags, 0.1) <= 1
