"""Files of questions in the tests of the corpus readers."""

import json
from pathlib import Path

from model_build.corpus import Rejects, read_questions
from model_build.questions import Question


def read(path: Path) -> tuple[list[Question], Rejects]:
    """Read a file; return its questions and the rejected rows."""
    rejects = Rejects(path.with_suffix(".rejects"))
    return list(read_questions(path, rejects)), rejects


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def kept_rows(rejects: Rejects) -> list[dict[str, object]]:
    """Return the rejected rows as they were kept."""
    return [json.loads(line) for line in rejects.path.read_text().splitlines()]
