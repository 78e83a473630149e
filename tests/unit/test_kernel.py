"""The compiled ranker compared with the definition, on questions and models of every kind.

The golden files compare both with fixed answers: see test_golden.py.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_src.tagger import KernelError, TagModel, read_bundle
from lambda_src.tagger.analyzer import fields_of
from lambda_src.tagger.bundle import Bundle
from lambda_src.tagger.kernel import Kernel
from lambda_src.tagger.ranker import PlainRanker
from lambda_src.tagger.rules import MAX_CANDIDATES, MAX_PAIRED_WORDS
from model_build.bundle_writer import write_bundle
from model_build.questions import Question
from model_build.training import TrainingOptions, fit
from scripts.benchmarks import served_models
from scripts.benchmarks.growth import hostile_questions
from tests.support.paths import DATA, STARTER

Models = tuple[TagModel, TagModel]
Text = tuple[str, str]


@pytest.fixture(scope="module", autouse=True)
def models() -> Models:
    """The starter with the kernel and without it."""
    bundle = read_bundle(STARTER)
    if not Kernel.can_rank(bundle):
        pytest.skip("the kernel is not built: run scripts/setup kernel")
    return both(bundle)


def tolerance(scores: npt.NDArray[np.floating]) -> float:
    """Return how far the confidences of both may be apart.

    The kernel adds with other rounding. Two candidates whose scores differ by less than that may
    change places, and the calibrator knows the place of each.
    """
    nearest = np.diff(np.sort(scores)[-MAX_CANDIDATES - 1 :]).min(initial=1)
    return 1e-4 if nearest < 1e-5 else 1e-5


def assert_same(models: Models, questions: Iterable[Text]) -> int:
    """Compare all answers of both to questions; give how many questions have tags."""
    fast, plain = models
    n_ranked = 0
    for title, body in questions:
        ours, theirs = fast.suggest(title, body), plain.suggest(title, body)
        assert sorted(ours.terms.tolist()) == theirs.terms.tolist()
        assert ours.known_share == pytest.approx(theirs.known_share)
        assert ours.quiet_reason == theirs.quiet_reason
        scores = plain.scores(title, body)
        near = tolerance(scores)
        assert ours.top_confidence == pytest.approx(theirs.top_confidence, abs=near)
        assert [each.tag for each in ours.suggestions] == [each.tag for each in theirs.suggestions]
        ranked, expected = (dict(each.rank(title, body, limit=99)) for each in models)
        assert ranked == pytest.approx(expected, abs=near)
        assert fast.scores(title, body) == pytest.approx(scores, abs=1e-5)
        n_ranked += bool(ranked)
    return n_ranked


def test_it_replaces_the_definition(models: Models) -> None:
    assert [type(each._ranker) for each in models] == [Kernel, PlainRanker]


def test_questions_get_the_same_answers(models: Models, samples: list[Question]) -> None:
    texts = [(each.title, each.body) for each in samples]
    assert assert_same(models, texts) > len(texts) / 2
    assert assert_same(models, [(title, "") for title, _ in texts]) > len(texts) / 2
    assert assert_same(models, [("", body) for _, body in texts if body])


@pytest.mark.data
@pytest.mark.parametrize("name", ["so_titles", "so_html", "se_html"])
def test_real_questions_get_the_same_answers(models: Models, name: str) -> None:
    questions = served_models.read(DATA / f"{name}.parquet", quick=False)[:1000]
    texts = [(each.title, each.body) for each in questions]
    assert assert_same(models, texts) > 0.9 * len(texts)


def test_questions_get_the_same_explanations(models: Models, samples: list[Question]) -> None:
    for each in samples:
        suggested = [tag for tag, _ in models[0].suggest(each.title, each.body).suggestions]
        fast, plain = (model.explain(suggested, each.title, each.body) for model in models)
        for tag in suggested:
            assert fast[tag].score == pytest.approx(plain[tag].score, abs=1e-5)
            ours, theirs = ({c[:2]: c.weight for c in e[tag].terms} for e in (fast, plain))
            assert ours == pytest.approx(theirs, abs=1e-5)


def test_hostile_questions_get_the_same_answers(models: Models) -> None:
    assert assert_same(models, hostile_questions().values())


_FILLING = (
    "how to python pandas node.js asp.net-mvc c++ don't qwrtz '' sql-server "
    "r, c) & d and or \\r -r c: => <- ; { # $"
)
_WORDS = st.sampled_from(
    [
        *_FILLING.split(),
        "<code>",
        "</code>",
        "<p>",
        "…",
        "\0",
        "C#'s",
        "UITableView",
        "getX's",
        "WWW.Ab.cd",
        "URLs",
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=st.text() | st.lists(_WORDS).map(" ".join), body=st.lists(_WORDS).map(" ".join))
def test_in_any_text_the_same_words_are_found(models: Models, title: str, body: str) -> None:
    """Confidences may differ more: if two tags are equally likely, rounding decides."""
    for text in ((title, body), (body, title)):
        ours, theirs = (each._ranker.rank(fields_of(*text)) for each in models)
        assert ours.evidence.known_share == pytest.approx(theirs.evidence.known_share)
        assert ours.evidence.n_topic_words == theirs.evidence.n_topic_words
        assert set(zip(*ours.found, strict=True)) == set(zip(*theirs.found, strict=True))
        assert ours.confidences == pytest.approx(theirs.confidences, abs=0.01)
        assert ours.jaccards == pytest.approx(theirs.jaccards, abs=0.01)


def test_questions_with_very_many_terms_get_the_same_answers(models: Models) -> None:
    fast, _ = models
    known = [word for word in fast.vocabulary.words.numbers() if word.isalpha()][:1_200]
    fields = [" ".join(known[place : place + 400]) for place in (0, 400, 800)]
    assert len(fast.suggest(fields[0], fields[1]).terms) > 700
    html = f"<p>{fields[1]}</p><pre>{fields[2]}</pre>"
    assert assert_same(models, [(fields[0], fields[1]), (fields[0], html)])


@pytest.mark.parametrize(
    "title",
    [
        "Parse JSON in Go",
        "Go JSON",
        "go json",
        "Go 3 JSON",
        "Go's x86 JSON-based .NET ASP.NET c#",
        "Résumé of Go in naïve“C#”Java…PHP and R",
        "ÉCOLE Go JSON école",
        "Go www.Example.com json user@Example.com C",
        "NSString of AutoResetEvent.WaitOne in école",
        "WWW.GitHub.com",
        "HTTPS://x.com/UIView",
        f"{'x ' * 2_498}UITableView",
        f"{'word ' * 700}Go JSON",
        f"{'Word ' * 1_200}go json",
    ],
)
def test_capital_letters_count_the_same(models: Models, title: str) -> None:
    ours, theirs = (each.rank(title) for each in models)
    assert [tag for tag, _ in ours] == [tag for tag, _ in theirs]
    assert [c for _, c in ours] == pytest.approx([c for _, c in theirs], abs=1e-5)


def test_pairs_end_where_those_of_the_definition_end(models: Models) -> None:
    for far in range(MAX_PAIRED_WORDS - 3, MAX_PAIRED_WORDS + 2):
        assert assert_same(models, [("", f"{'qwrtz ' * far} object oriented programming")]) <= 1
        assert assert_same(models, [("", f"{'the ' * far} unit testing object oriented")])


def test_questions_at_the_same_time_do_not_disturb_each_other(
    models: Models, samples: list[Question]
) -> None:
    fast, _ = models
    texts = [(each.title, each.body) for each in samples] * 5
    alone = [fast.suggest(*each).suggestions for each in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda each: fast.suggest(*each).suggestions, texts)) == alone


@pytest.mark.parametrize("min_tag_count", [5, 12])
def test_small_models_answer_the_same(
    tmp_path: Path, samples: list[Question], min_tag_count: int
) -> None:
    """These models have fewer tags than there are candidates, and few pairs of tags, or none."""
    small = both(trained(tmp_path, samples, min_tag_count))
    assert isinstance(small[0]._ranker, Kernel)
    assert assert_same(small, [(each.title, each.body) for each in samples])


def test_words_of_other_alphabets_are_found(tmp_path: Path, samples: list[Question]) -> None:
    """The corpus has letters that are not ASCII, words that mix both kinds, and signs."""
    greek = str.maketrans("abgdelmnoprst", "αβγδελμνοπρστ")
    written = [
        replace(
            each,
            title=f"{each.title.translate(greek)} ²\u2013 …{number} naïve\u2019s e-ητα",
            body=f"<p>{each.body.translate(greek)}</p> \u00a0\u3000 x\u2028y",
        )
        for number, each in enumerate(samples)
    ]
    model = both(trained(tmp_path, written, 5))
    assert "ητα" in model[0].vocabulary.words.numbers()
    assert assert_same(model, [(each.title, each.body) for each in written]) == len(written)
    long = " ".join(f"{each.title}—{each.body}" for each in written)
    assert assert_same(model, [(long, ""), ("", long), ("", f"<code>{long}</code>")]) >= 2


def test_a_model_that_was_not_pruned_answers_without_it(
    tmp_path: Path, samples: list[Question]
) -> None:
    bundle = trained(tmp_path, samples, 5, prune=0)
    model, _ = both(bundle)
    assert isinstance(model._ranker, PlainRanker)
    with pytest.raises(KernelError, match=r"not 8-bit integers\. Train it with pruning"):
        TagModel(bundle, ranker="kernel")
    assert any(model.suggest(each.title, each.body).suggestions for each in samples)


def trained(
    folder: Path, questions: list[Question], min_tag_count: int, *, prune: float = 0.005
) -> Bundle:
    path = folder / "small.safetensors"
    fitted = fit(questions, TrainingOptions(min_tag_count=min_tag_count, prune=prune, jobs=1))
    write_bundle(fitted, path, corpus={"files": ["samples"]})
    return read_bundle(path)


def both(bundle: Bundle) -> Models:
    return TagModel(bundle, ranker="auto"), TagModel(bundle, ranker="plain")
