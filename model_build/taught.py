"""What people write by hand for a model to learn: new tags, and examples of code and titles.

Corpora are older than the newest technologies, most of their questions have no code, and few of
them use a word in another meaning than that of a tag. Three kinds of files fill these gaps. They
hold no question of anybody:

- New tags, each with the tags that come with it. They count as tag sets, so that titles with the
  names are made; see `model_build.made_questions`.
- Code, each piece with the tags that it speaks for.
- Titles, each with its tags.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from model_build.corpus import CorpusError
from model_build.tag_sets import TagSet

SETS_PER_TAG: Final = 20
"""A new tag counts as this many tag sets."""
_MARK: Final = "@@ "
"""A line of a file of examples that begins with this mark has the tags of what is below it."""
_NO_TAGS: Final = "-"
"""Stands in place of the tags above an example without tags."""


class CodeExample(NamedTuple):
    """A piece of code without a question."""

    tags: tuple[str, ...]
    """Empty if the code is about nothing that the model knows."""
    code: str


class TitleExample(NamedTuple):
    """The title of a question that nobody asked."""

    tags: tuple[str, ...]
    """Empty if the title is about nothing that the model knows."""
    title: str


def read_new_tags(paths: Sequence[Path]) -> list[TagSet]:
    """Read new tags, and make `SETS_PER_TAG` tag sets of each one.

    The first tag of a set is the new one. The tag that it comes with most is in all of its sets,
    and the others take turns. The ids are negative, so that no question has them.

    Parameters
    ----------
    paths : sequence of Path
        CSV files with the columns ``tag`` and ``companions``: the tags that come with it, the
        commonest first, with blanks between them.

    Raises
    ------
    CorpusError
        A file cannot be read, or is no such file.
    """
    numbers = count(-1, -1)
    sets = []
    for path in paths:
        try:
            rows = [
                (row["tag"].strip(), row["companions"].split())
                for row in csv.DictReader(_text_of(path).splitlines())
            ]
        except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
            raise CorpusError(
                f"{path}: this is not a file of new tags ({error!r}). Give a .csv file with the "
                "columns tag and companions."
            ) from error
        for tag, companions in rows:
            if not tag or not companions:
                raise CorpusError(f"{path}: {tag or 'a row'} has no companions. Name at least one.")
            first, *others = companions
            for turn in range(SETS_PER_TAG):
                more = (others[turn % len(others)],) if others else ()
                sets.append(TagSet(next(numbers), (tag, first, *more)))
    return sets


def read_code_examples(paths: Sequence[Path]) -> list[CodeExample]:
    """Read pieces of code.

    Parameters
    ----------
    paths : sequence of Path
        Text files. A line such as ``@@ ruby-on-rails ruby`` begins an example and has its tags;
        ``@@ -`` begins an example without tags.

    Raises
    ------
    CorpusError
        A file cannot be read, does not begin with such a line, or has an example without a list of
        tags or without code.
    """
    return [
        CodeExample(tags, code.strip("\n"))
        for tags, code in _blocks(paths, "code examples", "code")
    ]


def read_title_examples(paths: Sequence[Path]) -> list[TitleExample]:
    """Read titles.

    Parameters
    ----------
    paths : sequence of Path
        Text files. A line such as ``@@ rust`` begins a list of titles, one in a line, and has their
        tags. The line ``@@ -`` begins a list of titles without tags.

    Raises
    ------
    CorpusError
        A file cannot be read, does not begin with such a line, or has a list without titles.
    """
    return [
        TitleExample(tags, line.strip())
        for tags, lines in _blocks(paths, "title examples", "titles")
        for line in lines.splitlines()
        if line.strip()
    ]


def _blocks(
    paths: Sequence[Path], file: str, content: str
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Read each text with the tags above it."""
    for path in paths:
        before, *blocks = f"\n{_text_of(path)}".split(f"\n{_MARK}")
        if before.strip() or not blocks:
            raise CorpusError(
                f"{path}: this is not a file of {file}. Its first line must begin with '{_MARK}' "
                "and the tags of the first example."
            )
        for block in blocks:
            tags, _, text = block.partition("\n")
            if not tags.split() or not text.strip():
                raise CorpusError(
                    f"{path}: the example '{tags}' has no tags or no {content}. Add both."
                )
            names = tuple(tags.split())
            if _NO_TAGS in names and len(names) > 1:
                raise CorpusError(
                    f"{path}: '{tags}' names tags, but '{_NO_TAGS}' stands for none. Remove it."
                )
            yield () if names == (_NO_TAGS,) else names, text


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CorpusError(f"{path}: cannot read this file: {error.strerror}.") from error
    except ValueError as error:
        raise CorpusError(f"{path}: this file is not UTF-8. Save it as UTF-8.") from error
