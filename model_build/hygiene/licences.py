"""The licence of a question, and the attribution that it asks for.

Content of Stack Exchange is under Creative Commons Attribution-ShareAlike, in a version that
depends on the date of the contribution (https://stackoverflow.com/help/licensing). Whoever shows a
question to others must name its author, link the question and the author's profile, and name the
licence.
"""

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from model_build.collect.records import CollectedQuestion
from model_build.corpus import CorpusError

_VERSIONS: Final = (
    (datetime(2018, 5, 2), "CC BY-SA 4.0"),
    (datetime(2011, 4, 8), "CC BY-SA 3.0"),
    (datetime.min, "CC BY-SA 2.5"),
)
"""The first moment of each version in UTC, latest first."""
_HOSTS: Final = {
    "askubuntu": "askubuntu.com",
    "mathoverflow": "mathoverflow.net",
    "mathoverflow.net": "mathoverflow.net",
    "serverfault": "serverfault.com",
    "stackapps": "stackapps.com",
    "stackoverflow": "stackoverflow.com",
    "superuser": "superuser.com",
}
_OVERFLOW_IN_OTHER_LANGUAGES: Final = ".stackoverflow"
_FORMULA_STARTS: Final = tuple("=+-@\t\r")


class Attribution(NamedTuple):
    """What to show beside a question."""

    site: str
    id: int | str
    link: str
    author: str
    author_link: str
    license: str
    license_link: str


def licence_by_date(moment: datetime | None) -> str | None:
    """Return the licence of a contribution by its date in UTC; None without a date."""
    if moment is None:
        return None
    return next(name for start, name in _VERSIONS if moment >= start)


def licence_of(question: CollectedQuestion) -> str | None:
    """Return the licence that the source names, or else the one of the newest contribution."""
    if question.content_license:
        return question.content_license
    created = question.question.creation_date
    edited = question.last_edit_date
    return licence_by_date(created if created is None or edited is None else max(created, edited))


def attribution_of(question: CollectedQuestion) -> Attribution:
    """Return the attribution of a question; what the corpus does not know is empty."""
    asked = question.question
    host = _HOSTS.get(asked.site or "") or (asked.site and _host_of(asked.site)) or ""
    licence = licence_of(question) or ""
    version = licence.removeprefix("CC BY-SA ")
    return Attribution(
        site=asked.site or "",
        id="" if asked.id is None else asked.id,
        link=f"https://{host}/q/{asked.id}" if host and asked.id is not None else "",
        author=question.owner_name or "",
        author_link=f"https://{host}/users/{question.owner_id}"
        if host and question.owner_id is not None
        else "",
        license=licence,
        license_link=f"https://creativecommons.org/licenses/by-sa/{version}/"
        if version in {"2.5", "3.0", "4.0"}
        else "",
    )


def write_attributions(questions: Iterable[CollectedQuestion], path: Path) -> None:
    """Write the attribution of each question to a CSV file.

    Raises
    ------
    CorpusError
        The file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Attribution._fields)
            for question in questions:
                writer.writerow(map(_harmless, attribution_of(question)))
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot write this file: {error.strerror}. Name another one."
        ) from error


def _host_of(site: str) -> str:
    return f"{site}.com" if site.endswith(_OVERFLOW_IN_OTHER_LANGUAGES) else (
        f"{site}.stackexchange.com"
    )  # fmt: skip


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a name for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else value
