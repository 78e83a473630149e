"""Open text files of any Unicode encoding, compressed or not."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from model_build.corpus.errors import CorpusError

_GZIP = b"\x1f\x8b"
# The mark of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HEAD_BYTES = 20
"""How much of the file shows its encoding: column names are ASCII."""


class TextFile(NamedTuple):
    """An open text file."""

    lines: IO[str]
    """Ends of lines are LF, CR LF or CR, and are kept."""
    position: Callable[[], int]
    """Gives the number of bytes of the file that were read."""


@contextmanager
def open_text(path: Path) -> Iterator[TextFile]:
    """Open a file in UTF-8, UTF-16 or UTF-32, by its byte order mark or its first bytes.

    Bytes that are not UTF-8 become lone surrogates, so that only their row is rejected.

    Raises
    ------
    CorpusError
        The file cannot be read, or is cut off.
    """
    try:
        with path.open("rb") as file:
            is_compressed = file.read(2) == _GZIP
            file.seek(0)
            binary = gzip.GzipFile(fileobj=file) if is_compressed else file
            encoding = _encoding(binary.read(_HEAD_BYTES))
            binary.seek(0)
            errors = "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass"
            lines = io.TextIOWrapper(binary, encoding, errors, newline="")
            yield TextFile(lines, file.tell)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(
            f"{path}: cannot decompress this file: {error}. Compress it again, or give it as text."
        ) from error
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: this is not a whole {error.encoding} file: {error.reason}. Save it as UTF-8."
        ) from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot read this file: {error.strerror or error}.") from error


def _encoding(head: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    # ASCII in UTF-16 has a zero in every second byte.
    even, odd = head[0::2], head[1::2]
    if odd.count(0) > len(odd) // 2 and even.count(0) == 0:
        return "utf-16-le"
    if even.count(0) > len(even) // 2 and odd.count(0) == 0:
        return "utf-16-be"
    return "utf-8"
