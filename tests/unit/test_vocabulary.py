import numpy as np
import pytest

from lambda_src.tagger.analyzer import tokenize
from lambda_src.tagger.model import RankerChoice
from lambda_src.tagger.rules import MAX_PAIRED_WORDS
from lambda_src.tagger.vocabulary import Vocabulary, Words, term_key
from tests.golden.results import found_terms
from tests.golden.synthetic import TITLE_WEIGHT, make_bundle
from tests.golden.texts import Text

WORDS = Words.of(["a", "b", "node", "node.js", "js"])
KEYS = np.array(
    sorted(
        [
            term_key("text", 0),
            term_key("text", 0, 1),
            term_key("text", 3),
            term_key("text", 4),
            term_key("code", 1),
        ]
    )
)
BUNDLE = make_bundle(["a", "b", "nod", "node.js", "js"], ["a b"])


class Find:
    """Finds the terms of texts, with their counts, with one implementation of the ranker."""

    def __init__(self, ranker: RankerChoice) -> None:
        self._ranker = ranker

    def __call__(self, title: str, body: str = "") -> dict[str, int]:
        return {term: count for term, (count, *_) in self.by_field(title, body).items()}

    def by_field(self, title: str, body: str = "") -> dict[str, list[int]]:
        return found_terms(Text(title, body), BUNDLE, self._ranker)


@pytest.fixture
def find(ranker: RankerChoice) -> Find:
    """Each implementation in turn."""
    return Find(ranker)


def test_words_stay_as_their_lines() -> None:
    words = Words.of(["naïve", "c#", "日本"])
    assert [words[number] for number in range(len(words))] == ["naïve", "c#", "日本"]
    assert words.numbers() == {"naïve": 0, "c#": 1, "日本": 2}
    assert len(Words.of([])) == len(Words.of([]).numbers()) == 0


def test_words_and_pairs_are_counted_and_count_more_in_the_title(find: Find) -> None:
    once = TITLE_WEIGHT
    assert find("a b a") == {"text: a": 2 * once, "text: b": once, "text: a b": once}
    assert find("a b a", "a a b") == {
        "text: a": 2 * once + 2,
        "text: b": once + 1,
        "text: a b": once + 1,
    }


def test_occurrences_in_the_title_are_counted_apart(find: Find) -> None:
    assert {term: n for term, (_, n, _) in find.by_field("a b a", "a a b").items()} == {
        "text: a": 2,
        "text: b": 1,
        "text: a b": 1,
    }


def test_only_the_first_words_of_the_prose_make_pairs(find: Find) -> None:
    near, far = (f"{'zzz ' * count} a b" for count in (MAX_PAIRED_WORDS - 2, MAX_PAIRED_WORDS - 1))
    assert "text: a b" in find("", near)
    assert find("", far) == {"text: a": 1, "text: b": 1}
    assert "text: a b" in find(far)


def test_code_has_its_own_terms_and_no_pairs(find: Find) -> None:
    assert find("", "b <pre><code>a b a b</code></pre>") == {
        "text: b": 1,
        "code: a": 2,
        "code: b": 2,
    }


def test_a_word_of_code_counts_once_as_text(find: Find) -> None:
    body = "js <pre><code>node.js js b js</code></pre>"
    assert find.by_field("", body) == {
        "code: node.js": [1, 0, 0],
        "code: nod": [1, 0, 0],
        "code: js": [3, 0, 0],
        "code: b": [1, 0, 0],
        "text: node.js": [1, 0, 1],
        "text: nod": [1, 0, 1],
        "text: js": [2, 0, 1],
    }


def test_an_unknown_word_separates_a_pair(find: Find) -> None:
    assert find("a zzz b") == {"text: a": 4, "text: b": 4}


def test_a_pair_does_not_cross_fields(find: Find) -> None:
    assert find("a", "b") == {"text: a": 4, "text: b": 1}


def test_compound_words_count_as_a_whole_and_in_parts(find: Find) -> None:
    assert find("node.js") == {"text: node.js": 4, "text: nod": 4, "text: js": 4}


def test_parts_of_long_tokens_count_each_time(find: Find) -> None:
    for _ in range(2):
        assert find("", "-".join(["js"] * 30)) == {"text: js": 30}


def test_words_in_code_are_other_terms() -> None:
    known = Vocabulary(WORDS, np.union1d(KEYS, [term_key("code", 3)]), 4)
    node_js, a = (np.searchsorted(known.keys, term_key("text", word)) for word in (3, 0))
    in_code = known.in_code(np.array([node_js, a]))
    assert known.spell(in_code[0]) == ("code", "node.js")
    assert in_code[1] == -1


def test_unknown_words_have_the_number_behind_the_last() -> None:
    known = Vocabulary(WORDS, KEYS, 4)
    numbers = known.number(tokenize("a zzz node.js-zzz"))
    assert numbers.title.wholes == [0, known.unknown, known.unknown]
    assert numbers.title.parts == [4]


@pytest.mark.parametrize("keys", [[5, 5], [5, 4], [-1], [term_key("text", 5)], [2**60]])
def test_keys_that_do_not_fit_are_refused(keys: list[int]) -> None:
    with pytest.raises(ValueError, match="its terms"):
        Vocabulary(WORDS, np.array(keys), 4)


def test_a_word_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="array 'words' contains a word twice"):
        Vocabulary(Words.of(["a", "b", "a"]), KEYS[:0], 4).check_words()
