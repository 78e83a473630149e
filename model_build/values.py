"""Read one value of a question: a text, its tags, a date or a whole number."""

import html
import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

_MAX_TAG_CHARACTERS = 64
_TAG = re.compile(r"\.?[^\W_][\w+#.-]*")
_BRACKETED_TAG = re.compile(r"<([^<>]*)>")
_BRACKETED_TAGS = re.compile(r"(?:<[^<>]*>[\s,]*)+")
_LIST_ITEM = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([^\s,'"]+))\s*(?:,|(?=\s)|(?=['"])|$)""")
_LIST_ENDS = {"[": "]", "(": ")", "{": "}"}
_SEPARATORS = "|;,"
_NULLS = frozenset(("", "nan", "nat", "null", "none", "na", "n/a", "<na>", r"\n"))
"""How exports write a missing value, in lower case."""

_WHOLE = re.compile(r"([+-]?[0-9]{1,40})(?:\.0*)?", re.ASCII)
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1

_NUMBER = re.compile(r"[+-]?[0-9]{9,20}(?:\.[0-9]*)?|[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}", re.ASCII)
_YEAR = re.compile(r"([0-9]{4})(?:\.0*)?", re.ASCII)
_COMPACT_DATE = re.compile(r"(?:19|20)[0-9]{6}", re.ASCII)
_UTC_NAME = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_SPACED_OFFSET = re.compile(r"\s+(?=[+-][0-9]{2}:?(?:[0-9]{2})?$)", re.ASCII)
_EPOCH_UNITS = ((1e8, 1e10, 1), (1e11, 1e13, 10**3), (1e14, 1e16, 10**6), (1e17, 1e19, 10**9))
"""From, to, and units per second: dates of 1973 to 2286, so that no number fits two units."""


class BadQuestionError(ValueError):
    """A row is not a usable question; the message says why."""


def is_absent(value: object) -> bool:
    """Whether a value is missing: None, an empty text, or NaN as data frames write it."""
    # NaN is the one value that differs from itself.
    return value is None or value == "" or (isinstance(value, float) and value != value)  # noqa: PLR0124


def parse_text(value: object, name: str) -> str:
    """Return a text, or ``""`` where it is missing.

    Raises
    ------
    BadQuestionError
        The value is not a text, or no valid Unicode.
    """
    if is_absent(value):
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise BadQuestionError(f"{name} is not a text: {value!r:.80}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadQuestionError(
            f"{name} is not valid UTF-8: save the file as UTF-8 and read it again"
        ) from None
    return value


def parse_tags(value: object) -> tuple[str, ...]:
    """Read tags from a list, or from a text in one of the forms that exports use.

    A text may be ``<a><b>`` (also HTML-escaped), ``|a|b|``, ``a;b``, ``a, b``, ``a b``, a list in
    JSON, Python or NumPy notation, or a set or array in braces.

    Raises
    ------
    BadQuestionError
        There is no tag, one of them is null, or one is not a possible tag.
    """
    if isinstance(value, bytes):
        value = parse_text(value, "tags")
    if is_absent(value):
        names: Iterable[object] = ()
    elif isinstance(value, str):
        names = _names_in_text(value)
    elif isinstance(value, list | tuple):
        names = value
    else:
        raise BadQuestionError(f"tags are neither a list nor a text: {value!r:.80}")
    tags = []
    for name in names:
        if is_absent(name):
            raise BadQuestionError("one of the tags is null or empty")
        if not isinstance(name, str):
            raise BadQuestionError(f"a tag is not a text: {name!r:.80}")
        tag = unicodedata.normalize("NFC", _unescape(name).strip().lower())
        if not _TAG.fullmatch(tag) or len(tag) > _MAX_TAG_CHARACTERS:
            raise BadQuestionError(f"not a possible tag: {tag!r:.80}")
        tags.append(tag)
    if not tags:
        raise BadQuestionError("there are no tags")
    return tuple(dict.fromkeys(tags))


def parse_whole_number(value: object, name: str) -> int | None:
    """Return a whole number of at most 64 bits, or None where it is missing.

    Raises
    ------
    BadQuestionError
        The value is something else.
    """
    if _is_null(value):
        return None
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float | Decimal) and isfinite(value) and value == int(value):
        number = int(value)
    elif isinstance(value, str) and (match := _WHOLE.fullmatch(value.strip())):
        number = int(match[1])
    if number is None:
        raise BadQuestionError(f"{name} is not a whole number: {value!r:.80}")
    if not _MIN_INT64 <= number <= _MAX_INT64:
        raise BadQuestionError(f"{name} does not fit in 64 bits: {value!r:.80}")
    return number


def parse_date(value: object, name: str) -> datetime | None:
    """Return a date and time in UTC, without a time zone, or None where it is missing.

    Dates are ISO 8601 (``2016-03-01``, ``2016-03-01T13:57:07Z``, ``2016-03-01 13:57:07.580 UTC``)
    or the time since 1970 in seconds, milliseconds, microseconds or nanoseconds. A date without a
    time zone is in UTC already, as exports of Stack Exchange are.

    Raises
    ------
    BadQuestionError
        The value is something else, for instance ``01/03/2016``, which has two readings.
    """
    if _is_null(value):
        return None
    try:
        if isinstance(value, datetime):
            # A subclass, such as pandas' Timestamp, becomes a plain datetime.
            moment = datetime.fromisoformat(value.isoformat())
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day)
        elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            moment = _moment_of_number(value)
        elif isinstance(value, str):
            moment = _moment_of_text(value.strip())
        else:
            raise ValueError
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError, OSError, ArithmeticError):
        raise BadQuestionError(
            f"{name} is not an ISO 8601 date such as 2016-03-01: {value!r:.80}"
        ) from None


def parse_year_end(value: object, name: str) -> datetime | None:
    """Return the last day of a year, or None where the year is missing.

    Raises
    ------
    BadQuestionError
        The value is not a year.
    """
    if _is_null(value):
        return None
    match = _YEAR.fullmatch(str(value).strip())
    if match is None or match[1] == "0000":
        raise BadQuestionError(f"{name} is not a year such as 2016: {value!r:.80}")
    return datetime(int(match[1]), 12, 31)


def _is_null(value: object) -> bool:
    return is_absent(value) or (isinstance(value, str) and value.strip().lower() in _NULLS)


def _unescape(text: str) -> str:
    """Undo HTML escaping, done once or twice: no tag has an ampersand."""
    return html.unescape(html.unescape(text)) if "&" in text else text


def _names_in_text(text: str) -> Iterable[object]:
    if text.strip() == "<NA>":  # how pandas prints a missing value
        return ()
    text = _unescape(text).strip()
    if text.startswith("<"):
        if not _BRACKETED_TAGS.fullmatch(text):
            raise BadQuestionError(f"tags are not of the form <a><b>: {text!r:.80}")
        return [name for name in _BRACKETED_TAG.findall(text) if name.strip()]
    if text.lower() in _NULLS:
        return ()
    if text[0] in _LIST_ENDS:
        return _names_in_list(text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    for separator in _SEPARATORS:
        if separator in text:
            return [name for name in text.split(separator) if name.strip()]
    return text.split()


def _names_in_list(text: str) -> Iterable[object]:
    if text[0] == "[":
        try:
            names = json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            if isinstance(names, list):
                return names
    if text[-1] != _LIST_ENDS[text[0]]:
        raise BadQuestionError(f"the list of tags has no end: {text!r:.80}")
    inner, names, place = text[1:-1].strip(), [], 0
    if inner.endswith(","):  # as in Python's ('a',)
        inner = inner[:-1]
    while place < len(inner):
        match = _LIST_ITEM.match(inner, place)
        if match is None:
            raise BadQuestionError(f"cannot read this list of tags: {text!r:.80}")
        bare = match[3]
        # Only quotation marks tell the tag "null" from a missing one.
        names.append(
            (match[1] if match[1] is not None else match[2])
            if bare is None
            else (None if bare.lower() in _NULLS else bare)
        )
        place = match.end()
    return names


def _moment_of_number(number: float | Decimal) -> datetime:
    for low, high, units in _EPOCH_UNITS:
        if low <= number < high:
            seconds, rest = divmod(Decimal(number), units)
            microseconds = min(round(rest * 1_000_000 / units), 999_999)
            return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=microseconds)
    return _moment_of_compact_date(str(int(number)))


def _moment_of_compact_date(text: str) -> datetime:
    if not _COMPACT_DATE.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text)


def _moment_of_text(text: str) -> datetime:
    if _NUMBER.fullmatch(text):
        return _moment_of_number(Decimal(text))
    if text.isdigit():
        return _moment_of_compact_date(text)
    without_name = _UTC_NAME.sub("", text)
    return datetime.fromisoformat(_SPACED_OFFSET.sub("", without_name))
