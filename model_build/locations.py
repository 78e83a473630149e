"""Files and folders on this machine or in S3, for the jobs that retrain and audit."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from model_build.errors import UserError


class LocationError(UserError):
    """A location cannot be used; the message names it, and says what to do."""


@dataclass(frozen=True)
class Location:
    """A path, or ``s3://bucket/key``."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> Self:
        return type(self)(f"{self.text.rstrip('/')}/{name}")

    def fetch(self, path: Path) -> Path:
        """Copy the file to a path.

        Raises
        ------
        LocationError
            It cannot be read.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained("read"):
            if self._in_s3 is None:
                shutil.copyfile(self.text, path)
            else:
                bucket, key = self._in_s3
                _s3().download_file(bucket, key, str(path))
        return path

    def on_disk(self, path: Path) -> Path:
        """Return the path of the file on this machine; copy it to `path` if it is in S3.

        Raises
        ------
        LocationError
            It is in S3 and cannot be read.
        """
        return Path(self.text) if self._in_s3 is None else self.fetch(path)

    def fetch_all(self, folder: Path) -> list[Path]:
        """Copy the files of the folder, also of its folders, in the order of their names.

        Returns
        -------
        list of Path
            The copies; none if there is no such folder.

        Raises
        ------
        LocationError
            A file cannot be read.
        """
        with self._explained("read"):
            names = sorted(self._names())
        return [(self / name).fetch(folder / name) for name in names]

    def store(self, path: Path) -> None:
        """Write a copy of a file to this location.

        Raises
        ------
        LocationError
            It cannot be written.
        """
        with self._explained("write"):
            if self._in_s3 is None:
                Path(self.text).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, self.text)
            else:
                bucket, key = self._in_s3
                _s3().upload_file(str(path), bucket, key)

    @property
    def _in_s3(self) -> tuple[str, str] | None:
        if not self.text.startswith("s3://"):
            return None
        # Not with urlsplit: the key of an object may contain ? and #.
        bucket, _, key = self.text.removeprefix("s3://").partition("/")
        return bucket, key

    def _names(self) -> Iterator[str]:
        if self._in_s3 is None:
            folder = Path(self.text)
            for path in folder.rglob("*"):
                if path.is_file():
                    yield path.relative_to(folder).as_posix()
            return
        bucket, prefix = self._in_s3
        prefix = f"{prefix.rstrip('/')}/"
        pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", []):
                name = found["Key"].removeprefix(prefix)
                # The console makes an empty object for a folder.
                if name and not name.endswith("/"):
                    yield name

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Name the location in errors."""
        try:
            yield
        except (OSError, BotoCoreError, ClientError, S3UploadFailedError) as error:
            raise LocationError(f"{self}: cannot {what} this: {error}") from error


def _s3() -> Any:
    return boto3.client("s3")
