"""The command ``python -m model_build inspect``."""

import argparse
import json
from pathlib import Path

from model_build.collect.records import CollectedQuestion
from model_build.commands.arguments import Commands, add_files
from model_build.commands.output import write_text
from model_build.corpus import CorpusError, Rejects, read_rows
from model_build.corpus.reading import SUFFIXES
from model_build.hygiene.inspection import inspect
from model_build.hygiene.licences import write_attributions
from model_build.hygiene.report import as_markdown
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.values import BadQuestionError


def add_command(commands: Commands) -> None:
    """Declare the command ``inspect``."""
    command = commands.add_parser(
        "inspect",
        help="report what a corpus holds: near-duplicates, languages, synonyms, dates, licences",
    )
    command.add_argument(
        "--questions", nargs="+", required=True, type=Path, metavar="FILE", help=SUFFIXES
    )
    add_files(
        command,
        "--synonyms",
        "more synonyms of tags, as for train; `collect synonyms` writes such a file",
    )
    command.add_argument(
        "--json", required=True, type=Path, metavar="REPORT.json", help="the report for programs"
    )
    command.add_argument(
        "--markdown", type=Path, metavar="REPORT.md", help="also write the report for people"
    )
    command.add_argument(
        "--attribution",
        type=Path,
        metavar="FILE.csv",
        help="also write the link, author and licence of each question",
    )
    command.set_defaults(run=_inspect)


def _inspect(options: argparse.Namespace) -> None:
    report: Path = options.json
    synonyms = read_synonyms([WELL_KNOWN, *options.synonyms])
    questions = []
    with Rejects(report.with_name(f"{report.name}.rejects.jsonl")) as rejects:
        for path in options.questions:
            for record, question in read_rows(path, rejects):
                try:
                    questions.append(CollectedQuestion.of(question, record.values))
                except BadQuestionError as error:
                    rejects.add(path, record.row, str(error), record.values, line=record.line)
    if not questions:
        raise CorpusError(
            f"{', '.join(map(str, options.questions))}: there is no usable question. "
            "Name a file that has some."
        )
    figures = {
        "files": [path.name for path in options.questions],
        "rejected_rows": rejects.total,
        **inspect(questions, synonyms),
    }
    write_text(report, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    if options.markdown:
        write_text(options.markdown, as_markdown(figures))
    if options.attribution:
        write_attributions(questions, options.attribution)
    print(f"{report}: {len(questions):,} questions")
    for remark in figures["remarks"]:
        print(f"- {remark}")
