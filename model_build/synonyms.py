"""Read synonyms of tags, and replace them in a corpus."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from model_build.corpus import CorpusError
from model_build.questions import Question

WELL_KNOWN = Path(__file__).parent / "synonyms.csv"
"""The file of synonyms that every training reads."""


def read_synonyms(paths: Sequence[Path]) -> dict[str, str]:
    """Read synonyms and the tags that they stand for. A later file overrides an earlier one.

    Parameters
    ----------
    paths : sequence of Path
        CSV files with the columns ``synonym`` and ``tag``, or JSON files with an answer of the
        Stack Exchange API to ``/tags/synonyms``.

    Raises
    ------
    CorpusError
        A file cannot be read, or has neither of these formats.
    """
    synonyms: dict[str, str] = {}
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
            if path.suffix == ".json":
                rows = [(row["from_tag"], row["to_tag"]) for row in json.loads(text)["items"]]
            else:
                rows = [(row["synonym"], row["tag"]) for row in csv.DictReader(text.splitlines())]
            synonyms |= {synonym.strip().lower(): tag.strip().lower() for synonym, tag in rows}
        except OSError as error:
            raise CorpusError(f"{path}: cannot read this file: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorpusError(
                f"{path}: this is not a file of synonyms ({error!r}). Give a .csv file with the "
                "columns synonym and tag, or a .json file with an answer of the Stack Exchange "
                "API to /tags/synonyms."
            ) from error
    return synonyms


def replace_synonyms(questions: Sequence[Question], synonyms: Mapping[str, str]) -> list[Question]:
    """Replace synonyms in the tags of questions with the tags that they stand for."""
    return [
        question
        if synonyms.keys().isdisjoint(question.tags)
        else replace(
            question, tags=tuple(dict.fromkeys(synonyms.get(tag, tag) for tag in question.tags))
        )
        for question in questions
    ]
