"""New tags, code and titles that are written by hand, and what a training makes of them."""

from pathlib import Path

import pytest

from lambda_src.tagger import TagModel
from lambda_src.tagger.analyzer import fields_of
from lambda_src.tagger.bundle import read_bundle
from lambda_src.tagger.ranker import PlainRanker
from model_build import training
from model_build.bundle_writer import write_bundle
from model_build.corpus import CorpusError
from model_build.made_questions import (
    PER_TAG,
    PER_TITLE_EXAMPLE,
    code_questions,
    title_questions,
)
from model_build.questions import Question
from model_build.ranking import FittedRanking, RankingCorpus, fit_ranking
from model_build.retrain_starter import CODE_EXAMPLES, NEW_TAGS, TITLE_EXAMPLES
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.taught import (
    SETS_PER_TAG,
    CodeExample,
    TitleExample,
    read_code_examples,
    read_new_tags,
    read_title_examples,
)
from model_build.training import TrainingOptions, fit

OPTIONS = TrainingOptions(jobs=1, min_tag_count=10)


def written(folder: Path, text: str) -> list[Path]:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    return [path]


def test_a_new_tag_comes_with_its_first_companion_always_and_with_the_others_in_turn(
    tmp_path: Path,
) -> None:
    sets = read_new_tags(written(tmp_path, "tag,companions\npnpm,npm node.js git\nuv,python\n"))
    assert len({each.id for each in sets}) == len(sets) == 2 * SETS_PER_TAG
    assert max(each.id for each in sets) < 0
    assert [each.tags for each in sets[:3]] == [
        ("pnpm", "npm", "node.js"),
        ("pnpm", "npm", "git"),
        ("pnpm", "npm", "node.js"),
    ]
    assert sets[-1].tags == ("uv", "python")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,companions\npnpm,npm\n", "not a file of new tags"),
        ("tag,companions\npnpm\n", "not a file of new tags"),
        ("tag,companions\npnpm,\n", "pnpm has no companions"),
        ("tag,companions\n,npm\n", "a row has no companions"),
    ],
)
def test_a_file_of_new_tags_that_is_none_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(CorpusError, match=complaint):
        read_new_tags(written(tmp_path, text))


def test_each_piece_of_code_has_the_tags_above_it(tmp_path: Path) -> None:
    files = written(tmp_path, "@@ ruby-on-rails ruby\n  puts 1\n\nend\n@@ c\nint x; // @@ no\n")
    assert read_code_examples(files) == [
        CodeExample(("ruby-on-rails", "ruby"), "  puts 1\n\nend"),
        CodeExample(("c",), "int x; // @@ no"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not a file of code examples"),
        ("int x;\n@@ c\nint x;\n", "not a file of code examples"),
        ("@@ c\n\n@@ go\nx := 1\n", "'c' has no tags or no code"),
        ("@@  \nint x;\n", "no tags or no code"),
    ],
)
def test_a_file_of_code_that_is_none_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(CorpusError, match=complaint):
        read_code_examples(written(tmp_path, text))


def test_each_title_has_the_tags_above_its_list(tmp_path: Path) -> None:
    files = written(tmp_path, "@@ rust rust-cargo\nA crate\n\n  Two crates\n@@ c\n@@no mark\n")
    assert read_title_examples(files) == [
        TitleExample(("rust", "rust-cargo"), "A crate"),
        TitleExample(("rust", "rust-cargo"), "Two crates"),
        TitleExample(("c",), "@@no mark"),
    ]


def test_what_is_below_a_hyphen_has_no_tags(tmp_path: Path) -> None:
    files = written(tmp_path, "@@ -\nThe weather\n@@ c\nA pointer\n")
    assert read_title_examples(files) == [
        TitleExample((), "The weather"),
        TitleExample(("c",), "A pointer"),
    ]
    assert [each.tags for each in read_code_examples(files)] == [(), ("c",)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("A crate\n", "not a file of title examples"),
        ("@@ rust\n\n@@ c\nA pointer\n", "'rust' has no tags or no titles"),
        ("@@ - c\nA pointer\n", "'- c' names tags, but '-' stands for none. Remove it"),
    ],
)
def test_a_file_of_titles_that_is_none_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(CorpusError, match=complaint):
        read_title_examples(written(tmp_path, text))


@pytest.mark.parametrize("read", [read_new_tags, read_code_examples, read_title_examples])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, read: type) -> None:
    with pytest.raises(CorpusError, match=r"gone: cannot read this file: No such file"):
        read([tmp_path / "gone"])
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(CorpusError, match=r"latin: this file is not UTF-8"):
        read([tmp_path / "latin"])


def test_an_example_makes_three_questions_of_code_in_one_fold() -> None:
    code = "#include <a>\nint x = 1;\nreturn x;"
    made = code_questions([CodeExample(("c",), "x"), CodeExample(("c", "gcc"), code)], 100)
    whole, first, second = made[3:]
    assert whole.tokens.code == ["include", "a", "int", "x", "1", "return", "x"]
    assert first.tokens.code == ["include", "a"]
    assert second.tokens.code == ["int", "x", "1", "return", "x"]
    assert ";$" in second.tokens.signals
    for each in (whole, first, second):
        assert each.row == 1
        assert each.question.tags == ("c", "gcc")
        assert each.tokens.title == each.tokens.prose == []


def test_a_title_makes_equal_questions_in_one_fold() -> None:
    examples = [TitleExample(("c",), "A pointer"), TitleExample(("go", "gin"), "Two WaitGroups")]
    made = title_questions(examples, 100)[PER_TITLE_EXAMPLE:]
    assert len(made) == PER_TITLE_EXAMPLE
    for each in made:
        assert each.row == 1
        assert each.question.tags == ("go", "gin")
        assert each.tokens == each.added
        assert each.tokens.title == ["two", "waitgroups"]


def test_the_regressions_learn_from_title_examples(tmp_path: Path, samples: list[Question]) -> None:
    (tag, _), *_ = fit(samples, OPTIONS).tags
    fitted = fit(samples, OPTIONS, title_examples=[TitleExample((tag,), "Frobnicate a qux")])
    assert fitted.corpus["title_examples"] == 1
    assert fitted.tags == fit(samples, OPTIONS).tags
    write_bundle(fitted, tmp_path / "model.safetensors", corpus={})
    model = TagModel.load(tmp_path / "model.safetensors")
    number = model.tags.index(tag)
    assert model.scores("frobnicate")[number] > model.scores("abc")[number]


def test_the_regressions_learn_from_titles_without_tags(
    tmp_path: Path, samples: list[Question]
) -> None:
    fitted = fit(samples, OPTIONS, title_examples=[TitleExample((), "Wash the qux")] * 5)
    assert fitted.corpus["title_examples"] == 5
    write_bundle(fitted, tmp_path / "model.safetensors", corpus={})
    model = TagModel.load(tmp_path / "model.safetensors")
    assert (model.scores("qux") <= model.scores("abc")).all()


def test_a_model_tells_texts_without_tags_from_questions(
    tmp_path: Path, samples: list[Question]
) -> None:
    chores = "Wash the plates", "Wash the dirty plates", "Dry the plates", "Plates are dirty"
    fitted = fit(samples, OPTIONS, title_examples=[TitleExample((), each) for each in chores])
    write_bundle(fitted, tmp_path / "model.safetensors", corpus={})
    model = TagModel(read_bundle(tmp_path / "model.safetensors"), ranker="plain")
    ranker = model._ranker
    assert isinstance(ranker, PlainRanker)
    chore, question = (
        ranker.scorer.off_topic_score(ranker.rank(fields_of(title)).found)
        for title in ("dry plates", samples[0].title)
    )
    assert chore > question


def test_the_re_ranker_learns_from_each_text_without_tags_once(
    samples: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked: list[RankingCorpus] = []

    def fit_ranking_of(corpus: RankingCorpus, seed: int) -> FittedRanking:
        ranked.append(corpus)
        return fit_ranking(corpus, seed)

    monkeypatch.setattr(training, "fit_ranking", fit_ranking_of)
    taught = [TitleExample((), "Wash it"), TitleExample((), "Dry it"), TitleExample(("c",), "Go")]
    for examples in ([], taught):
        fit(samples, OPTIONS, title_examples=examples)
    without, with_texts = ranked
    assert len(with_texts.questions) == len(without.questions) + 2
    assert with_texts.is_copy.sum() == without.is_copy.sum() + 2
    assert with_texts.has_tag.sum() == without.has_tag.sum()


def test_the_model_knows_a_new_tag_by_its_name(tmp_path: Path, samples: list[Question]) -> None:
    (companion, _), *_ = fit(samples, OPTIONS).tags
    new_tags = read_new_tags(written(tmp_path, f"tag,companions\nzorbium,{companion}\n"))
    fitted = fit(samples, OPTIONS, new_tags=new_tags)
    assert (fitted.corpus["new_tags"], fitted.corpus["named_tags"]) == (1, 1)
    assert dict(fitted.tags)["zorbium"] == PER_TAG
    write_bundle(fitted, tmp_path / "model.safetensors", corpus={})
    model = TagModel.load(tmp_path / "model.safetensors")
    number = model.tags.index("zorbium")
    assert model.scores("An example with Zorbium")[number] > model.scores("An example")[number] + 1


def test_the_regressions_learn_from_code_examples(tmp_path: Path, samples: list[Question]) -> None:
    (tag, _), *_ = fit(samples, OPTIONS).tags
    code = "frobnicate >=> qux\nzorb frobnicate qux\nqux zorb"
    fitted = fit(samples, OPTIONS, code_examples=[CodeExample((tag,), code)] * 3)
    assert fitted.corpus["code_examples"] == 3
    # They are no questions of the corpus: nothing else counts them.
    assert fitted.tags == fit(samples, OPTIONS).tags
    write_bundle(fitted, tmp_path / "model.safetensors", corpus={})
    model = TagModel.load(tmp_path / "model.safetensors")
    number = model.tags.index(tag)
    asked, other = (
        model.scores("", f"```\n{text}\n```", "markdown")[number] for text in ("frobnicate", "abc")
    )
    assert asked > other


def test_the_files_of_the_starter_can_be_read() -> None:
    sets = read_new_tags(NEW_TAGS)
    names = [each.tags[0] for each in sets[::SETS_PER_TAG]]
    assert len(names) == len(set(names))
    assert names == [each.tags[0] for each in sets[SETS_PER_TAG - 1 :: SETS_PER_TAG]]
    synonyms = read_synonyms([WELL_KNOWN])
    used = {tag for each in sets for tag in each.tags}
    used |= {tag for each in read_code_examples(CODE_EXAMPLES) for tag in each.tags}
    used |= {tag for each in read_title_examples(TITLE_EXAMPLES) for tag in each.tags}
    # A synonym is no tag: a question with it would get the tag that it stands for.
    assert not used & synonyms.keys()
