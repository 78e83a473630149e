import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion

from lambda_src.tagger.analyzer import tokenize
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.vocabulary import Floats
from model_build.features import FeatureOptions, fit_tfidf
from model_build.lexicon import Lexicon, make_lexicon, names_of

TAGS = ["c++", "unit-testing", "one-time-pad", "asp.net-mvc", "node.js", "python-3.x"]
SYNONYMS = {"cpp": "c++", "nodejs": "node.js", "otp": "one-time-pad"}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    tokens = [tokenize("some words here", "and there")] * 3
    tfidf, _ = fit_tfidf(tokens, FeatureOptions())
    union: FeatureUnion = tfidf.named_steps["terms"]
    return make_lexicon(union, TAGS, SYNONYMS)


def count(lexicon: Lexicon, body: str) -> Floats:
    vocabulary = lexicon.vocabulary(4)
    keys = vocabulary.keys_of(vocabulary.number(tokenize("", body)))
    return lexicon.tag_names().count(keys, np.arange(len(TAGS)))


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
def test_names_are_found_in_every_field(lexicon: Lexicon, text: str, tags: set[str]) -> None:
    vocabulary, names = lexicon.vocabulary(4), lexicon.tag_names()
    for field, (title, body) in enumerate([(text, ""), ("", text)]):
        keys = vocabulary.keys_of(vocabulary.number(tokenize(title, body)))
        counts = names.count(keys, np.arange(len(TAGS)))
        assert counts.shape == (3, len(TAGS))
        assert {TAGS[tag] for tag in np.flatnonzero(counts[field])} == tags
        assert counts.sum() == counts[field].sum()


def test_single_word_names_are_found_in_code(lexicon: Lexicon) -> None:
    body = "<pre><code>require node.js</code></pre>"
    counts = count(lexicon, body)
    assert TAGS[int(counts[2].argmax())] == "node.js"


def test_the_commonest_name_of_a_tag_counts(lexicon: Lexicon) -> None:
    assert count(lexicon, "cpp cpp cpp c++")[1, 0] == 3


def test_a_tag_is_named_by_itself_its_parts_and_its_synonyms() -> None:
    assert names_of("one-time-pad", {"otp": "one-time-pad", "x": "y"}) == [
        ("one-time-pad",),
        ("one", "tim", "pad"),
        ("otp",),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"name_keys": np.array([99])},
        {"name_starts": np.array([0, 0])},
        {"name_starts": np.array([1])},
        {"tag_starts": np.array([], dtype=np.intp)},
        {"tag_starts": np.array([0, 50])},
        {"keys": np.array([2**55], dtype=np.int64)},
    ],
)
def test_names_that_do_not_fit_are_refused(lexicon: Lexicon, change: dict[str, object]) -> None:
    arrays: NameArrays = lexicon.names._replace(**change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="its"):
        TagNames(arrays, len(lexicon.words))
