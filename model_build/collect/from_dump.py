"""Collect the questions of a site's dump: ``Posts.xml``, or the ``.7z`` archive that holds it.

The file is read as a stream, so that memory does not grow with it.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from lxml import etree

from model_build.collect.errors import CollectError
from model_build.collect.months import MonthFiles
from model_build.collect.records import CollectedQuestion
from model_build.corpus import Rejects
from model_build.values import BadQuestionError

_QUESTION: Final = "1"
"""``PostTypeId`` of a question."""
_FIELDS: Final = {
    "Id": "id",
    "Title": "title",
    "Body": "body_html",
    "Tags": "tags",
    "CreationDate": "creation_date",
    "ViewCount": "view_count",
    "Score": "score",
    "AnswerCount": "answer_count",
    "OwnerDisplayName": "owner_name",
    "OwnerUserId": "owner_id",
    "ContentLicense": "content_license",
    "LastEditDate": "last_edit_date",
}
"""The attributes of a post, with the fields of a question that they hold."""
_MEMBER: Final = "Posts.xml"
_END: Final = b"</posts>"
_TAIL_BYTES: Final = 64


class DumpStream:
    """A stream that counts its bytes, and keeps the last ones to see whether the file is whole."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], object]) -> None:
        self._stream, self._advance = stream, advance
        self._tail = b""
        self.n_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        data = self._stream.read(size)
        self.n_bytes += len(data)
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        self._advance(len(data))
        return data

    @property
    def is_whole(self) -> bool:
        """Whether the end of the file has been read."""
        return self._tail.rstrip().endswith(_END)


@contextmanager
def open_dump(path: Path) -> Iterator[IO[bytes]]:
    """Open ``Posts.xml``, also inside a ``.7z`` archive.

    Raises
    ------
    CollectError
        The file cannot be read, the program ``7zz`` is missing, or the archive is damaged.
    """
    try:
        if path.suffix.lower() != ".7z":
            with path.open("rb") as file:
                yield file
            return
        with path.open("rb"), _unpacked(path) as file:
            yield file
    except OSError as error:
        raise CollectError(f"{path}: cannot read this file: {error.strerror or error}.") from error


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    program = shutil.which("7zz") or shutil.which("7z")
    if program is None:
        raise CollectError(
            f"{path}: reading an archive needs the program 7zz. Install it (apt-get install 7zip "
            f"on Debian and Ubuntu, brew install sevenzip), or unpack {_MEMBER} and name that."
        )
    with TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, "x", "-so", "-bd", "--", str(path.resolve()), _MEMBER],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
        try:
            yield process.stdout
            process.stdout.read()  # nothing follows after a whole dump
            _check_exit(process, errors, path)
        except CollectError as error:
            if not process.stdout.read(1):  # 7zz has ended: it may be the reason of the error
                _check_exit(process, errors, path, error)
            raise
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


def _check_exit(
    process: subprocess.Popen[bytes],
    messages: IO[bytes],
    path: Path,
    cause: Exception | None = None,
) -> None:
    if process.wait() != 0:
        messages.seek(0)
        lines = messages.read().decode(errors="replace").splitlines()
        reason = next((line for line in lines if "ERROR" in line.upper()), "no reason")
        raise CollectError(
            f"{path}: 7zz cannot unpack this archive ({reason.strip()[:200]}). Download it again."
        ) from cause


def read_posts(stream: DumpStream) -> Iterator[Mapping[str, str]]:
    """Yield the attributes of each post, in the order of the file.

    Raises
    ------
    lxml.etree.XMLSyntaxError
        The stream is no XML at all.
    """
    # Old dumps hold characters that XML does not allow: `recover` leaves them out.
    rows = etree.iterparse(
        stream, events=("end",), tag="row", recover=True, resolve_entities=False, no_network=True
    )
    for _, row in rows:
        yield row.attrib
        row.clear()
        parent = row.getparent()
        if parent is not None:
            while row.getprevious() is not None:
                del parent[0]


def collect(
    path: Path,
    stream: DumpStream,
    months: MonthFiles,
    rejects: Rejects,
    site: str | None,
) -> int:
    """Collect all questions of a dump.

    Parameters
    ----------
    path : Path
        The name of the file, for messages.
    stream : DumpStream
    months, rejects
        Take the questions, and the posts that are not usable questions.
    site : str, optional

    Returns
    -------
    int
        How many questions were collected.

    Raises
    ------
    CollectError
        The file is no dump, is cut off, or the questions cannot be written. No file of a month has
        changed then.
    """
    n_posts = n_questions = 0
    try:
        for attributes in read_posts(stream):
            n_posts += 1
            if attributes.get("PostTypeId") != _QUESTION:
                continue
            row: dict[str, object] = {
                field: attributes[name] for name, field in _FIELDS.items() if name in attributes
            }
            row["site"] = site
            try:
                months.add(CollectedQuestion.from_row(row))
            except BadQuestionError as error:
                rejects.add(path, n_posts, str(error), row)
            else:
                n_questions += 1
    except etree.XMLSyntaxError as error:
        raise CollectError(
            f"{path}: this is not an XML file ({str(error)[:200]}). Name Posts.xml of a dump."
        ) from error
    if not n_posts:
        raise CollectError(f"{path}: there is no post in this file. Name Posts.xml of a dump.")
    if not stream.is_whole:
        raise CollectError(
            f"{path}: this file is cut off after {n_posts:,} posts: it does not end with </posts>. "
            "Download it again."
        )
    if not n_questions:
        raise CollectError(
            f"{path}: none of its {n_posts:,} posts is a usable question. Name Posts.xml of a dump."
        )
    months.commit()
    return n_questions
