"""An event store in an S3 bucket. Only `open_store` imports this: a folder needs no AWS library."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from lambda_src.monitor.store import StoreError

_PARALLEL_DOWNLOADS: Final = 16


class BucketStore:
    """A store in an S3 bucket. S3 replaces objects as a whole.

    Parameters
    ----------
    bucket, prefix : str
        The prefix begins every key in the bucket; it may be empty.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self._client: Any = boto3.client("s3")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def read(self, key: str) -> bytes | None:
        """See `EventStore.read`."""
        with self._explained(key):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except self._client.exceptions.NoSuchKey:
                return None
            content: bytes = found["Body"].read()
            return content

    def write(self, key: str, data: bytes) -> None:
        """See `EventStore.write`."""
        with self._explained(key):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=data,
                ContentType=_content_type(key),
            )

    def list(self, prefix: str) -> Sequence[str]:
        """See `EventStore.list`."""
        return sorted(self.versions(prefix))

    def versions(self, prefix: str) -> Mapping[str, str]:
        """See `EventStore.versions`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        with self._explained(prefix):
            return {
                each["Key"].removeprefix(self._prefix): f"{each['Size']} {each['ETag']}"
                for page in pages
                for each in page.get("Contents", ())
            }

    def fetch(self, keys: Sequence[str], folder: Path) -> Sequence[Path]:
        """See `EventStore.fetch`."""

        def download(key: str) -> Path:
            # Keys of different folders may end in the same name.
            name = f"{hashlib.sha256(key.encode()).hexdigest()[:24]}-{key.rpartition('/')[2]}"
            target = folder / name
            with self._explained(key):
                self._client.download_file(self._bucket, self._prefix + key, str(target))
            return target

        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            return list(pool.map(download, keys))

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Turn the errors of boto3 into a `StoreError` that says what to do."""
        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise StoreError(
                f"s3://{self._bucket}/{self._prefix}{key}: {error}. Check the bucket's name, the "
                "credentials and the permissions, the region and the network. What was not "
                "written is written by the next run."
            ) from error


def _content_type(key: str) -> str:
    kinds = {"html": "text/html; charset=utf-8", "json": "application/json"}
    return kinds.get(key.rpartition(".")[2], "application/octet-stream")
