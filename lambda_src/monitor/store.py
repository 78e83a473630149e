"""Where events, day files, states and reports are kept: an S3 bucket or a folder.

Both have the same layout; docs/watching.md lists the keys.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

_UNFINISHED: Final = ".unfinished-"
"""Begins the names of files that are still being written, which `list` does not show."""


class StoreError(Exception):
    """The store cannot be used; the message says which one and what to do."""


class EventStore(Protocol):
    """Files by their keys, such as ``events/date=2026-11-27/part-1.jsonl``.

    The methods raise `StoreError` if the store does not answer, or denies access.
    """

    def read(self, key: str) -> bytes | None:
        """Return the content of a file, or None if there is none with this key."""

    def write(self, key: str, data: bytes) -> None:
        """Write or replace a file.

        Readers see the old content or the new one, and never a part, even if two processes write
        or one of them is stopped.
        """

    def list(self, prefix: str) -> Sequence[str]:
        """Return the keys that begin with a prefix, sorted."""

    def versions(self, prefix: str) -> Mapping[str, str]:
        """Return, for each key that begins with a prefix, a text that changes with its content."""

    def fetch(self, keys: Sequence[str], folder: Path) -> Sequence[Path]:
        """Return paths of local files with the contents of some keys, in the same order.

        Parameters
        ----------
        keys
            Keys of existing files.
        folder
            An existing folder for downloads. It may stay empty.
        """


def open_store(location: str) -> EventStore:
    """Open a store.

    Parameters
    ----------
    location : str
        ``s3://bucket``, ``s3://bucket/prefix`` or the path of a folder.

    Raises
    ------
    StoreError
        The location names no bucket, or is not an existing folder.
    """
    if not location.startswith("s3://"):
        return FolderStore(Path(location))
    # Not with urlsplit: the key of an object may contain ? and #.
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not bucket:
        raise StoreError(f"{location}: the bucket is missing. Write s3://BUCKET or a folder.")
    # A folder needs no AWS library.
    from lambda_src.monitor.bucket_store import BucketStore  # noqa: PLC0415

    return BucketStore(bucket, prefix.strip("/"))


class FolderStore:
    """A store in a folder.

    Parameters
    ----------
    folder : Path
        An existing folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise StoreError(f"{folder} is not a folder. Create it, or name another one.")
        self._folder = folder

    def read(self, key: str) -> bytes | None:
        """See `EventStore.read`."""
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """See `EventStore.write`."""
        target = self._folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp lets only its owner read the file.
            Path(unfinished).chmod(0o644)
            Path(unfinished).replace(target)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise

    def list(self, prefix: str) -> Sequence[str]:
        """See `EventStore.list`."""
        # A prefix may end within a name, so the search begins in the folder above.
        above = self._folder / prefix.rpartition("/")[0]
        keys = (
            path.relative_to(self._folder).as_posix()
            for path in above.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )
        return sorted(key for key in keys if key.startswith(prefix))

    def versions(self, prefix: str) -> Mapping[str, str]:
        """See `EventStore.versions`."""
        facts = {key: (self._folder / key).stat() for key in self.list(prefix)}
        return {key: f"{each.st_size} {each.st_mtime_ns}" for key, each in facts.items()}

    def fetch(self, keys: Sequence[str], folder: Path) -> Sequence[Path]:
        """See `EventStore.fetch`."""
        return [self._folder / key for key in keys]
