"""Writes the entries of docs/runbook.md from the declarations of the alarms.

    .venv/bin/python -m infra_cdk.runbook

The first section of the page, above the mark, is written by hand. A test compares the rest.
"""

import textwrap
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Final

from aws_cdk import App

from infra_cdk.observability.watch import RUNBOOK, Watch, WatchGroup
from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack

MARK: Final = (
    "<!-- From here on, this page is written by `.venv/bin/python -m infra_cdk.runbook`. "
    "Change the declarations in infra_cdk instead. -->"
)
_WIDTH: Final = 105


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


def _entry(watch: Watch) -> Iterator[str]:
    yield f"### {watch.name}\n"
    yield f"{_wrapped(watch.meaning)}\n"
    if watch.first_command:
        yield textwrap.indent(watch.first_command, "    ") + "\n"
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
    """Write the page. The environment `prod` has every alarm."""
    path = ROOT / RUNBOOK
    with TemporaryDirectory() as folder:
        settings = ENVIRONMENTS["prod"](alarm_email="operator@example.org")
        stack = EtiquetteStack(App(outdir=folder, analytics_reporting=False), settings=settings)
        page = with_entries(path.read_text(encoding="utf-8"), stack.watch_groups)
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
