"""Files that a command writes beside its main output."""

from pathlib import Path

from model_build.corpus import CorpusError


def write_text(path: Path, text: str) -> None:
    """Write a text file.

    Raises
    ------
    CorpusError
        If the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot write this file: {error.strerror}. Name another one."
        ) from error
