"""Kinds of question that a corpus mixes, named in a TOML file, each with held-out parts of its own.

A model that joins several collections is better on some of them than on others, and one figure for
all hides this.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from model_build.errors import UserError
from model_build.questions import Question

_CONDITIONS = ("files", "sources", "years", "has_body")


class KindsError(UserError):
    """A file of kinds cannot be used."""


@dataclass(frozen=True)
class Kind:
    """A name for the questions that meet some conditions."""

    name: str
    """Also the name of the files with the kind's held-out questions."""
    files: tuple[str, ...] = ()
    """Patterns for the name of the question's file, such as ``so_*.parquet``. Empty: any file."""
    sources: tuple[str, ...] = ()
    """Patterns for the question's source. Empty: any source, or none."""
    years: tuple[int, int] | None = None
    """The first and the last year of the question's date. None: any date, or none."""
    has_body: bool | None = None
    """Whether the question has a body. None: it does not matter."""
    shares: tuple[float, ...] | None = None
    """The shares of the parts, if the kind has its own."""

    def includes(self, question: Question, file: str) -> bool:
        """Whether a question of the named file meets all conditions."""
        date = question.creation_date
        return (
            (not self.files or _matches(file, self.files))
            and (not self.sources or _matches(question.source or "", self.sources))
            and (
                self.years is None
                or (date is not None and self.years[0] <= date.year <= self.years[1])
            )
            and (self.has_body is None or self.has_body == bool(question.body.strip()))
        )


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def kind_of(question: Question, file: str, kinds: Sequence[Kind]) -> Kind | None:
    """Return the first kind that includes a question; None if there is none.

    A question that was cut down to its commonest tags has no kind, because it cannot test a model:
    some of its tags are unknown.
    """
    if question.judged_tags is not None:
        return None
    return next((kind for kind in kinds if kind.includes(question, file)), None)


def read_kinds(path: Path) -> list[Kind]:
    """Read a TOML file that has a table for each kind, called by its name.

    Returns
    -------
    list of Kind
        In the order of the file.

    Raises
    ------
    KindsError
        The file cannot be read, or a table is not a kind.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KindsError(f"{path}: cannot read this file: {error.strerror}.") from error
    except ValueError as error:
        raise KindsError(f"{path}: this is not TOML: {error}.") from error
    if not tables:
        raise KindsError(f"{path}: there is no kind. Add a table such as [older-titles].")
    return [_kind(path, name, values) for name, values in tables.items()]


def _kind(path: Path, name: str, values: object) -> Kind:
    def wrong(what: str) -> KindsError:
        return KindsError(f"{path}: {name}: {what}")

    if not isinstance(values, Mapping):
        raise wrong("this is no table. A kind is a table such as [older-titles].")
    if not name.replace("-", "").replace("_", "").isalnum():
        raise wrong("the name is also a file's name. Use letters, digits, - and _.")
    unknown = sorted(values.keys() - {*_CONDITIONS, "shares"})
    if unknown:
        raise wrong(f"unknown key {unknown[0]}. Use {', '.join(_CONDITIONS)} or shares.")
    if not values.keys() & set(_CONDITIONS):
        raise wrong(f"there is no condition. Use at least one of {', '.join(_CONDITIONS)}.")
    for key in ("files", "sources"):
        if not _is_list(values.get(key, []), str):
            raise wrong(f"{key} must be a list of patterns, such as ['so_*'].")
    years = values.get("years")
    if years is not None and not (_is_list(years, int) and len(years) == 2):
        raise wrong("years must be the first and the last year, such as [2020, 2022].")
    if not isinstance(values.get("has_body", False), bool):
        raise wrong("has_body must be true or false.")
    shares = values.get("shares")
    if shares is not None and not (_is_list(shares, int | float) and len(shares) == 3):
        raise wrong("shares must be three numbers, such as [0.8, 0.1, 0.1].")
    return Kind(
        name,
        files=tuple(values.get("files", ())),
        sources=tuple(values.get("sources", ())),
        years=None if years is None else (years[0], years[1]),
        has_body=values.get("has_body"),
        shares=None if shares is None else tuple(map(float, shares)),
    )


def _is_list(value: Any, kind: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)
