import numpy as np

from lambda_src.tagger import vocabulary
from lambda_src.tagger.analyzer import QuestionTokens, tokenize
from lambda_src.tagger.vocabulary import Vocabulary, term_key

WORDS = ["a", "b", "node", "node.js", "js"]
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


def found(title: str, body: str = "") -> dict[str, float]:
    known = Vocabulary(WORDS, KEYS, 4)
    terms, counts = known.find(known.keys_of(known.number(tokenize(title, body))))
    return {" ".join(known.spell(term)): count for term, count in zip(terms, counts, strict=True)}


def test_words_and_pairs_are_counted_those_of_the_title_more() -> None:
    assert found("a b a", "a a b") == {"text a": 10.0, "text a b": 5.0}


def test_code_is_a_space_of_its_own_without_pairs() -> None:
    assert found("", "b <pre><code>a b a b</code></pre>") == {"code b": 2.0}


def test_an_unknown_word_parts_a_pair() -> None:
    assert found("a zzz b") == {"text a": 4.0}


def test_compound_words_count_whole_and_in_parts() -> None:
    assert found("node.js") == {"text node.js": 4.0, "text js": 4.0}


def test_parts_of_words_too_long_to_be_remembered_count_each_time() -> None:
    known = Vocabulary(WORDS, KEYS, 4)
    tokens = QuestionTokens(["-".join(["js"] * 30)], [], [])
    for _ in range(2):
        assert known.number(tokens).title.parts == [4] * 30


def test_hostile_words_do_not_fill_the_memory() -> None:
    known = Vocabulary(WORDS, KEYS, 4)
    limit = vocabulary._REMEMBERED_TOKENS
    for start in range(0, 3 * limit, 1000):
        tokens = [f"w{number}" for number in range(start, start + 1000)]
        known.number(QuestionTokens(tokens, ["x" * 60_000], []))
    assert len(known._known_tokens) <= limit
    assert max(map(len, known._known_tokens)) <= 40
    assert known.number(QuestionTokens(["a"], [], [])).title.wholes == [0]
