import json
from datetime import datetime
from pathlib import Path

import pytest

from model_build.corpus import CorpusError, Rejects, read_corpus, read_questions, write_questions
from model_build.questions import BadQuestionError, Question, parse_tags
from tests.support.paths import DATA

SEDE = """\ufeffId,Title,Body,Tags,CreationDate,ViewCount,Score
1,"How do I sort, quickly?","<p>I have
a ""list"" and</p>
<pre><code>a,b</code></pre>","<python><list>",2020-01-02 03:04:05,1200,3
2,Why?,<p>Because</p>,|c++|.net|,2020-01-03T00:00:00,,
"""


def read(path: Path) -> tuple[list[Question], Rejects]:
    rejects = Rejects(path.with_suffix(".rejects"))
    return list(read_questions(path, rejects)), rejects


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_data_explorer_export(tmp_path: Path) -> None:
    questions, rejects = read(written(tmp_path, "export.csv", SEDE))
    assert rejects.total == 0
    assert questions[0].title == "How do I sort, quickly?"
    assert 'a "list" and</p>\n<pre>' in questions[0].body_html
    assert questions[0].tags == ("python", "list")
    assert questions[0].creation_date == datetime(2020, 1, 2, 3, 4, 5)
    assert (questions[0].id, questions[0].view_count) == (1, 1200)
    assert questions[1].tags == ("c++", ".net")
    assert questions[1].score is None


def test_parquet_comes_back_as_it_was_written(tmp_path: Path, samples: list[Question]) -> None:
    path = tmp_path / "samples.parquet"
    write_questions(samples, path)
    assert read(path)[0] == samples


def test_bad_rows_are_counted_and_kept(tmp_path: Path) -> None:
    lines = [
        {"title": "Good", "tags": ["a"]},
        {"title": "", "tags": ["a"]},
        {"title": "No tags", "tags": []},
        {"title": "Bad tag", "tags": ["two words"]},
        {"title": "Bad date", "tags": ["a"], "creation_date": "yesterday"},
        {"title": "Bad count", "tags": ["a"], "view_count": "many"},
        {"title": 7, "tags": ["a"]},
    ]
    content = "\n".join([*map(json.dumps, lines), "{not json", "[1]", ""])
    questions, rejects = read(written(tmp_path, "mixed.jsonl", content))
    assert [question.title for question in questions] == ["Good"]
    assert rejects.total == 8
    kept = [json.loads(line) for line in rejects.path.read_text().splitlines()]
    assert [each["row"] for each in kept] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert kept[1]["data"] == {"title": "No tags", "tags": []}
    assert "two words" in kept[2]["reason"]


def test_a_bad_csv_row_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    content = b"title,tags\nfine,<a>\nshort\n\xff\xfe,<b>\nalso fine,<c>\n"
    questions, rejects = read(written(tmp_path, "rows.csv", content))
    assert [question.title for question in questions] == ["fine", "also fine"]
    assert rejects.total == 2


def test_a_csv_field_may_be_long_and_may_hold_a_nul(tmp_path: Path) -> None:
    body = "x" * 300_000 + "\0"
    questions, _ = read(written(tmp_path, "long.csv", f"title,body,tags\na,{body},<a>\n"))
    assert questions[0].body_html == body


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "title,body\nx,y\n", "no column 'tags'"),
        ("a.jsonl", '{"tags": ["x"]}\n', "no column 'title'"),
        ("a.jsonl", "", "no question in it"),
        ("a.csv", "", "no column 'title'"),
        ("a.parquet", "not parquet", "no readable Parquet"),
        ("a.xlsx", "", "Name a file that ends in .parquet, .csv, .jsonl"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    with pytest.raises(CorpusError, match=message) as caught:
        read(written(tmp_path, name, content))
    assert name in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"absent\.csv: cannot read"):
        read(tmp_path / "absent.csv")


def test_a_cut_down_corpus_judges_only_its_tags(tmp_path: Path) -> None:
    whole = written(tmp_path, "whole.jsonl", '{"title": "x", "tags": ["a", "rare"]}\n')
    cut = written(tmp_path, "cut.jsonl", '{"title": "y", "tags": ["a"]}\n')
    with Rejects(tmp_path / "rejects") as rejects:
        questions = read_corpus([whole], rejects, partial_paths=[cut])
    assert [question.judged_tags for question in questions] == [None, frozenset({"a"})]


@pytest.mark.parametrize("value", [None, "", [], "<>", float("nan"), 3, ["<a>"], ["x" * 65]])
def test_impossible_tags_are_refused(value: object) -> None:
    with pytest.raises(BadQuestionError):
        parse_tags(value)


@pytest.mark.data
def test_the_real_questions_are_read_without_loss(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects") as rejects:
        questions = read_corpus([DATA / "so_html.parquet", DATA / "so_titles.parquet"], rejects)
    assert (len(questions), rejects.total) == (989 + 33_434, 0)
