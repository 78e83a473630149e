"""The command line of scripts/export_events."""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Final

from lambda_src.monitor import events
from lambda_src.monitor.store import EventStore, StoreError, open_store
from scripts.exporting import flat_files, sagemaker
from scripts.exporting.rows import BASELINE_DAYS, read_table
from scripts.shared.terminal import UserError

_WRITERS: Final = {
    "sagemaker": sagemaker.write,
    "fiddler": flat_files.write_fiddler,
    "evidently": flat_files.write_evidently,
}


def main() -> int:
    """Write the files and print their paths; return 1 if something is wrong with the events."""
    parser = argparse.ArgumentParser(
        prog="scripts/export_events",
        description="Export the last seven days of events, with the "
        f"{BASELINE_DAYS} days before as their baseline.",
    )
    parser.add_argument("--to", choices=_WRITERS, required=True, help="the tool")
    parser.add_argument("store", metavar="FOLDER", help="the event store: a folder or s3://bucket")
    parser.add_argument("--out", type=Path, help="the folder for the files (default: export-TOOL)")
    parser.add_argument(
        "--day",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the last day of the seven (default: the last with events)",
    )
    options = parser.parse_args()
    folder = options.out or Path(f"export-{options.to}")
    try:
        store = open_store(options.store)
        table = read_table(store, options.day or last_day(store))
        folder.mkdir(parents=True, exist_ok=True)
        written = _WRITERS[options.to](table, folder)
    except (StoreError, UserError, OSError) as error:
        print(f"export_events: {error}", file=sys.stderr)
        return 1
    print(
        f"{len(table.current)} predictions, and {len(table.baseline)} of the baseline, in "
        f"{len(written)} files in {folder}"
    )
    return 0


def last_day(store: EventStore) -> date:
    """Return the last day with events.

    Raises
    ------
    UserError
        If there are none.
    """
    days = events.days_with(store, "events")
    if not days:
        raise UserError(
            "There are no events. The store must have files such as "
            "events/date=2026-11-27/NAME.jsonl."
        )
    return days[-1]


if __name__ == "__main__":
    sys.exit(main())
