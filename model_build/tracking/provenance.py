"""What a model was made from: a fingerprint of its corpus, and the version of the code."""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from typing import Any

from model_build.questions import Question
from model_build.tracking.environment import ROOT


def corpus_fingerprint(questions: Sequence[Question]) -> str:
    """Compute the SHA-256 of what training reads of a corpus.

    The same questions in the same order have the same fingerprint, whatever files they come from.
    """
    digest = hashlib.sha256()
    for question in questions:
        judged = None if question.judged_tags is None else sorted(question.judged_tags)
        date = question.creation_date and question.creation_date.isoformat()
        read = [question.title, question.body, question.body_format, question.tags, date, judged]
        digest.update(json.dumps(read, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def code_version() -> dict[str, Any]:
    """Return the Git commit of this checkout, and whether files differ from it.

    Returns
    -------
    dict
        ``commit`` (str) and ``dirty`` (bool); both are None outside a Git checkout, for instance
        in an image.
    """
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
