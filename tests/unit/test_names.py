import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion

from lambda_src.tagger.analyzer import tokenize
from lambda_src.tagger.names import NameArrays, NameCounts, TagNames
from model_build.features import FeatureOptions, fit_tfidf
from model_build.vocabulary import FittedVocabulary, build_vocabulary, names_of

TAGS = ["c++", "unit-testing", "one-time-pad", "asp.net-mvc", "node.js", "python-3.x"]
SYNONYMS = {"cpp": "c++", "nodejs": "node.js", "otp": "one-time-pad"}


@pytest.fixture(scope="module")
def fitted() -> FittedVocabulary:
    tokens = [tokenize("some words here", "and there")] * 3
    tfidf, _ = fit_tfidf(tokens, FeatureOptions())
    union: FeatureUnion = tfidf.named_steps["terms"]
    return build_vocabulary(union, TAGS, SYNONYMS)


def count(fitted: FittedVocabulary, title: str, body: str = "") -> NameCounts:
    vocabulary = fitted.as_served(4)
    numbers = vocabulary.number(tokenize(title, body))
    names = fitted.tag_names(vocabulary)
    return names.count(vocabulary.find(numbers), vocabulary.with_capital(numbers))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("C++ or CPP?", {"c++"}),
        ("unit tests in c++", {"unit-testing", "c++"}),
        ("a unit of the test", set()),
        ("is a one time pad broken", {"one-time-pad"}),
        ("one time, a pad", set()),
        ("the OTP", {"one-time-pad"}),
        ("ASP.NET MVC and asp.net-mvc", {"asp.net-mvc"}),
        ("NodeJS, node.js", {"node.js"}),
        ("python 3.x", {"python-3.x"}),
        ("", set()),
    ],
)
def test_names_are_found_in_every_field(
    fitted: FittedVocabulary, text: str, tags: set[str]
) -> None:
    in_title, in_prose = count(fitted, text), count(fitted, "", text)
    assert {TAGS[tag] for tag in in_title.title} == tags
    assert {TAGS[tag] for tag in in_prose.prose} == tags
    assert in_title[:3] == (in_title.title, {}, {})
    assert in_prose[:3] == ({}, in_prose.prose, {})


def test_single_word_names_are_found_in_code(fitted: FittedVocabulary) -> None:
    counts = count(fitted, "", "<pre><code>require node.js</code></pre>")
    assert [TAGS[tag] for tag in counts.code] == ["node.js"]
    assert not counts.prose


@pytest.mark.parametrize(
    ("title", "tags"),
    [
        ("C++ or c++?", {"c++"}),
        ("C++ CPP?", None),
        ("c++ or cpp?", None),
        ("", None),
        ("c++ or CPP?", {"c++"}),
        ("c++ in Some Words", set()),
        ("My node.js", set()),
        ("my nodeJS", {"node.js"}),
        ("Unit Testing now", set()),
        ("Unit-Testing now", {"unit-testing"}),
        ("See otp at https://example.com/OTP", set()),
    ],
)
def test_names_of_one_word_with_a_capital_letter_are_found(
    fitted: FittedVocabulary, title: str, tags: set[str] | None
) -> None:
    capitals = count(fitted, title, "C++ OTP <code>CPP OTP</code>").capitals
    assert (None if capitals is None else {TAGS[tag] for tag in capitals}) == tags


def test_the_commonest_name_of_a_tag_counts(fitted: FittedVocabulary) -> None:
    assert count(fitted, "c++", "cpp cpp cpp c++")[:3] == ({0: 1}, {0: 3}, {})


def test_counts_are_given_by_field_and_tag(fitted: FittedVocabulary) -> None:
    counts = count(fitted, "c++", "unit tests")
    assert counts.counts_of(np.array([1, 0, 2])).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_a_tag_is_named_by_itself_its_parts_and_its_synonyms() -> None:
    assert names_of("one-time-pad", {"otp": "one-time-pad", "x": "y"}) == [
        ("one-time-pad",),
        ("one", "tim", "pad"),
        ("otp",),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"terms": np.array([99])},
        {"name_starts": np.array([0, 0])},
        {"name_starts": np.array([1])},
        {"tag_starts": np.array([], dtype=np.intp)},
        {"tag_starts": np.array([0, 50])},
        {"terms": np.array([-5])},
    ],
)
def test_names_that_do_not_fit_together_are_refused(
    fitted: FittedVocabulary, change: dict[str, object]
) -> None:
    arrays: NameArrays = fitted.names._replace(**change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="names of tags do not fit together"):
        TagNames(arrays, fitted.as_served(4))


@pytest.mark.parametrize(
    ("tag", "synonyms", "names"),
    [
        ("c++11", {"c++0x": "c++11"}, [("c++", "11"), ("c++", "0x")]),
        (".htaccess", {}, [("htaccess",)]),
        ("redux", {"@reduxjs/toolkit": "redux"}, [("redux",), ("reduxj", "toolkit")]),
        ("async-await", {}, [("async-await",), ("async", "await")]),
        ("+", {}, [("+",)]),
    ],
)
def test_a_name_has_the_words_that_the_analyzer_finds_in_it(
    tag: str, synonyms: dict[str, str], names: list[tuple[str, ...]]
) -> None:
    assert names_of(tag, synonyms) == names
