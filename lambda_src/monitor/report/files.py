"""Where the reports are kept."""

import json
from collections.abc import Sequence
from datetime import date

from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.report.estimates import Day
from lambda_src.monitor.report.page import render
from lambda_src.monitor.report.summary import summarize
from lambda_src.monitor.store import EventStore


def write_reports(
    store: EventStore, days: Sequence[Day], findings: Sequence[Finding], today: date
) -> None:
    """Write the day's report, the same as the latest one, and its short form.

    Parameters
    ----------
    store : EventStore
    days, findings, today
        As in `render`.
    """
    page = render(days, findings, today).encode()
    short = json.dumps(summarize(days, findings, today), indent=1, ensure_ascii=False) + "\n"
    store.write(f"reports/{today}.html", page)
    store.write("reports/latest.html", page)
    store.write("reports/latest.json", short.encode())
