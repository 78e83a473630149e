"""Which file of the event store each line of the log belongs to."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, NoReturn

EVENT_TYPES: Final = ("prediction", "feedback")
EVENT_VERSIONS: Final = (1,)
EVENTS: Final = "events"
SET_ASIDE: Final = "set_aside"


class Hour(NamedTuple):
    """An hour of a day in UTC. Its name begins the names of its files."""

    day: str
    """As YYYY-MM-DD."""
    hour: str
    """Two digits."""

    @classmethod
    def of(cls, time: datetime) -> "Hour":
        """Return the hour of a time, which must have a time zone."""
        time = time.astimezone(UTC)
        # strftime writes years before 1000 with fewer than four digits.
        return cls(time.date().isoformat(), f"{time.hour:02}")

    def prefix(self, folder: str) -> str:
        """Return the beginning of the keys of this hour's files."""
        return f"{folder}/date={self.day}/{self.hour}"


class Sorted(NamedTuple):
    """The lines of a batch."""

    files: dict[str, bytes]
    """The content of each file by its key."""
    n_predictions: int
    """How many lines are predictions."""
    n_set_aside: int
    """How many lines are no events that this release knows."""


def sort_lines(log_events: Iterable[Mapping[str, Any]]) -> Sorted:
    """Sort the lines of a log into files.

    The name of a file depends on its lines only. The same batch, delivered again, gives the same
    files, which overwrite the first ones.

    Parameters
    ----------
    log_events : iterable of mapping
        Each with `message`, the line, and `timestamp`, in milliseconds since 1970.

    Returns
    -------
    Sorted
        Events are in files of the hour that their own timestamp says. Each other line is in a file
        of its own, in the folder of lines that were set aside, with the reason.
    """
    by_hour = defaultdict(list)
    files = {}
    n_predictions = n_set_aside = 0
    for log_event in log_events:
        line = log_event["message"].rstrip("\n")
        try:
            event = read_event(line)
        except ValueError as error:
            n_set_aside += 1
            received = datetime.fromtimestamp(log_event["timestamp"] / 1000, UTC)
            content = json.dumps({"reason": str(error), "line": line}).encode() + b"\n"
            files[_key(SET_ASIDE, Hour.of(received), content)] = content
        else:
            n_predictions += event["event_type"] == "prediction"
            by_hour[Hour.of(event["timestamp"])].append(line)
    for hour, lines in by_hour.items():
        content = "".join(f"{line}\n" for line in lines).encode()
        files[_key(EVENTS, hour, content)] = content
    return Sorted(files, n_predictions, n_set_aside)


def _key(folder: str, hour: Hour, content: bytes) -> str:
    return f"{hour.prefix(folder)}-{hashlib.sha256(content).hexdigest()[:20]}.jsonl"


def read_event(line: str) -> dict[str, Any]:
    """Parse an event line; its `timestamp` becomes a datetime in UTC.

    Raises
    ------
    ValueError
        The line is not an event that this release knows. The message says why, in a few words.
    """
    if "\n" in line:
        raise ValueError("more than one line")
    try:
        event = _DECODER.decode(line)
        # A lone surrogate, written as it is or as an escape sequence, is no character.
        if not line.isascii() or "\\ud" in line or "\\uD" in line:
            json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("not JSON in UTF-8") from None
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    if event.get("event_type") not in EVENT_TYPES:
        raise ValueError("unknown event_type")
    version = event.get("event_version")
    if type(version) is not int or version not in EVENT_VERSIONS:
        raise ValueError("unknown event_version")
    try:
        time = datetime.fromisoformat(event["timestamp"])
    except (KeyError, TypeError, ValueError):
        raise ValueError("no timestamp in ISO 8601") from None
    if time.tzinfo is None:
        raise ValueError("timestamp without a time zone")
    try:
        return {**event, "timestamp": time.astimezone(UTC)}
    except OverflowError:
        raise ValueError("timestamp outside of the calendar") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
