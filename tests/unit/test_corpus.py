import gzip
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from model_build.__main__ import main
from model_build.corpus import CorpusError, Rejects, read_corpus, write_questions
from model_build.questions import Question
from tests.support.corpus_files import read, written
from tests.support.paths import DATA, STARTER

SEDE = """\ufeffId,Title,Body,Tags,CreationDate,ViewCount,Score
1,"How do I sort, quickly?","<p>I have
a ""list"" and</p>
<pre><code>a,b</code></pre>","<python><list>",2020-01-02 03:04:05,1200,3
2,Why?,<p>Because</p>,|c++|.net|,2020-01-03T00:00:00,,
"""


def test_a_data_explorer_export(tmp_path: Path) -> None:
    questions, rejects = read(written(tmp_path, "export.csv", SEDE))
    assert rejects.total == 0
    assert questions[0].title == "How do I sort, quickly?"
    assert 'a "list" and</p>\n<pre>' in questions[0].body
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
    assert questions[0].body == body


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "title,body\nx,y\n", "no column 'tags'"),
        ("a.jsonl", '{"tags": ["x"]}\n', "no column 'title'"),
        ("a.jsonl", "", "no question in it"),
        ("a.csv", "", "no column 'title'"),
        ("a.csv", "\n \n", "no column 'title'"),
        ("a.csv", "title,Title,tags\n", "two columns have the same name"),
        ("a.csv", ",".join(f"c{n}" for n in range(3_000)), "c19 and 2980 more"),
        ("a.json", '{"items": [{"title": "x"', "this is not JSON"),
        (
            "a.json",
            '{"error_id": 502, "error_message": "throttle"}',
            "has: error_id, error_message",
        ),
        ("a.json", "[]", "no question in it"),
        ("a.csv.gz", b"\x1f\x8b\x08broken", "cannot decompress"),
        ("a.csv.gz", gzip.compress(b"title,tags\nx,<a>\n" * 99, mtime=0)[:-9], "cannot decompress"),
        ("a.csv", "title,tags\n".encode("utf-16") + b"x", "not a whole utf-16-le file"),
        ("a.parquet.gz", "", "unknown kind of file"),
        ("a", "", "unknown kind of file"),
        ("a.parquet", "not parquet", "not a readable Parquet"),
        ("a.xlsx", "", "Name a file that ends in .parquet, .csv, .tsv"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, content: str | bytes, message: str
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title,tags\n", "there is no question"),
        ("title,tags\nx,\ny,\n", "none of its 2 rows is a usable question"),
    ],
)
def test_a_command_without_a_usable_question_fails_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    path = written(tmp_path, "useless.csv", content)
    out = tmp_path / "out"
    for command in (
        ["train", "--out", str(out / "m.safetensors")],
        ["split", "--out", str(out)],
        ["evaluate", "--model", str(STARTER), "--json", str(out / "report.json")],
    ):
        rejects = tmp_path / "rejects.jsonl"
        arguments = [*command, "--questions", str(path), "--rejects", str(rejects)]
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()


def test_the_rejects_file_is_never_the_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "corpus.jsonl", '{"title": "x", "tags": ["a"]}\n')
    arguments = ["split", "--questions", str(path), "--out", str(tmp_path / "parts")]
    assert main([*arguments, "--rejects", str(path)]) == 2
    assert "corpus.jsonl: this file holds questions" in capsys.readouterr().err
    assert path.exists()
    assert main([*arguments, "--rejects", str(tmp_path)]) == 2
    assert "cannot write the bad rows" in capsys.readouterr().err


@pytest.mark.data
def test_the_real_questions_are_read_without_loss(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects") as rejects:
        questions = read_corpus([DATA / "so_html.parquet", DATA / "so_titles.parquet"], rejects)
    assert (len(questions), rejects.total) == (989 + 33_434, 0)


@pytest.mark.data
def test_the_recent_questions_keep_format_source_and_date(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects") as rejects:
        questions = read_corpus([DATA / "so_recent.parquet"], rejects)
    assert (len(questions), rejects.total) == (42_315, 0)
    bodies = Counter(each.body_format for each in questions if each.body)
    assert bodies == {"html": 5_595, "text": 97, "markdown": 23}
    assert all(each.source for each in questions)
    assert sum(each.creation_date is None for each in questions) == 61


@pytest.mark.data
def test_tags_without_titles_are_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"so_id_tags\.parquet: there is no column 'title'"):
        read_corpus([DATA / "so_id_tags.parquet"], Rejects(tmp_path / "rejects"))
