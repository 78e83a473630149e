import numpy as np

from lambda_src.tagger import vocabulary
from lambda_src.tagger.analyzer import QuestionTokens, tokenize
from lambda_src.tagger.rules import MAX_PAIRED_WORDS
from lambda_src.tagger.vocabulary import Vocabulary, Words, term_key

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


def found(title: str, body: str = "") -> dict[str, int]:
    known = Vocabulary(WORDS, KEYS, 4)
    terms, counts, _ = known.find(known.number(tokenize(title, body)))
    return {" ".join(known.spell(term)): count for term, count in zip(terms, counts, strict=True)}


def test_words_stay_as_their_lines() -> None:
    words = Words.of(["naïve", "c#", "日本"])
    assert [words[number] for number in range(len(words))] == ["naïve", "c#", "日本"]
    assert words.numbers() == {"naïve": 0, "c#": 1, "日本": 2}
    assert len(Words.of([])) == len(Words.of([]).numbers()) == 0


def test_words_and_pairs_are_counted_those_of_the_title_more() -> None:
    assert found("a b a", "a a b") == {"text a": 10, "text a b": 5}


def test_only_the_first_words_of_the_prose_make_pairs() -> None:
    near, far = (f"{'zzz ' * count} a b" for count in (MAX_PAIRED_WORDS - 2, MAX_PAIRED_WORDS - 1))
    assert found("", near) == {"text a": 1, "text a b": 1}
    assert found("", far) == {"text a": 1}


def test_code_is_a_space_of_its_own_without_pairs() -> None:
    assert found("", "b <pre><code>a b a b</code></pre>") == {"code b": 2}


def test_an_unknown_word_parts_a_pair() -> None:
    assert found("a zzz b") == {"text a": 4}


def test_compound_words_count_whole_and_in_parts() -> None:
    assert found("node.js") == {"text node.js": 4, "text js": 4}


def test_parts_of_words_too_long_to_be_remembered_count_each_time() -> None:
    known = Vocabulary(WORDS, KEYS, 4)
    tokens = QuestionTokens(["-".join(["js"] * 30)], [], [])
    for _ in range(2):
        assert known.number(tokens).title.parts.tolist() == [4] * 30


def test_occurrences_in_the_title_are_told_apart() -> None:
    known = Vocabulary(WORDS, KEYS, 4)
    terms, counts, in_title = known.find(known.number(tokenize("a b a", "a a b")))
    assert [known.spell(term)[1] for term in terms] == ["a", "a b"]
    assert counts.tolist() == [10, 5]
    assert in_title.tolist() == [2, 1]


def test_words_in_code_are_terms_of_their_own() -> None:
    known = Vocabulary(WORDS, np.union1d(KEYS, [term_key("code", 3)]), 4)
    node_js, a = (np.searchsorted(known.keys, term_key("text", word)) for word in (3, 0))
    in_code = known.in_code(np.array([node_js, a]))
    assert known.spell(in_code[0]) == ("code", "node.js")
    assert in_code[1] == -1


def test_hostile_words_do_not_fill_the_memory() -> None:
    known = Vocabulary(WORDS, KEYS, 4)
    limit = vocabulary._REMEMBERED_PIECES
    for start in range(0, 3 * limit, 1000):
        tokens = [f"w{number}" for number in range(start, start + 1000)]
        known.number(QuestionTokens(tokens, ["x" * 60_000], []))
    assert len(known._pieces) <= limit
    assert max(map(len, known._pieces)) <= 40
    assert known.number(QuestionTokens(["a"], [], [])).title.wholes.tolist() == [0]
