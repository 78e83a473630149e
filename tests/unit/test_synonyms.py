from pathlib import Path

import pytest

from lambda_src.tagger import TagModel
from model_build.corpus import CorpusError
from model_build.questions import Question
from model_build.synonyms import WELL_KNOWN, read_synonyms, replace_synonyms
from model_build.training import TrainingOptions, fit


def test_the_well_known_ones_name_main_tags_only() -> None:
    synonyms = read_synonyms([WELL_KNOWN])
    assert synonyms["js"] == "javascript"
    assert not synonyms.keys() & set(synonyms.values())


def test_an_answer_of_the_api_extends_them(tmp_path: Path) -> None:
    answer = tmp_path / "synonyms.json"
    answer.write_text('{"items": [{"from_tag": "Foo", "to_tag": "bar"}], "has_more": false}')
    assert read_synonyms([WELL_KNOWN, answer])["foo"] == "bar"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", "{"), ("a.json", "[]"), ("a.json", '{"items": [{}]}'), ("a.csv", "a,b\n1,2\n")],
)
def test_a_wrong_file_is_refused(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(CorpusError, match=r"not a file of synonyms.*tags/synonyms"):
        read_synonyms([path])
    with pytest.raises(CorpusError, match="cannot read"):
        read_synonyms([tmp_path / "absent.csv"])


def test_synonyms_are_replaced_with_the_tags_that_they_stand_for() -> None:
    questions = [Question("t", "", ("js", "node", "javascript")), Question("u", "", ("c",))]
    mapped = replace_synonyms(questions, {"js": "javascript", "node": "node.js"})
    assert [each.tags for each in mapped] == [("javascript", "node.js"), ("c",)]


def test_a_synonym_that_is_used_often_stays_a_tag() -> None:
    questions = [Question("alpha", "", ("osx",))] * 20 + [Question("beta", "", ("macos",))] * 20
    questions += [Question("beta", "", ("mac",))] * 5
    fitted = fit(questions, TrainingOptions(jobs=1), {"osx": "macos", "mac": "macos"})
    assert fitted.tags == [("macos", 25), ("osx", 20)]
    assert fitted.synonyms == {"mac": "macos"}


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("python", "python"),
        (" Python ", "python"),
        ("JS", "javascript"),
        ("golang", "go"),
        ("C♯", "c#"),
        ("\uff23\uff03", "c#"),  # full-width letters
        ("", None),
        ("no-such-tag", None),
    ],
)
def test_a_model_knows_its_tags_by_every_name(
    starter: TagModel, name: str, tag: str | None
) -> None:
    assert starter.main_tag(name) == tag
