"""Reads event lines, sets aside what is no valid event, and keeps each day in a compact file.

A compact file is a cache: it holds what the figures need, without the terms of the questions, and a
fingerprint of the event files that it was made from. When those change, it is made again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import duckdb

from lambda_src.monitor.store import EventStore

EVENT_VERSION: Final = 1
"""The version of event lines that this monitor reads. It sets aside lines of other versions."""
_FORMAT: Final = 2
"""Of compact files. Another number makes all of them again."""
_FIELDS: Final[Mapping[str, object]] = {
    "event_version": "BIGINT",
    "event_type": "VARCHAR",
    "timestamp": "VARCHAR",
    "prediction_id": "VARCHAR",
    "model_version": "VARCHAR",
    "tags": ["VARCHAR"],
    "confidences": ["DOUBLE"],
    "top_confidence": "DOUBLE",
    "expected_jaccard": "DOUBLE",
    "known_share": "DOUBLE",
    "quiet_reason": "VARCHAR",
    "words": "BIGINT",
    "code_share": "DOUBLE",
    "max_tags": "BIGINT",
    "min_confidence": "DOUBLE",
    "excluded": "BIGINT",
    "source": "VARCHAR",
    "accepted": ["VARCHAR"],
    "final_tags": ["VARCHAR"],
    "unknown_tags": ["VARCHAR"],
    "authenticated": "BOOLEAN",
    "principal": "VARCHAR",
    "question_id": "BIGINT",
    "site": "VARCHAR",
}
"""What is read of an event, by name, with its type in DuckDB. A value of another type is null."""
# Names of files and headings of the report contain the version and the site.
_NAME: Final = r"regexp_full_match({field}, '\w[\w.+-]{{0,99}}')"
_ANSWER: Final = f"""
    len(tags) = len(confidences)
    AND len(list_filter(tags, lambda each: each IS NULL OR each = '')) = 0
    AND len(list_filter(confidences, lambda each: each IS NULL OR each NOT BETWEEN 0 AND 1)) = 0
    AND top_confidence BETWEEN 0 AND 1
    AND expected_jaccard BETWEEN 0 AND 1
    AND known_share BETWEEN 0 AND 1
    AND code_share BETWEEN 0 AND 1
    AND words >= 0
    AND {_NAME.format(field="model_version")}
"""
_VALID: Final[Mapping[str, str]] = {
    "prediction": f"prediction_id <> '' AND {_ANSWER}",
    "feedback": "prediction_id <> '' AND (final_tags IS NOT NULL OR accepted IS NOT NULL)"
    " AND len(list_filter(list_concat(final_tags, accepted), lambda each: each IS NULL)) = 0",
    "audit": f"question_id IS NOT NULL AND {_NAME.format(field='site')}"
    f" AND len(final_tags) > 0 AND {_ANSWER}",
}
"""What must be true of an event of each type; NULL counts as false."""
_IDENTITY: Final[Mapping[str, str]] = {
    "prediction": "prediction_id",
    "feedback": "prediction_id, received_at, md5(line)",
    "audit": "site, question_id, model_version",
}
"""Of events of a type that are equal in these, only one counts: the first of a prediction, the
newest of an audit. Feedback is reduced to the newest of each prediction when it is joined."""


class CompactDay(NamedTuple):
    """The events of one day, without doubles and without what cannot be read."""

    day: date
    path: Path
    """A local Parquet file, sorted by time."""
    set_aside: Mapping[str, int]
    """How many lines were set aside, by the reason."""
    doubles: int
    """How many lines repeated an event."""


def days_with(store: EventStore, folder: str) -> Sequence[date]:
    """Return the days for which there are files in ``<folder>/date=YYYY-MM-DD/``, sorted.

    Parameters
    ----------
    store : EventStore
    folder : {"events", "audits"}
    """
    names = {key.split("/")[1] for key in store.list(f"{folder}/date=") if key.count("/") >= 2}
    return sorted(day for day in map(_day_of, names) if day is not None)


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name.removeprefix("date="))
    except ValueError:
        return None


@contextmanager
def database(memory_mb: int, threads: int) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open a database in memory, with a temporary folder that it may use.

    DuckDB's defaults are four fifths of the machine's memory, all of its processors and a folder in
    the home directory, which a Lambda function does not have.

    Parameters
    ----------
    memory_mb, threads : int
        What DuckDB may use. What does not fit into the memory goes to the temporary folder.
    """
    with TemporaryDirectory(prefix="etiquette-monitor-") as folder:
        settings: dict[str, Any] = {
            "memory_limit": f"{memory_mb}MB",
            "threads": threads,
            "temp_directory": f"{folder}/duckdb",
            "home_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection, Path(folder)


def compact(
    connection: duckdb.DuckDBPyConnection,
    store: EventStore,
    day: date,
    workspace: Path,
    *,
    folder: str = "events",
) -> CompactDay | None:
    """Return the compact file of a day, made from its event files if it is missing or outdated.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    store : EventStore
    day : date
    workspace : Path
        A folder for local files.
    folder : {"events", "audits"}

    Returns
    -------
    CompactDay or None
        None if there are no event files of this day.
    """
    files = {
        key: version
        for key, version in store.versions(f"{folder}/date={day}/").items()
        if key.endswith(".jsonl")
    }
    if not files:
        return None
    fingerprint = _fingerprint(files)
    key = f"compact/{folder}/{day}.parquet"
    path = workspace / f"{folder}-{day}.parquet"
    kept = store.read(key)
    if kept is not None:
        path.write_bytes(kept)
        facts = _facts(connection, path)
        if facts.get("fingerprint") == fingerprint:
            return _compact_day(day, path, facts)
    downloads = workspace / f"{folder}-{day}"
    downloads.mkdir(exist_ok=True)
    local = store.fetch(sorted(files), downloads)
    _read_lines(connection, [str(each) for each in local], day, folder)
    _save(connection, folder, fingerprint, path)
    for each in downloads.iterdir():
        each.unlink()
    store.write(key, path.read_bytes())
    return _compact_day(day, path, _facts(connection, path))


def _fingerprint(files: Mapping[str, str]) -> str:
    listing = json.dumps([_FORMAT, sorted(files.items())])
    return hashlib.sha256(listing.encode()).hexdigest()


def _facts(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Read the metadata of a compact file; a damaged file has none."""
    try:
        rows = connection.execute(
            "SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)", [str(path)]
        ).fetchall()
    except duckdb.Error:
        return {}
    return dict(rows)


def _compact_day(day: date, path: Path, facts: Mapping[str, str]) -> CompactDay:
    return CompactDay(day, path, json.loads(facts["set_aside"]), int(facts["doubles"]))


def _read_lines(
    connection: duckdb.DuckDBPyConnection, files: Sequence[str], day: date, folder: str
) -> None:
    """Make the table `line` of the event lines of a day, with the reason of those set aside."""
    types = ["audit"] if folder == "audits" else ["prediction", "feedback"]
    rules = " ".join(f"WHEN '{each}' THEN coalesce({_VALID[each]}, false)" for each in types)
    identities = " ".join(f"WHEN '{each}' THEN hash({_IDENTITY[each]})::VARCHAR" for each in types)
    # A line that is not JSON is NULL, and so are all of its fields.
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE line AS
        WITH read AS (
            SELECT json AS line, unnest(json_transform(json, ?))
            FROM read_ndjson_objects(?, ignore_errors = true)
        ), timed AS (
            SELECT *, try_cast("timestamp" AS TIMESTAMPTZ)::TIMESTAMP AS received_at FROM read
        )
        SELECT * EXCLUDE (line), md5(line) AS line_digest, CASE
            WHEN event_type IS NULL THEN 'not an event'
            WHEN event_type NOT IN (SELECT unnest(?)) THEN 'unknown type'
            WHEN event_version IS DISTINCT FROM {EVENT_VERSION} THEN 'unknown version'
            WHEN received_at IS NULL THEN 'no time'
            WHEN received_at::DATE <> ? THEN 'other day'
            WHEN NOT CASE event_type {rules} END THEN 'wrong values'
        END AS set_aside, CASE event_type {identities} END AS identity
        FROM timed
        """,  # noqa: S608 (the only parts put in are constants of this module)
        [json.dumps(_FIELDS), list(files), types, day],
    )


def _save(
    connection: duckdb.DuckDBPyConnection, folder: str, fingerprint: str, target: Path
) -> None:
    """Write the table `line` without doubles as a compact file."""
    counts = connection.execute(
        "SELECT set_aside, count(*) FROM line WHERE set_aside IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE compact AS
        SELECT * EXCLUDE (set_aside, identity, "timestamp", event_version) FROM line
        WHERE set_aside IS NULL
        QUALIFY row_number() OVER (
            PARTITION BY event_type, identity
            ORDER BY if(?, -epoch_us(received_at), epoch_us(received_at)), line_digest
        ) = 1
        """,
        [folder == "audits"],  # the newest audit, and the first of all others
    )
    ((kept, read),) = connection.execute(
        "SELECT (SELECT count(*) FROM compact), count(*) FROM line WHERE set_aside IS NULL"
    ).fetchall()
    facts = {
        "fingerprint": fingerprint,
        "set_aside": json.dumps(dict(counts)),
        "doubles": str(read - kept),
    }
    metadata = ", ".join(f"{name}: '{value}'" for name, value in facts.items())
    connection.execute(
        f"""
        COPY (SELECT * FROM compact ORDER BY event_type, received_at, line_digest)
        TO '{target}' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{metadata}}})
        """  # noqa: S608 (the file is our own, and the values have no quotes)
    )
    connection.execute("DROP TABLE line")
    connection.execute("DROP TABLE compact")
