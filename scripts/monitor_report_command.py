"""The command line of scripts/monitor_report."""

import argparse
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lambda_src.monitor.release import read_release
from lambda_src.monitor.report import summarize
from lambda_src.monitor.run import run
from lambda_src.monitor.store import EventStore, StoreError, open_store
from lambda_src.tagger import BundleError
from scripts.export_command import last_day
from scripts.exporting.flat_files import write_evidently
from scripts.exporting.rows import read_table
from scripts.shared.paths import ROOT
from scripts.shared.terminal import UserError, step

_MEMORY_MB: Final = 1024
_EVIDENTLY: Final = ROOT / ".cache" / "evidently" / "venv" / "bin" / "python"


def main() -> int:
    """Write the reports and print the health line; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/monitor_report", description="Make the monitor's report from events."
    )
    parser.add_argument("store", metavar="FOLDER", help="the event store: a folder or s3://bucket")
    parser.add_argument(
        "--day",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the last day of the report (default: the last with events)",
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=ROOT / "model_build" / "starter" / "starter.safetensors",
        metavar="BUNDLE",
        help="the bundle of the live model, whose baseline drift is measured from "
        "(default: the starter)",
    )
    parser.add_argument("--evidently", action="store_true", help="add the report of Evidently")
    options = parser.parse_args()
    try:
        store = open_store(options.store)
        today = options.day or last_day(store)
        with step("Running the monitor"):
            outcome = run(
                store,
                today,
                release=read_release(options.model),
                memory_mb=_MEMORY_MB,
                threads=os.cpu_count() or 1,
            )
        if options.evidently:
            with step("Making the report of Evidently"):
                _write_evidently_report(store, today)
    except (StoreError, BundleError, UserError, OSError) as error:
        print(f"monitor_report: {error}", file=sys.stderr)
        return 1
    summary = summarize(outcome.days, outcome.findings, today)
    print(f"{summary['health']} State: {summary['state']}.")
    print(f"{options.store.rstrip('/')}/reports/latest.html")
    return 0


def _write_evidently_report(store: EventStore, today: date) -> None:
    """Compare the last seven days with the 90 days before, with Evidently's default tests.

    Raises
    ------
    UserError
        If Evidently fails, with the end of its message.
    """
    table = read_table(store, today)
    with TemporaryDirectory() as name:
        folder = Path(name)
        reference, current = write_evidently(table, folder)
        report = folder / "report.html"
        done = subprocess.run(
            [_EVIDENTLY, "-m", "scripts.exporting.evidently_report", reference, current, report],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UserError(f"Evidently failed: {done.stderr.strip()[-300:]}")
        store.write("reports/evidently.html", report.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
