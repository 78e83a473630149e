"""The commands ``python -m model_build collect ...``."""

import argparse
import csv
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from tqdm import tqdm

from model_build.collect import from_api, from_csv, from_dump
from model_build.collect.errors import CollectError
from model_build.collect.months import MonthFiles
from model_build.collect.stack_exchange import BASE_URL, StackExchange
from model_build.collect.windows import Range
from model_build.commands.arguments import Commands
from model_build.corpus import Rejects
from model_build.corpus.reading import SUFFIXES

_MOST_VIEWED = "most-viewed"


def add_command(commands: Commands) -> None:
    """Declare the command ``collect``."""
    collect = commands.add_parser("collect", help="collect the questions of a site as a corpus")
    sources = collect.add_subparsers(required=True, metavar="SOURCE")
    _add_api(sources.add_parser("api", help="from the Stack Exchange API"))
    _add_csv(sources.add_parser("csv", help="from exports of Data Explorer, or from other files"))
    _add_dump(sources.add_parser("dump", help="from the dump of a site"))
    _add_synonyms(sources.add_parser("synonyms", help="a site's synonyms of tags, from the API"))


def add_client_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of the Stack Exchange API."""
    command.add_argument(
        "--site",
        required=True,
        metavar="NAME",
        help="the site as the API names it, such as cooking or stackoverflow",
    )
    command.add_argument(
        "--base-url",
        default=BASE_URL,
        metavar="URL",
        help="the address of the API (default: %(default)s)",
    )
    command.add_argument(
        "--key",
        default=os.environ.get("STACK_EXCHANGE_KEY"),
        help="a key from stackapps.com: 10,000 requests a day instead of 300 (default: the "
        "variable STACK_EXCHANGE_KEY)",
    )


def client_of(options: argparse.Namespace) -> StackExchange:
    """Return a client by the options of `add_client_options`."""
    return StackExchange(options.site, base_url=options.base_url, key=options.key)


def day(text: str) -> date:
    """Parse a day of a command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-01-31") from None


def start_of(day: date) -> int:
    """Return the first second of a day in UTC, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _add_folder(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    command.add_argument(
        "--out",
        required=required,
        type=Path,
        metavar="FOLDER",
        help="the folder for the questions: one .parquet file per month",
    )


def _add_api(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Collect a site's questions from the Stack Exchange API. First say how many there are, and "
        "how many of them the quota allows. A run that was stopped goes on where it stopped if the "
        "command is run again."
    )
    add_client_options(command)
    _add_folder(command)
    command.add_argument(
        "--since", type=day, metavar="DATE", help="only questions from this day on (in UTC)"
    )
    command.add_argument(
        "--until",
        type=day,
        metavar="DATE",
        help="only questions before this day (default, and at most: today)",
    )
    command.set_defaults(run=_api)


def _add_csv(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Collect the questions of Data Explorer exports (https://data.stackexchange.com), or of "
        "any other file that train reads."
    )
    command.add_argument("--input", nargs="+", type=Path, metavar="FILE", help=SUFFIXES)
    _add_folder(command, required=False)
    _add_site(command)
    command.add_argument(
        "--sql",
        action="store_true",
        help="only print the query to paste into Data Explorer. It exports at most "
        f"{from_csv.MAX_EXPORT:,} rows: export page after page with --after",
    )
    command.add_argument(
        "--after",
        type=int,
        default=0,
        metavar="ID",
        help="with --sql: the questions with higher ids than this, the last one of the page before",
    )
    command.add_argument(
        "--preset",
        choices=[_MOST_VIEWED],
        help=f"with --sql: another query. {_MOST_VIEWED}: the {from_csv.MAX_EXPORT:,} most viewed "
        "questions with an answer and five tags. This is a biased sample: five tags are the most "
        "that a site allows, and most questions have fewer and are less popular. A model that is "
        "trained on it suggests too many tags",
    )
    command.set_defaults(run=_csv, usage_error=command.error)


def _add_dump(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Collect the questions of a site's dump, as a stream: memory does not grow with the file. "
        "A run that was stopped starts again from the beginning."
    )
    command.add_argument(
        "--input",
        required=True,
        type=Path,
        metavar="FILE",
        help="Posts.xml, or the .7z archive that holds it (needs the program 7zz)",
    )
    _add_folder(command)
    _add_site(command)
    command.set_defaults(run=_dump)


def _add_synonyms(command: argparse.ArgumentParser) -> None:
    add_client_options(command)
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FILE.csv",
        help="the file to write, for the option --synonyms of other commands",
    )
    command.set_defaults(run=_synonyms)


def _add_site(command: argparse.ArgumentParser) -> None:
    command.add_argument("--site", metavar="NAME", help="the site that the questions are from")


def _rejects(folder: Path, *, keep_older: bool = False) -> Rejects:
    whole = folder.resolve()  # "." has no name
    return Rejects(whole.with_name(f"{whole.name}.rejects.jsonl"), keep_older=keep_older)


def _api(options: argparse.Namespace) -> None:
    client = client_of(options)
    since = from_api.FIRST_QUESTION.date() if options.since is None else options.since
    until = from_api.default_end()
    if options.until is not None:
        until = min(until, start_of(options.until))
    wanted = Range(start_of(since), until)
    if wanted.since >= wanted.until:
        raise CollectError(
            "There is no day between --since and --until. "
            "--until is not included, and cannot be later than today."
        )
    with (
        MonthFiles(options.out, options.site) as months,
        _rejects(options.out, keep_older=True) as rejects,
    ):
        progress = from_api.Progress(months)
        plan = from_api.plan(client, wanted, progress)
        print(from_api.describe(plan, client, wanted), flush=True)
        n_received = from_api.collect(client, plan, months, progress, rejects)
        _print_summary(months, f"{n_received:,} questions received")


def _csv(options: argparse.Namespace) -> None:
    if options.sql:
        by_id = options.preset is None
        query = from_csv.next_page_query(options.after) if by_id else from_csv.most_viewed_query()
        print(query, end="")
        return
    if not options.input or not options.out:
        usage_error: Callable[[str], None] = options.usage_error
        usage_error("give --input and --out, or --sql")
    with MonthFiles(options.out, options.site) as months, _rejects(options.out) as rejects:
        last_id = from_csv.collect(options.input, months, rejects, options.site)
        _print_summary(months, f"highest id: {last_id}")
        if last_id is not None:
            print(f"The query for the next page: collect csv --sql --after {last_id}")


def _dump(options: argparse.Namespace) -> None:
    path: Path = options.input
    with (
        MonthFiles(options.out, options.site) as months,
        _rejects(options.out) as rejects,
        from_dump.open_dump(path) as file,
        tqdm(desc=path.name, unit="B", unit_scale=True, leave=False, disable=None) as bar,
    ):
        stream = from_dump.DumpStream(file, bar.update)
        n_questions = from_dump.collect(path, stream, months, rejects, options.site)
        _print_summary(months, f"{n_questions:,} questions read")


def _synonyms(options: argparse.Namespace) -> None:
    client = client_of(options)
    rows = sorted(client.synonyms())
    try:
        with options.out.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("synonym", "tag"), *rows])
    except OSError as error:
        raise CollectError(
            f"{options.out}: cannot write this file: {error.strerror}. Name another one with --out."
        ) from error
    print(f"{options.out}: {len(rows):,} synonyms")


def _print_summary(months: MonthFiles, what: str) -> None:
    names = months.names()
    total = sum(map(months.n_rows, names))
    period = f" ({names[0]} to {names[-1]})" if names else ""
    print(f"{what}. {months.folder}: {total:,} questions in {len(names)} files{period}")
