"""Other names of tags: read from files, applied to a corpus."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from model_build.corpus import CorpusError
from model_build.questions import Question

WELL_KNOWN = Path(__file__).parent / "synonyms.csv"


def read_synonyms(paths: Sequence[Path]) -> dict[str, str]:
    """Read synonyms and the tags that they stand for; later files win.

    Parameters
    ----------
    paths : sequence of Path
        CSV files with the columns ``synonym`` and ``tag``, or JSON files as the Stack Exchange
        API's ``/tags/synonyms`` answers.

    Raises
    ------
    CorpusError
        A file cannot be read or is of neither kind.
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
                f"{path}: these are no synonyms ({error!r}). Give a CSV file with the columns "
                "synonym and tag, or what the Stack Exchange API's /tags/synonyms answered (.json)."
            ) from error
    return synonyms


def main_tags(questions: Sequence[Question], synonyms: Mapping[str, str]) -> list[Question]:
    """Put main tags in the place of their synonyms."""
    return [
        question
        if synonyms.keys().isdisjoint(question.tags)
        else replace(
            question, tags=tuple(dict.fromkeys(synonyms.get(tag, tag) for tag in question.tags))
        )
        for question in questions
    ]
