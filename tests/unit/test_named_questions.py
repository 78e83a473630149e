"""Questions of the corpus with the name of a tag that only tag sets know."""

from collections import Counter
from collections.abc import Sequence

from lambda_src.tagger.analyzer import normalize
from model_build.features import tokens_of
from model_build.named_questions import (
    MIN_NAME_USES,
    PER_NAME,
    PER_TAG,
    NamedQuestion,
    named_questions,
    uses_of,
)
from model_build.questions import Question
from model_build.tag_sets import TagSet

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
) -> list[NamedQuestion]:
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
    questions = made(tag_sets("python", "pydantic", times=MIN_NAME_USES))
    assert len(questions) == PER_NAME
    for each in questions:
        assert each.row == 0
        assert each.question.tags == ("python", "list", "pydantic")
        assert Counter(each.tokens.title) == Counter(["pydantic", *"how do i sort a list".split()])
        assert not (each.tokens.prose or each.tokens.code or each.tokens.signals)


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


def test_uses_count_a_synonym_as_its_tag_and_a_tag_once_for_each_set() -> None:
    sets = [TagSet(1, ("py", "python")), TagSet(2, ("py",))]
    assert uses_of(sets, {"py": "python"}) == {"python": 2}


TITLE_WORDS = {normalize(word).whole for word in "how do i sort a list center box".split()}
