"""Questions of the corpus with a name or a word in their titles."""

from collections import Counter
from collections.abc import Sequence

from lambda_src.tagger.analyzer import normalize
from model_build.features import tokens_of
from model_build.made_questions import (
    MIN_NAME_USES,
    PER_NAME,
    PER_TAG,
    MadeQuestion,
    misleading_questions,
    named_questions,
    uses_of,
    words_of_tags,
)
from model_build.questions import Question
from model_build.tag_sets import TagSet

TITLE = ["how", "do", "i", "sort", "a", "list"]
TITLE_WORDS = {normalize(word).whole for word in [*TITLE, "center", "box"]}
KNOWN = frozenset({"python", "css"})
CORPUS = [
    Question("How do I sort a list", "<p>Of numbers</p><code>sort()</code>", ("python", "list")),
    Question("Center a box", "", ("css",)),
    Question("Cut down", "", ("python",), judged_tags=frozenset({"python"})),
]


def tag_sets(*tags: str, times: int) -> list[TagSet]:
    return [TagSet(number, tags) for number in range(times)]


def made(
    sets: Sequence[TagSet], learned: frozenset[str] = frozenset(), **synonyms: str
) -> list[MadeQuestion]:
    return named_questions(
        CORPUS,
        tokens_of(CORPUS),
        sets,
        known=KNOWN,
        learned=learned,
        synonyms=synonyms,
        seed=0,
    )


def test_a_name_comes_into_titles_of_questions_with_a_tag_of_its_sets() -> None:
    questions = made(tag_sets("python", "pydantic", times=PER_NAME))
    assert len(questions) == PER_NAME
    for each in questions:
        assert each.row == 0
        assert each.question.tags == ("python", "list", "pydantic")
        assert sorted(each.tokens.title) == sorted(["pydantic", *TITLE])
        assert each.tokens[1:4] == ([], [], [])
        assert each.added.title == ["pydantic"]


def test_a_tag_of_the_model_gets_more_questions_than_another_name() -> None:
    sets = tag_sets("python", "pydantic", times=50)
    assert len(made(sets, frozenset({"pydantic"}))) == PER_TAG


def test_names_that_are_rare_known_or_without_a_known_companion_are_not_taught() -> None:
    assert made(tag_sets("python", "pydantic", times=MIN_NAME_USES - 1)) == []
    assert made(tag_sets("python", "css", times=50)) == []
    assert made(tag_sets("haskell", "stack", times=50)) == []


def test_names_are_written_in_parts_and_as_synonyms() -> None:
    sets = tag_sets("python", "css", "python-poetry", times=500)
    written = {
        " ".join(word for word in each.tokens.title if normalize(word).whole not in TITLE_WORDS)
        for each in made(sets, frozenset({"python-poetry"}), poetry="python-poetry")
    }
    assert {"python-poetry", "poetry", "python poetry"} >= written > {"poetry"}


def test_a_name_is_written_in_tokens() -> None:
    (each, *_) = made(tag_sets("css", "@reduxjs/toolkit", times=PER_NAME))
    assert sorted(each.tokens.title) == ["a", "box", "center", "reduxjs", "toolkit"]


def test_uses_count_a_synonym_as_its_tag_and_a_tag_once_for_each_set() -> None:
    sets = [TagSet(1, ("py", "python")), TagSet(2, ("py",))]
    assert uses_of(sets, {"py": "python"}) == {"python": 2}


MISLEADING_CORPUS = [
    *[Question(f"Swift closure {number}", "", ("swift",)) for number in range(40)],
    *[Question(f"Center box {number}", "<p>Swift</p>", ("css",)) for number in range(40)],
    Question("Cut down", "", (), judged_tags=frozenset({"python"})),
]


def test_a_word_of_a_tag_comes_into_titles_of_questions_without_the_tag() -> None:
    tokens = tokens_of(MISLEADING_CORPUS)
    questions = misleading_questions(MISLEADING_CORPUS, tokens, tags=["swift"], per_tag=15, seed=0)
    assert 0 < len(questions) <= 15
    for each in questions:
        assert each.question == MISLEADING_CORPUS[each.row]
        assert each.question.tags == ("css",)
        (added,) = (Counter(each.tokens.title) - Counter(tokens[each.row].title)).elements()
        assert added in {"swift", "closur"}
        assert each.tokens[1:4] == ([], [], [])


def test_a_rare_tag_has_fewer_misleading_questions_than_real_ones() -> None:
    corpus = [
        *[Question(f"Rust borrow {number}", "", ("rust",)) for number in range(4)],
        *MISLEADING_CORPUS,
    ]
    questions = misleading_questions(corpus, tokens_of(corpus), tags=["rust"], per_tag=15, seed=0)
    assert 0 < len(questions) <= 2


def test_words_of_a_tag_are_common_with_it_and_rare_elsewhere() -> None:
    words = words_of_tags(MISLEADING_CORPUS, tokens_of(MISLEADING_CORPUS))
    assert words["swift"] == ["closur", "swift"]
    assert words["css"] == ["box", "center"]
