from pathlib import Path

import pytest

from model_build.__main__ import main
from tests.support.collected import all_ids, rows_by_file

HEADER = (
    "Id,Title,Body,Tags,CreationDate,Score,ViewCount,AnswerCount,OwnerUserId,OwnerDisplayName\n"
)


def written(folder: Path, name: str, ids: range) -> Path:
    path = folder / name
    rows = [
        f'{number},"Sort, list {number}",<p>text</p>,<python><list>,2026-02-0{1 + number % 9} '
        f"10:00:00,1,2,3,7,\n"
        for number in ids
    ]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def test_pages_of_an_export_become_months(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (
        written(tmp_path, "first.csv", range(1, 31)),
        written(tmp_path, "second.csv", range(25, 61)),
    )
    folder = tmp_path / "corpus"
    arguments = ["collect", "csv", "--out", str(folder), "--site", "cooking", "--input"]
    assert main([*arguments, str(first), str(second)]) == 0
    assert "collect csv --sql --after 60" in capsys.readouterr().out
    assert all_ids(folder) == list(range(1, 61))
    row = rows_by_file(folder)["2026-02"][0]
    assert (row["title"], row["site"], row["owner_id"]) == ("Sort, list 1", "cooking", 7)
    assert main([*arguments, str(written(tmp_path, "third.csv", range(60, 71)))]) == 0
    assert all_ids(folder) == list(range(1, 71))


def test_bad_rows_are_kept_apart(tmp_path: Path) -> None:
    path = written(tmp_path, "page.csv", range(1, 4))
    path.write_text(path.read_text() + "4,A title,,<c++>,2026-02-01,1,2,3,nobody,\n")
    assert main(["collect", "csv", "--input", str(path), "--out", str(tmp_path / "corpus")]) == 0
    assert all_ids(tmp_path / "corpus") == [1, 2, 3]
    assert "owner_id is not a whole number" in (tmp_path / "corpus.rejects.jsonl").read_text()


def test_the_query_for_the_next_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect", "csv", "--sql", "--after", "12345"]) == 0
    query = capsys.readouterr().out
    assert "SELECT TOP 50000 Id, Title, Body, Tags" in query
    assert "PostTypeId = 1 AND Id > 12345\nORDER BY Id" in query


def test_the_most_viewed_questions_are_called_a_biased_sample(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["collect", "csv", "--sql", "--preset", "most-viewed"]) == 0
    assert "ORDER BY ViewCount DESC" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["collect", "csv", "--help"])
    assert "biased sample" in " ".join(capsys.readouterr().out.split())


def test_usage_and_files_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["collect", "csv", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "give --input and --out, or --sql" in capsys.readouterr().err
    path = tmp_path / "page.csv"
    path.write_text("Title,Body\nno tags,\n")
    assert main(["collect", "csv", "--input", str(path), "--out", str(tmp_path / "corpus")]) == 2
    assert "there is no column 'tags'" in capsys.readouterr().err
