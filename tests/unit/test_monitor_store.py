"""The two kinds of event stores, which behave alike."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambda_src.monitor.bucket_store import BucketStore
from lambda_src.monitor.store import EventStore, FolderStore, StoreError, open_store

KEY = "days/2026-11-27.json"


@pytest.fixture(params=["folder", "bucket", "bucket with a prefix"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EventStore]:
    if request.param == "folder":
        yield open_store(str(tmp_path))
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(
            Bucket="store-of-events", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield BucketStore("store-of-events", "etiquette" if "prefix" in request.param else "")


def test_what_was_written_is_read(store: EventStore) -> None:
    assert store.read(KEY) is None
    store.write(KEY, b"one")
    store.write(KEY, b"two")
    assert store.read(KEY) == b"two"


def test_keys_are_listed_by_their_prefix_in_order(store: EventStore) -> None:
    keys = ["days/2026-11-02.json", "days/2026-11-01.json", "daysafter/x", "state/a/b.json"]
    for key in keys:
        store.write(key, b"")
    assert store.list("days/") == ["days/2026-11-01.json", "days/2026-11-02.json"]
    assert store.list("days/2026-11-02") == ["days/2026-11-02.json"]
    assert store.list("state/") == ["state/a/b.json"]
    assert store.list("") == sorted(keys)
    assert store.list("other/") == []


def test_a_version_changes_with_the_content(store: EventStore) -> None:
    store.write(KEY, b"one")
    (before,) = store.versions("days/").values()
    store.write(KEY, b"four")
    assert list(store.versions("days/")) == [KEY]
    assert store.versions("days/")[KEY] != before


def test_fetched_files_are_in_the_order_of_their_keys(store: EventStore, tmp_path: Path) -> None:
    keys = [f"events/date=2026-11-{day:02}/part.jsonl" for day in range(1, 20)]
    for key in keys:
        store.write(key, key.encode())
    folder = tmp_path / "downloads"
    folder.mkdir()
    assert [path.read_text() for path in store.fetch(keys, folder)] == keys


def test_readers_see_whole_files_while_two_processes_write(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    contents = {bytes([number]) * 200_000 for number in range(4)}
    store.write(KEY, next(iter(contents)))

    def write(content: bytes) -> None:
        for _ in range(20):
            store.write(KEY, content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for each in writers:
        each.start()
    while any(each.is_alive() for each in writers):
        assert store.read(KEY) in contents
    assert store.list("") == [KEY]


def test_a_write_that_is_stopped_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    store.write(KEY, b"old")

    def stop(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        store.write(KEY, b"new")
    assert store.read(KEY) == b"old"
    assert [path.name for path in (tmp_path / "days").iterdir()] == ["2026-11-27.json"]


def test_a_file_that_another_process_left_unfinished_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / ".unfinished-x").write_bytes(b"{")
    assert FolderStore(tmp_path).list("") == []


@pytest.mark.parametrize("location", ["s3://", "s3:///days", "/no/such/folder"])
def test_a_location_that_is_no_store_is_refused(location: str) -> None:
    with pytest.raises(StoreError, match=location):
        open_store(location)


@pytest.mark.parametrize("use", ["read", "write", "list", "fetch"])
def test_a_bucket_that_cannot_be_used_is_named(
    use: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        absent = open_store("s3://no-such-bucket/prefix")
        uses: dict[str, Callable[[], object]] = {
            "read": lambda: absent.read("state/v1.json"),
            "write": lambda: absent.write("state/v1.json", b""),
            "list": lambda: absent.list("state/v1.json"),
            "fetch": lambda: absent.fetch(["state/v1.json"], tmp_path),
        }
        with pytest.raises(StoreError, match=r"s3://no-such-bucket/prefix/state/v1.json: .*Check"):
            uses[use]()
