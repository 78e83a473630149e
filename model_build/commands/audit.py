"""The command ``python -m model_build audit``."""

import argparse
import hashlib
import json
import os
import re
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from botocore.exceptions import BotoCoreError, ClientError

from lambda_src.monitor.store import StoreError, open_store
from lambda_src.tagger import TagModel
from model_build.audit import auditing
from model_build.audit.errors import AuditError
from model_build.audit.http_api import Authorization, HttpApi
from model_build.audit.live_function import LiveFunction
from model_build.audit.service import Connection, Service
from model_build.audit.tag_names import TagNames
from model_build.collect.stack_exchange import StackExchange
from model_build.collect.windows import Range, walk
from model_build.commands.arguments import Commands, add_files
from model_build.commands.collect import add_client_options, client_of, day, start_of
from model_build.commands.output import write_text
from model_build.evaluation import table
from model_build.locations import Location
from model_build.model_card import MIN_QUESTIONS
from model_build.questions import BadQuestionError, Question
from model_build.synonyms import WELL_KNOWN, read_synonyms

STARTER: Final = Path(__file__).parents[1] / "starter" / "starter.safetensors"
_AGES: Final = re.compile(r"([0-9]{1,3})(?:\.\.([0-9]{1,3}))?", re.ASCII)


class Ages(NamedTuple):
    """How many days ago the questions were asked: from `youngest` to `oldest`, both included."""

    youngest: int
    oldest: int

    @classmethod
    def parse(cls, text: str) -> "Ages":
        """Read ages from a command line: ``3``, or ``3..9``."""
        match = _AGES.fullmatch(text)
        if match is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of days such as 3 or 3..9")
        ages = cls(int(match[1]), int(match[2] or match[1]))
        if not 1 <= ages.youngest <= ages.oldest:
            raise argparse.ArgumentTypeError(f"{text!r}: the first number must be 1 to the second")
        return ages


def add_command(commands: Commands) -> None:
    """Declare the command ``audit``."""
    command = commands.add_parser(
        "audit",
        help="measure the live model on a site's newest questions",
        description="Ask the live model about the site's newest questions and compare its answers "
        "with the tags that the askers chose. The questions are sent as drafts, so that the "
        "service does not count them. Run it once a day.",
    )
    add_client_options(command)
    service = command.add_mutually_exclusive_group(required=True)
    service.add_argument("--url", help="the address of the service: https://tags.example.com")
    service.add_argument(
        "--function",
        metavar="ARN",
        help="the alias of the service's function, to be invoked without the HTTP API: the AWS "
        "credentials must allow it, and --auth has no effect",
    )
    command.add_argument(
        "--auth",
        choices=get_args(Authorization),
        default="none",
        help="how the API knows its callers: iam signs with the AWS credentials, jwt sends the "
        "token in ETIQUETTE_TOKEN (default: %(default)s)",
    )
    command.add_argument(
        "--model",
        type=Location,
        default=Location(str(STARTER)),
        metavar="MODEL.safetensors",
        help="the bundle that the service runs, a file or s3://bucket/key (default: the starter)",
    )
    command.add_argument(
        "--challenger",
        type=Location,
        metavar="MODEL.safetensors",
        help="a bundle to compare with the live model, on the same questions",
    )
    command.add_argument(
        "--days",
        type=Ages.parse,
        default=Ages(3, 3),
        metavar="AGES",
        help="the age of the questions in days, such as 3, or 3..9 for a weekly audit. Tags of "
        "younger questions still change (default: 3)",
    )
    command.add_argument(
        "--date",
        type=day,
        metavar="DATE",
        help="the day of the audit, to repeat one that was missed (default: today, in UTC)",
    )
    add_files(
        command,
        "--synonyms",
        "the site's synonyms of tags, as `collect synonyms` writes them: a renamed tag is "
        "then no mistake",
    )
    command.add_argument(
        "--fetch-synonyms",
        action="store_true",
        help="also read the site's synonyms from the API: one request for 100 of them",
    )
    command.add_argument(
        "--store",
        metavar="LOCATION",
        help="the event store, s3://bucket[/prefix] or a folder: write audits/date=... for the "
        "monitor",
    )
    command.add_argument(
        "--json", type=Path, metavar="REPORT.json", help="write the figures to this file"
    )
    command.set_defaults(run=_audit)


def _audit(options: argparse.Namespace) -> None:
    today: date = options.date or datetime.now(UTC).date()
    ages: Ages = options.days
    try:
        store = open_store(options.store) if options.store else None
    except StoreError as error:
        raise AuditError(str(error)) from error
    service = Service(_connection(options))
    model = _model(options.model)
    challenger = _model(options.challenger) if options.challenger else None
    client = client_of(options)
    synonyms = read_synonyms([WELL_KNOWN, *options.synonyms])
    if options.fetch_synonyms:
        synonyms |= dict(client.synonyms())
    names = TagNames(synonyms, model.tags)
    questions = _questions(client, today, ages)
    audit = auditing.ask(questions, service, model, names)
    if not audit.audited:
        raise AuditError(
            f"{options.site}: there is no question of {_period(today, ages)} to audit. "
            "Name more days, such as --days 3..9."
        )
    found: dict[str, Any] = {
        "site": options.site,
        "date": today.isoformat(),
        "days": list(ages),
        **auditing.figures(audit, model),
    }
    if challenger is not None:
        names_of_challenger = TagNames(synonyms, challenger.tags)
        found["challenger"] = auditing.compare(audit, challenger, names_of_challenger)
    if options.json:
        write_text(options.json, json.dumps(found, indent=2) + "\n")
    if store is not None:
        key = _key(options.site, service.address, today, ages)
        try:
            store.write(key, auditing.event_lines(audit, options.site, model, today))
        except (OSError, BotoCoreError, ClientError) as error:
            raise AuditError(f"{options.store}: cannot write {key}: {error}") from error
        print(f"{key}: {len(audit.audited):,} questions")
    _print(found)


def _connection(options: argparse.Namespace) -> Connection:
    if options.function:
        return LiveFunction(options.function)
    token = os.environ.get("ETIQUETTE_TOKEN")
    return HttpApi(options.url, authorization=options.auth, token=token)


def _model(location: Location) -> TagModel:
    with tempfile.TemporaryDirectory() as folder:
        # The model maps the file, which needs no name any more.
        return TagModel.load(location.on_disk(Path(folder) / "model.safetensors"))


def _questions(client: StackExchange, today: date, ages: Ages) -> list[Question]:
    wanted = Range(
        start_of(today - timedelta(days=ages.oldest)),
        start_of(today - timedelta(days=ages.youngest - 1)),
    )
    questions = []
    for step in walk(client, wanted):
        for item in step.items:
            try:
                questions.append(Question.from_row(client.row(item)))
            except BadQuestionError as error:
                print(f"question {item['question_id']} is left out: {error}")
    return questions


def _key(site: str, address: str, today: date, ages: Ages) -> str:
    """Return where an audit is kept. The name holds no text from outside."""
    facts = json.dumps([site, address, ages])
    name = hashlib.sha256(facts.encode()).hexdigest()[:16]
    return f"audits/date={today.isoformat()}/audit-{name}.jsonl"


def _period(today: date, ages: Ages) -> str:
    first, last = (today - timedelta(days=days) for days in (ages.oldest, ages.youngest))
    return f"{first}" if first == last else f"{first} to {last}"


def _print(found: dict[str, Any]) -> None:
    print(table(found))
    if not found["enough_questions"]:
        print(f"Not enough questions: fewer than {MIN_QUESTIONS} say little about the model.")
    if found["differing"]:
        print(
            f"The service answered {found['differing']:,} questions differently than the bundle "
            "does. Check which model and which version of the code it runs."
        )
    if found["other_versions"]:
        print(f"{found['other_versions']:,} answers of another model version were left out.")
    if "challenger" in found:
        difference = found["challenger"]["difference"]
        low, high = difference["interval"]
        print(
            f"The challenger's sample Jaccard is {difference['sample_jaccard']:+.4f} "
            f"({low:+.4f} to {high:+.4f}) compared with the live model's."
        )
