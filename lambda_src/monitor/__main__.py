"""Run the monitor on a folder or a bucket of events, for example on a laptop.

python -m lambda_src.monitor FOLDER [--day YYYY-MM-DD]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from lambda_src.monitor.release import read_release
from lambda_src.monitor.run import Outcome, run
from lambda_src.monitor.store import StoreError, open_store
from lambda_src.tagger import BundleError

_MEMORY_MB = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the monitor; an error that the user can fix is one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m lambda_src.monitor", description=__doc__)
    parser.add_argument("store", help="a folder or s3://bucket, as docs/watching.md describes it")
    parser.add_argument(
        "--day",
        type=date.fromisoformat,
        default=datetime.now(UTC).date(),
        metavar="YYYY-MM-DD",
        help="the last day to look at (default: today)",
    )
    parser.add_argument(
        "--model",
        metavar="BUNDLE",
        help="the bundle whose baseline drift is measured from; needed until a state of its "
        "version is in the store",
    )
    options = parser.parse_args(arguments)
    try:
        store = open_store(options.store)
        outcome = run(
            store,
            options.day,
            release=read_release(Path(options.model)) if options.model else None,
            memory_mb=_MEMORY_MB,
            threads=os.cpu_count() or 1,
        )
    except (StoreError, BundleError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (OSError, duckdb.Error) as error:
        print(
            f"error: {options.store}: the run stopped: {error}. Check the space on its disk and in "
            f"{tempfile.gettempdir()}, and the permissions. Then run the same command again: it "
            "writes what is missing.",
            file=sys.stderr,
        )
        return 1
    print("\n".join(_lines(outcome)))
    return 0


def _lines(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of a short table."""
    if outcome.live_version is None:
        yield f"There are no predictions up to {outcome.today}."
        return
    yield f"The week until {outcome.today}, model {outcome.live_version}:"
    for name, figure in outcome.figures.items():
        value = f"{figure.value:8.3f}" if figure.value is not None else "not enough data"
        yield f"  {name:28} {value:15}  {figure.cases} of at least {figure.needed}"
    for finding in outcome.findings:
        if finding.status == "drift":
            yield f"  {finding.kind} since {finding.since}: {finding.explanation}"


if __name__ == "__main__":
    sys.exit(main())
