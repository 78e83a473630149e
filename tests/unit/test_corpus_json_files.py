import gzip
import json
from datetime import datetime
from pathlib import Path

from model_build.corpus import write_questions
from tests.support.corpus_files import kept_rows, read, written


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
