from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_build.collect.errors import CollectError
from model_build.collect.months import MonthFiles
from model_build.collect.records import CollectedQuestion
from model_build.corpus import Rejects, read_corpus
from model_build.questions import Question
from tests.support.collected import all_ids, rows_by_file


def made(number: int | None, month: int = 1, title: str = "A title") -> CollectedQuestion:
    question = Question(
        title=title,
        body="<p>A body</p>",
        tags=("python",),
        id=number,
        site="cooking",
        creation_date=datetime(2026, month, 15, 3, 4, 5),
    )
    return CollectedQuestion(question, "Ann", 7, "CC BY-SA 4.0", datetime(2026, 7, 1))


def put(folder: Path, *questions: CollectedQuestion, site: str | None = "cooking") -> None:
    with MonthFiles(folder, site) as months:
        for question in questions:
            months.add(question)
        months.commit()


def test_questions_of_a_month_are_in_its_file(tmp_path: Path) -> None:
    put(tmp_path, made(1, 1), made(2, 2), made(3, 1))
    found = rows_by_file(tmp_path)
    assert {name: [row["id"] for row in rows] for name, rows in found.items()} == {
        "2026-01": [1, 3],
        "2026-02": [2],
    }
    assert found["2026-02"][0]["owner_name"] == "Ann"
    assert found["2026-02"][0]["last_edit_date"] == datetime(2026, 7, 1)


def test_the_folder_is_a_corpus(tmp_path: Path) -> None:
    questions = [made(1), made(2, 2)]
    put(tmp_path / "corpus", *questions)
    with Rejects(tmp_path / "rejects") as rejects:
        found = read_corpus([tmp_path / "corpus"], rejects)
    assert found == [each.question for each in questions]
    assert rejects.total == 0


def test_a_question_is_replaced_and_not_doubled(tmp_path: Path) -> None:
    put(tmp_path, made(1), made(2), made(2, title="The second with this id"))
    put(tmp_path, made(2, title="Edited"), made(3), made(None), made(None))
    rows = rows_by_file(tmp_path)["2026-01"]
    assert [(row["id"], row["title"]) for row in rows] == [
        (1, "A title"),
        (2, "Edited"),
        (3, "A title"),
        (None, "A title"),
        (None, "A title"),
    ]


def test_nothing_is_visible_before_the_commit_and_leftovers_go_away(tmp_path: Path) -> None:
    put(tmp_path, made(1))
    with MonthFiles(tmp_path, "cooking") as months:
        for number in range(2, 3_000):
            months.add(made(number))
        assert all_ids(tmp_path) == [1]
        assert list(tmp_path.glob(".*.unfinished"))
    assert all_ids(tmp_path) == [1]
    with MonthFiles(tmp_path, "cooking"):
        assert not list(tmp_path.glob(".*.unfinished"))


def test_more_row_groups_than_may_be_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_build.collect.months._BUFFERED_QUESTIONS", 10)
    monkeypatch.setattr("model_build.collect.months._MAX_OPEN_GROUPS", 6)
    put(tmp_path, *(made(number, 1 + number % 3) for number in range(1, 301)))
    assert all_ids(tmp_path) == list(range(1, 301))
    assert list(rows_by_file(tmp_path)) == ["2026-01", "2026-02", "2026-03"]
    assert not list(tmp_path.glob(".*.unfinished"))


def test_questions_without_a_date_have_a_file_of_their_own(tmp_path: Path) -> None:
    put(tmp_path, CollectedQuestion(Question("A title", "", ("python",), id=1)))
    assert list(rows_by_file(tmp_path)) == ["undated"]


def test_two_processes_do_not_collect_into_one_folder(tmp_path: Path) -> None:
    with MonthFiles(tmp_path, "cooking"), pytest.raises(CollectError, match="another command"):
        MonthFiles(tmp_path, "cooking")
    put(tmp_path, made(1))


@pytest.mark.parametrize("site", ["beer", None])
def test_a_folder_holds_one_site(site: str | None, tmp_path: Path) -> None:
    put(tmp_path, made(1))
    with pytest.raises(CollectError, match="holds questions of cooking"):
        MonthFiles(tmp_path, site)
    assert all_ids(tmp_path) == [1]


def test_files_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "2026-01.parquet"
    pq.write_table(pa.table({"id": [1]}), other)
    with pytest.raises(CollectError, match="another program wrote"):
        MonthFiles(tmp_path, "cooking")
    other.write_bytes(b"damaged")
    with pytest.raises(CollectError, match="not a readable Parquet file"):
        MonthFiles(tmp_path, "cooking")
    assert other.read_bytes() == b"damaged"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(CollectError, match="cannot use this folder"):
        MonthFiles(path, "cooking")
