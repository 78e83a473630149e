"""What every source of a corpus must do. A new kind of file needs an entry in WRITERS."""

import csv
import gzip
import importlib
import io
import json
import pkgutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import model_build.corpus
from lambda_src.tagger import TagModel
from model_build.corpus import Rejects, read_questions
from model_build.corpus.reading import READERS, SUFFIXES
from model_build.duplicates import group_duplicates
from model_build.evaluation import judge
from model_build.features import tokens_of
from model_build.questions import Question

Rows = list[dict[str, object]]


def delimited(rows: Rows, delimiter: str) -> bytes:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: Rows) -> bytes:
    sink = pa.BufferOutputStream()
    columns = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in columns}), sink)
    return bytes(sink.getvalue())


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    ".parquet": parquet,
    ".csv": lambda rows: delimited(rows, ","),
    ".tsv": lambda rows: delimited(rows, "\t"),
    ".json": lambda rows: json.dumps(rows, indent=1).encode(),
    ".jsonl": json_lines,
    ".ndjson": json_lines,
}
HTML = "<p>Is <code>a</code> sorted?</p>"
MARKDOWN = "Is `a` sorted?\n\n    b = 1\n"
ROWS: Rows = [
    {"Id": 1, "Title": "One", "Tags": "<a><b>", "CreationDate": "2020-01-02 03:04:05"},
    {"Id": 2, "Title": "", "Tags": "<a>", "CreationDate": "2020-01-02"},
    {"Id": 3, "Title": "Three", "Tags": "<c>", "CreationDate": "2020-01-04"},
]


def test_every_kind_of_file_is_tested() -> None:
    assert list(WRITERS) == list(READERS), "add the missing ending to READERS or to WRITERS"


def test_every_reader_is_in_use() -> None:
    modules = [
        importlib.import_module(f"{model_build.corpus.__name__}.{module.name}")
        for module in pkgutil.iter_modules(model_build.corpus.__path__)
    ]
    readers = {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("read_") and getattr(value, "__module__", "") == module.__name__
    }
    whole_corpus = {
        read_questions,
        model_build.corpus.read_archive,
        model_build.corpus.read_rows,
        model_build.corpus.read_corpus,
        model_build.corpus.read_rows,
        model_build.corpus.read_tag_sets,
    }
    unused = readers - set(READERS.values()) - whole_corpus
    assert not unused, "add these readers to READERS"


def every_name() -> list[str]:
    return [f"questions{suffix.strip()}" for suffix in SUFFIXES.split(",")]


def write(path: Path, rows: Rows) -> Path:
    is_compressed = path.suffix == ".gz"
    suffix = path.with_suffix("").suffix if is_compressed else path.suffix
    content = WRITERS[suffix](rows)
    path.write_bytes(gzip.compress(content) if is_compressed else content)
    return path


@pytest.mark.parametrize("name", every_name())
def test_good_rows_are_read_and_bad_rows_are_kept(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ROWS)
    rejects = Rejects(tmp_path / "rejects.jsonl")
    first, third = read_questions(path, rejects)
    assert (first.id, first.title, first.tags) == (1, "One", ("a", "b"))
    assert first.creation_date == datetime(2020, 1, 2, 3, 4, 5)
    assert third.id == 3
    (kept,) = map(json.loads, rejects.path.read_text().splitlines())
    assert kept["file"] == str(path)
    assert kept["row"] == 2
    assert kept["reason"] == "the title is empty"
    assert "2" in str(kept["data"]["id"])


@pytest.mark.parametrize("name", every_name())
def test_a_body_keeps_its_format(tmp_path: Path, name: str) -> None:
    base: Rows = [{"title": "One", "tags": "<a>"}]

    def read(**body: str) -> tuple[str, str]:
        path = write(tmp_path / name, [base[0] | body])
        (question,) = read_questions(path, Rejects(tmp_path / "rejects"))
        return question.body, question.body_format

    assert read(body_html=HTML) == read(body=HTML) == (HTML, "html")
    assert read(body_markdown=MARKDOWN) == read(body=MARKDOWN) == (MARKDOWN, "markdown")
    assert read(body_html=MARKDOWN, body_format="markdown") == (MARKDOWN, "markdown")
    assert read(body=HTML, body_format="Text") == (HTML, "text")
    assert read(body_html="", body_markdown=MARKDOWN) == (MARKDOWN, "markdown")


CODE = """import numpy as np
rows = np.zeros((3, 4))
for row in rows:
    print(row.sum(), row.max())
columns = rows.transpose().astype(float)
for number, column in enumerate(columns):
    print(number, column.mean(), column.std(), column.argmin())
"""


def fenced(title: str, prose: str) -> Question:
    return Question(title, f"{prose}\n\n```\n{CODE}```\n", ("a",), body_format="markdown")


def test_training_and_duplicates_read_a_body_by_its_format() -> None:
    questions = [
        fenced("One row", "Which sum belongs here?"),
        fenced("Other place", "Can anybody explain zeros?"),
    ]
    for tokens in tokens_of(questions):
        assert "numpy" in str(tokens.code)
        assert "numpy" not in str(tokens.prose)
    assert group_duplicates(questions) == [0, 1]  # their code is the same, their prose is not


def test_the_evaluation_reads_a_body_by_its_format(starter: TagModel) -> None:
    question = fenced("Sum of each row", "Which sum belongs here?")
    (judged,) = judge(starter, [question])
    as_markdown = starter.rank(question.title, question.body, body_format="markdown")
    assert judged.ranked == as_markdown
    assert as_markdown != starter.rank(question.title, question.body, body_format="html")
