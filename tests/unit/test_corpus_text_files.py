import gzip
from pathlib import Path

import pytest

from tests.support.corpus_files import kept_rows, read, written

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
