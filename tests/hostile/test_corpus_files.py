"""Any bytes may be in a file of questions: a reader yields questions, or says what is wrong."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml.etree import XMLSyntaxError

from model_build.collect.errors import CollectError
from model_build.collect.from_dump import DumpStream, read_posts
from model_build.corpus import CorpusError
from model_build.corpus.reading import read_archive, read_questions
from model_build.corpus.rejects import Rejects
from tests.hostile.cases import CASES, cases
from tests.hostile.texts import CHARACTERS, JSON_VALUES, encodable, short_texts

_COLUMNS: Final = ["id", "title", "body", "tags", "creation_date", "score", "body_format", "site"]
_TAGS: Final = st.sampled_from(
    [
        *("<python><c++>", "python|c++", "['python', 'c++']", '["python"]', "{python}", "<python"),
        *("[", "(", "{a", "&lt;a&gt;", "&nbsp;", "'", "''", '""', "<NA>", "<>", "<<a>>", "[[]]"),
        *(" ", "|", ";", "null", "('a',)", "[1e999]", "[NaN]", "a" * 70, "&" * 50, "<a" * 50),
    ]
)
_VALUES: Final = (
    short_texts()
    | _TAGS
    | st.sampled_from(
        [
            *(
                "1e400",
                "9" * 50,
                "0000",
                "2016-03-01",
                "1e18",
                "-1",
                "20160301",
                "NaT",
                "1e9",
                "0x1",
            ),
            *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2016-W01-1", "\u0663" * 4),
        ]
    )
)
_ROWS: Final = st.lists(
    st.fixed_dictionaries({"title": _VALUES, "tags": _TAGS | _VALUES})
    | st.dictionaries(st.sampled_from(_COLUMNS), _VALUES | JSON_VALUES, max_size=6),
    min_size=1,
    max_size=6,
)
_BYTES: Final = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        [
            *(b"id,title,tags\n", b"title\ttags\n", b'{"title": "a", "tags": ["b"]}\n', b"[", b"]"),
            *(b'"', b'""', b"\\", b'\\"', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\0", b"{"),
            *(b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1f\x8b", b"\x80", b"1", b"python"),
            *(each.encode(errors="surrogatepass") for each in CHARACTERS),
        ]
    ),
    max_size=30,
).map(b"".join)


def _json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    written = io.StringIO()
    rows = [{name: encodable(str(value)) for name, value in row.items()} for row in rows]
    writer = csv.DictWriter(written, _COLUMNS, delimiter=delimiter, escapechar="\\")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    written = io.BytesIO()
    table = pa.Table.from_pylist(
        [{name: encodable(str(value)) for name, value in row.items()} for row in rows]
    )
    pq.write_table(table, written)
    return written.getvalue()


_WRITERS: Final[dict[str, Callable[[list[dict[str, Any]]], bytes]]] = {
    ".jsonl": _json_lines,
    ".json": lambda rows: json.dumps(rows).encode(),
    ".ndjson": lambda rows: json.dumps({"items": rows}).encode(),
    ".csv": _csv,
    ".tsv": lambda rows: _csv(rows, "\t"),
    ".parquet": _parquet,
}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """The ending of a file's name, and its content: rows, in which some bytes may be wrong."""
    ending = draw(st.sampled_from(sorted(_WRITERS)))
    content = _WRITERS[ending](draw(_ROWS)) if draw(st.booleans()) else draw(_BYTES)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 8))
        content = content[:place] + draw(_BYTES) + content[place + length :]
    if ending != ".parquet" and draw(st.booleans()):
        ending, content = f"{ending}.gz", gzip.compress(content, 1)
        content = content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content
    return ending, content


@cases(400)
@given(file=files())
@example(file=(".csv", b"id,title\n1,How do I sort a list?\n"))
def test_every_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, bytes]
) -> None:
    CASES["corpus files"] += 1
    ending, content = file
    folder = tmp_path_factory.getbasetemp()
    path = folder / f"hostile{ending}"
    path.write_bytes(content)
    for read in (read_questions, read_archive):
        rejects = Rejects(folder / "rejects.jsonl")
        try:
            found = list(read(path, rejects))
        except CorpusError:
            continue
        assert len(found) + rejects.total <= content.count(b"\n") + len(content)
        if rejects.total:
            lines = rejects.path.read_text(encoding="utf-8").splitlines()
            assert len(lines) == rejects.total
            assert all(json.loads(line)["reason"] for line in lines)


_POST: Final = '<row Id="1" PostTypeId="1" Title="a" Body="&lt;p&gt;" Tags="&lt;python&gt;" />'
_XML: Final = st.lists(
    st.sampled_from(
        [
            *(
                '<?xml version="1.0" encoding="utf-8"?>',
                "<posts>",
                "</posts>",
                _POST,
                "<row ",
                "/>",
            ),
            *('<!DOCTYPE a [<!ENTITY b "cccc">]>', "&b;", "<!--", "-->", "<![CDATA[", "]]>", "\0"),
            *(
                '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>',
                "&#0;",
                "&#xd800;",
                "<a>",
            ),
        ]
    )
    | short_texts(),
    max_size=12,
).map(lambda parts: encodable("".join(parts)).encode())


@cases(200)
@given(dump=_XML | st.binary(max_size=100))
def test_every_dump_is_read_or_refused(dump: bytes) -> None:
    CASES["dumps"] += 1
    stream = DumpStream(io.BytesIO(dump), lambda _: None)
    try:
        posts = [dict(each) for each in read_posts(stream)]
    except (CollectError, XMLSyntaxError):
        return
    assert all(isinstance(value, str) for each in posts for value in each.values())
