import gzip
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_build.__main__ import main
from model_build.corpus import CorpusError, Rejects, read_corpus, read_questions, write_questions
from model_build.questions import Question
from tests.support.paths import DATA, STARTER

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


ROWS = """id,title,tags
1,One,<a><b>
2,"Two, or more",<c>
"""
BOTH = [(1, "One", ("a", "b")), (2, "Two, or more", ("c",))]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", ROWS),
        ("upper.CSV", ROWS),
        ("crlf.csv", ROWS.replace("\n", "\r\n")),
        ("cr.csv", ROWS.replace("\n", "\r")),
        ("mark.csv", ROWS.encode("utf-8-sig")),
        ("utf16.csv", ROWS.encode("utf-16")),
        ("utf16le.csv", ROWS.encode("utf-16-le")),
        ("utf16be.csv", ROWS.encode("utf-16-be")),
        ("utf32.csv", ROWS.encode("utf-32")),
        ("packed.csv.gz", gzip.compress(ROWS.encode(), mtime=0)),
        ("named_wrongly.csv.gz", ROWS),
        ("named_wrongly.csv", gzip.compress(ROWS.encode(), mtime=0)),
        ("packed_utf16.csv.gz", gzip.compress(ROWS.encode("utf-16"), mtime=0)),
        ("semicolons.csv", 'id;title;tags\n1;One;<a><b>\n2;"Two, or more";c\n'),
        ("tabs.csv", 'id\ttitle\ttags\n1\tOne\t"a,b"\n2\tTwo, or more\tc\n'),
        ("quoted.tsv", 'id\ttitle\ttags\n1\t"One"\t"a,b"\n2\tTwo, or more\tc\n'),
        ("header.csv", ROWS.replace("id,title,tags", ' ID ,"Title",Tags')),
        ("blanks.csv", 'id, title, tags\n1, One, "<a><b>"\n2, "Two, or more", c\n'),
        ("post_id.csv", ROWS.replace("id,title,tags", "Post Id,TITLE,TAGS")),
        ("empty_lines.csv", ROWS.replace("\n", "\n\n")),
        ("no_end.csv", ROWS.rstrip()),
        ("extra.csv", 'x,id,y,title,tags,y\n,1,,One,<a><b>,\n,2,,"Two, or more",<c>,\n'),
        (
            "index.csv",
            'id,question_id,title,tags\n7,1,One,<a><b>\n8,2,"Two, or more",<c>\n',
        ),
        (
            "lines.json",
            '{"id": 1, "title": "One", "tags": ["a", "b"]}\n\n'
            '{"id": 2, "title": "Two, or more", "tags": "[\'c\']"}',
        ),
        (
            "list.jsonl",
            '[\n{"id": 1, "title": "One", "tags": ["a", "b"]},\n'
            '{"id": 2, "title": "Two, or more", "tags": ["c"]}\n]',
        ),
        (
            "cr.jsonl",
            '{"id": 1, "title": "One", "tags": ["a", "b"]}\r'
            '{"id": 2, "title": "Two, or more", "tags": ["c"]}\r',
        ),
        (
            "utf16.ndjson",
            (
                '{"id": 1, "title": "One", "tags": ["a", "b"]}\n'
                '{"id": 2, "title": "Two, or more", "tags": ["c"]}'
            ).encode("utf-16"),
        ),
    ],
)
def test_kinds_of_text_files(tmp_path: Path, name: str, content: str | bytes) -> None:
    questions, rejects = read(written(tmp_path, name, content))
    assert [(each.id, each.title, each.tags) for each in questions] == BOTH
    assert rejects.total == 0


def kept_rows(rejects: Rejects) -> list[dict[str, object]]:
    return [json.loads(line) for line in rejects.path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ('2,"never closed,<p>x</p>,<a>\n', 3),
        ('2,never opened","<p>x</p>",<a>\n', None),
        ('2,"He said "hi" to me",<p>x</p>,<a>\n', 3),
        ('2,"closed" too early,<p>x</p>,<a>\n', 3),
        ("2,too,many,columns,<a>\n", 3),
        ("too few\n", 3),
        ('2,t,"<p>says "x",\n7,int b,int c,int d\nf(a, b, c),<y>,z,w\n</p>",<a>\n', 3),
    ],
)
def test_a_broken_row_is_rejected_and_the_others_are_read(
    tmp_path: Path, broken: str, line: int | None
) -> None:
    content = (
        'Id,Title,Body,Tags\n1,One,"<p>a\nb</p>",<a>\n'.replace("a\nb", "ab")
        + broken
        + '3,"Three","<p>c\n\nd</p>",<a><b>\n4,Four,,<c>\n'
    )
    questions, rejects = read(written(tmp_path, "broken.csv", content))
    if line is None:  # a stray mark in a value without marks is part of the value
        assert questions.pop(1).title == 'never opened"'
    assert [(each.id, each.body) for each in questions] == [
        (1, "<p>ab</p>"),
        (3, "<p>c\n\nd</p>"),
        (4, ""),
    ]
    if line is not None:
        kept = kept_rows(rejects)
        assert kept[0]["line"] == line
        assert "".join(str(each["data"]) for each in kept) == broken


def test_an_unclosed_quotation_mark_does_not_swallow_the_file(tmp_path: Path) -> None:
    rows = "".join(f"{number},Title {number},<a>\n" for number in range(2, 5_002))
    content = f'id,title,tags\n1,"never closed,<a>\n{rows}'
    questions, rejects = read(written(tmp_path, "swallowed.csv", content))
    assert len(questions) == 5_000
    (kept,) = kept_rows(rejects)
    assert (kept["row"], kept["line"]) == (1, 2)
    assert "Check the quotation marks" in str(kept["reason"])


def test_quotation_marks_may_be_escaped_with_backslashes(tmp_path: Path) -> None:
    content = (
        "id,title,body,tags\n"
        '1,"The \\"yield\\" keyword","<p>a, \\"b\\"</p>",<a>\n'
        '2,"A path C:\\\\x\\\\","<p>\\n</p>",<b>\n'
    )
    questions, rejects = read(written(tmp_path, "escaped.csv", content))
    assert rejects.total == 0
    assert [each.title for each in questions] == ['The "yield" keyword', "A path C:\\x\\"]
    assert [each.body for each in questions] == ['<p>a, "b"</p>', "<p>\\n</p>"]


def test_backslashes_of_a_regular_file_stay(tmp_path: Path) -> None:
    content = 'title,body,tags\nx,"<p>C:\\\\ printf(\\""a\\"")</p>",<a>\ny,"C:\\",<b>\n'
    questions, rejects = read(written(tmp_path, "regular.csv", content))
    assert rejects.total == 0
    assert [each.body for each in questions] == ['<p>C:\\\\ printf(\\"a\\")</p>', "C:\\"]


def test_a_tsv_file_may_never_quote(tmp_path: Path) -> None:
    content = 'title\ttags\n"yield" and "return"\t<a>\n"unclosed\t<b>\nplain\t<c>\n'
    questions, rejects = read(written(tmp_path, "literal.tsv", content))
    assert [each.title for each in questions] == ['"yield" and "return"', '"unclosed', "plain"]
    assert rejects.total == 0


def test_thousands_of_columns(tmp_path: Path) -> None:
    header = ",".join(["title", *(f"c{number}" for number in range(5_000)), "tags"])
    row = ",".join(["x", *["1"] * 5_000, "<a>"])
    questions, _ = read(written(tmp_path, "wide.csv", f"{header}\n{row}\n"))
    assert [each.tags for each in questions] == [("a",)]


def test_answers_of_the_api(tmp_path: Path) -> None:
    item = {
        "question_id": 7,
        "title": "Why doesn&#39;t &quot;c&#43;&#43;&quot; work &amp;amp; print?",
        "tags": ["c++"],
        "creation_date": 1456840627,
        "is_answered": True,
    }
    items = [
        item | {"body": "<p>&lt;b&gt;</p>"},
        item | {"body_markdown": "Is `a &lt; b`?\r\n\r\n    &quot;c&quot;"},
        item | {"body": "<p>x</p>", "body_markdown": "x"},
        item,
    ]
    answer = json.dumps({"items": items, "has_more": False, "quota_remaining": 9})
    contents: dict[str, str | bytes] = {
        "answer.json": answer,
        "indented.json": json.dumps(json.loads(answer), indent=2),
        "answers.jsonl": answer,
        "list.json": json.dumps([json.loads(answer)]),
        "items.jsonl": "\n".join(map(json.dumps, items)),
        "as_sent.json": gzip.compress(answer.encode()),
    }
    for name, content in contents.items():
        questions, rejects = read(written(tmp_path, name, content))
        assert rejects.total == 0
        assert {(each.id, each.title) for each in questions} == {
            (7, 'Why doesn\'t "c++" work &amp; print?')
        }
        assert questions[0].creation_date == datetime(2016, 3, 1, 13, 57, 7)
        assert [(each.body, each.body_format) for each in questions] == [
            ("<p>&lt;b&gt;</p>", "html"),
            ('Is `a < b`?\r\n\r\n    "c"', "markdown"),
            ("<p>x</p>", "html"),
            ("", "html"),
        ]
    write_questions(questions, tmp_path / "again.parquet")
    assert read(tmp_path / "again.parquet")[0] == questions


def test_bad_json_rows_are_kept_with_their_lines(tmp_path: Path) -> None:
    lines = [
        '{"title": "cut off", "tags": ["a"',
        '{"title": "Good", "tags": ["a"], "id": 1}',
        "",
        '{"title": "\\ud800", "tags": ["a"]}',
        '{"title": "t", "title": "u", "tags": ["a"]}',
        '{"title": "t", "Title": "u", "tags": ["a"]}',
        '{"title": "t", "tags": ["a"], "id": 9223372036854775808}',
        '{"title": "t", "tags": ["a"], "creation_date": "31.12.2019"}',
        '{"title": "t", "tags": {"a": 1}}',
        "[" * 100_000,
        '{"title": "t", "tags": ["a"], "body": "x", "body_format": "rst"}',
        '{"tags": ["a"]}',
        '{"title": "also\\u0000 good", "tags": ["a"], "creation_date": 1456840627}',
    ]
    questions, rejects = read(written(tmp_path, "bad.jsonl", "\n".join(lines)))
    assert [each.title for each in questions] == ["Good", "also  good"]
    assert [each["line"] for each in kept_rows(rejects)] == [1, *range(4, 13)]


def test_utf_16_is_found_without_a_mark_before_other_letters(tmp_path: Path) -> None:
    content = 'title,tags\n"Отсортировать список словарей по ключу",<питон>\n'
    for encoding in ("utf-16-le", "utf-16-be"):
        (question,), _ = read(written(tmp_path, "cyrillic.csv", content.encode(encoding)))
        assert question.tags == ("питон",)


def test_a_bad_object_of_a_document_costs_only_its_row(tmp_path: Path) -> None:
    content = '[{"title": "x", "title": "y", "tags": ["a"]}, 7, {"title": "z", "tags": ["a"]}]'
    (question,), rejects = read(written(tmp_path, "list.json", content))
    assert question.title == "z"
    assert [each["row"] for each in kept_rows(rejects)] == [1, 2]


def test_a_first_line_that_is_cut_off_costs_only_its_row(tmp_path: Path) -> None:
    content = '{"title": "cut\n{"title": "one\u2028line", "tags": ["a"]}\n'
    (question,), rejects = read(written(tmp_path, "cut.jsonl", content))
    assert question.title == "one\u2028line"
    assert rejects.total == 1


def test_bytes_that_are_not_utf_8_cost_only_their_row(tmp_path: Path) -> None:
    content = "id,title,tags\n1,caf\xe9,<a>\n2,coffee,<a>\n".encode("latin-1")
    questions, rejects = read(written(tmp_path, "latin.csv", content))
    assert [each.id for each in questions] == [2]
    assert "not valid UTF-8" in str(kept_rows(rejects)[0]["reason"])


def saved(path: Path, **columns: pa.Array | list[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_columns_of_a_parquet_file(tmp_path: Path) -> None:
    moment = datetime(2016, 3, 1, 13, 57, 7)
    for dates in (
        pa.array([1456840627_000000001], pa.timestamp("ns")),
        pa.array([1456840627_000000001], pa.timestamp("ns", "Europe/Paris")),
        pa.array([1456840627], pa.timestamp("s", "+05:30")),
        pa.array([1456840627], pa.timestamp("s", "Nowhere/Town")),
        pa.array([moment], pa.timestamp("s")),
        pa.array([moment], pa.timestamp("ms", "UTC")),
        pa.array([1456840627]),
        pa.array([1456840627.0]),
        pa.array(["2016-03-01 13:57:07 UTC"]),
    ):
        path = saved(tmp_path / "dates.parquet", title=["x"], tags=[["a"]], creation_date=dates)
        (question,), _ = read(path)
        assert question.creation_date == moment
    path = saved(
        tmp_path / "odd.parquet",
        title=pa.array([b"x", b"caf\xe9", b"y", b"z"], pa.binary()),
        tags=[["a"], ["a"], ["a", None], None],
        id=pa.array([1, 2, 3, 2**64 - 1], pa.uint64()),
    )
    questions, rejects = read(path)
    assert [each.id for each in questions] == [1]
    assert [each["row"] for each in kept_rows(rejects)] == [2, 3, 4]
    far = pa.array([2**62, 0], pa.timestamp("us"))
    path = saved(tmp_path / "far.parquet", title=["x", "y"], tags=[["a"]] * 2, creation_date=far)
    questions, rejects = read(path)
    assert [each.creation_date for each in questions] == [datetime(1970, 1, 1)]
    assert rejects.total == 1
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffy")]
    )
    questions, rejects = read(saved(tmp_path / "b.parquet", title=broken, tags=[["a"]] * 2))
    assert [each.title for each in questions] == ["y"]
    assert rejects.total == 1


def test_a_folder_of_parquet_files(tmp_path: Path) -> None:
    folder = tmp_path / "corpus.parquet"
    saved(folder / "site=cooking" / "part-0.parquet", title=["x", ""], tags=[["a"], ["a"]])
    saved(folder / "site=beer" / "part-0.parquet", title=["y"], tags=["<a>"])
    for name in ("_SUCCESS", ".part-0.parquet.crc", "_metadata.parquet", "README.txt"):
        (folder / name).touch()
    questions, rejects = read(folder)
    assert [(each.title, each.site) for each in questions] == [("y", "beer"), ("x", "cooking")]
    assert kept_rows(rejects)[0]["row"] == 2
    written(folder, "part-9.parquet", "damaged")
    with pytest.raises(CorpusError, match=r"part-9\.parquet: this is not a readable Parquet"):
        read(folder)


def test_a_folder_without_questions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.parquet").mkdir()
    with pytest.raises(CorpusError, match="no Parquet file in this folder"):
        read(tmp_path / "empty.parquet")
    (tmp_path / "part.csv").mkdir()
    with pytest.raises(CorpusError, match="this is a folder"):
        read(tmp_path / "part.csv")


def test_two_parquet_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.table([["x"], ["y"], ["<a>"]], names=["title", "title", "tags"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(CorpusError, match="two columns have the same name"):
        read(tmp_path / "twice.parquet")


def test_an_estimated_date_stands_in_for_a_missing_one(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "estimated.parquet",
        title=["a", "b", "c", "d"],
        tags=[["a"]] * 4,
        creation_date=["2020-01-01", "", "", ""],
        creation_date_est=["2019-01-01", "2019-05-01", "", ""],
        creation_year_est=["2019", "2018", "2018", ""],
        source=["one", "two", "two", ""],
    )
    questions, _ = read(path)
    assert [each.creation_date for each in questions] == [
        datetime(2020, 1, 1),
        datetime(2019, 5, 1),
        datetime(2018, 12, 31),
        None,
    ]
    assert [each.source for each in questions] == ["one", "two", "two", None]


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
