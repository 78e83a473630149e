"""Writes the entries of docs/runbook.md from the declarations of the alarms.

    .venv/bin/python -m infra_cdk.runbook

The first section of the page, above the mark, is written by hand. A test compares the rest.
"""

import textwrap
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any, Final

from aws_cdk import App, Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.watch import RUNBOOK, Outage, Severity, Watch, WatchGroup
from infra_cdk.probe import reachability
from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack

MARK: Final = (
    "<!-- From here on, this page is written by `.venv/bin/python -m infra_cdk.runbook`. "
    "Change the declarations in infra_cdk instead. -->"
)
_WIDTH: Final = 105
WITH_EVERY_ALARM: Final[dict[str, Any]] = {
    "alarm_email": "operator@example.org",
    "domain_name": "tags.example.org",
    "certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/0-1",
    "retraining": True,
    "audit_site": "stackoverflow",
}
"""Settings with which `prod` has every alarm."""
_SEVERITIES: Final = {
    Severity.PAGE: "Page.",
    Severity.TICKET: "Ticket.",
    Severity.RELEASE: "Stops a release.",
}


def every_group(stack: EtiquetteStack) -> list[WatchGroup]:
    """Return what the stack and the optional probe watch, in the order of the runbook."""
    metric = cloudwatch.Metric(
        namespace="AWS/Route53", metric_name="HealthCheckStatus", period=Duration.minutes(1)
    )
    down, *others = stack.watch_groups
    return [down, reachability(metric), *others]


def entries(groups: Sequence[WatchGroup]) -> str:
    """Render the sections of the runbook as Markdown.

    Parameters
    ----------
    groups
        What is watched, in the order of the sections.
    """
    return "\n".join(line for group in groups for line in _section(group))


def with_entries(page: str, groups: Sequence[WatchGroup]) -> str:
    """Return a runbook with all that follows the mark written anew.

    Parameters
    ----------
    page
        The Markdown of the page.
    groups
        As in `entries`.

    Raises
    ------
    ValueError
        If the page does not contain the mark.
    """
    by_hand, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(
            f"{RUNBOOK} does not contain the line that begins its written part; put it back: {MARK}"
        )
    return f"{by_hand}{MARK}\n\n{entries(groups)}"


def _section(group: WatchGroup) -> Iterator[str]:
    yield f"## {group.question}\n"
    if group.introduction:
        yield f"{group.introduction}\n"
    for watch in group.watches:
        yield from _entry(watch)


def _entry(watch: Watch | Outage) -> Iterator[str]:
    yield f"### {watch.name}\n"
    yield f"{_wrapped(f'**{_SEVERITIES[watch.severity]}** {watch.meaning}')}\n"
    if watch.first_command:
        # `log` looks back as far as the alarm does.
        back = f"SINCE={watch.hours}h\n" if "log " in watch.first_command else ""
        yield textwrap.indent(back + watch.first_command, "    ") + "\n"
    yield from (_wrapped(f"- {item}", "  ") for item in watch.advice)
    yield ""


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def main() -> None:
    """Write the page."""
    path = ROOT / RUNBOOK
    with TemporaryDirectory() as folder:
        settings = ENVIRONMENTS["prod"](**WITH_EVERY_ALARM)
        stack = EtiquetteStack(App(outdir=folder, analytics_reporting=False), settings=settings)
        page = with_entries(path.read_text(encoding="utf-8"), every_group(stack))
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
