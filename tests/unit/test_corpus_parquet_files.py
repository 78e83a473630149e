from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_build.corpus import CorpusError
from tests.support.corpus_files import kept_rows, read, written


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
