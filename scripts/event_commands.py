"""The command lines of scripts/replay_events and scripts/erase_prediction."""

import argparse
import re
import sys
from datetime import UTC, date, datetime

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from scripts.emulator.local_aws import LocalAws
from scripts.emulator.release_target import ReleaseTarget
from scripts.event_store.erasing import erase, streams_with
from scripts.event_store.replaying import replay
from scripts.releasing.account import Account
from scripts.releasing.target import NO_CREDENTIALS, Target, stack_name
from scripts.shared.terminal import UserError, say


def main() -> int:
    """Run one command; an error that the user can fix is one line on standard error."""
    options = _parser().parse_args()
    try:
        _run(options)
    except NoCredentialsError:
        print(f"{options.command}: {NO_CREDENTIALS}", file=sys.stderr)
        return 1
    except (UserError, BotoCoreError, ClientError, OSError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    target = _target(options)
    say(f"{options.command}: {Account.expected(target)}, stack {target.stack}")
    outputs = target.outputs()
    if outputs is None or "EventStoreBucket" not in outputs:
        raise UserError(
            f"The stack {target.stack} has no event store. Check --environment, AWS_PROFILE and "
            "AWS_REGION, or deploy the stack first."
        )
    store, bucket = target.client("s3"), outputs["EventStoreBucket"]
    if options.command == "erase_prediction":
        removed = erase(store, bucket, options.prediction_id)
        print(f"Removed {removed} lines about {options.prediction_id} from s3://{bucket}.")
        group = outputs["ApiFunctionLogGroup"]
        streams = streams_with(target.client("logs"), group, options.prediction_id)
        if streams:
            print(
                f"The log {group} still holds {streams.total()} lines about it, until its "
                "retention is over: CloudWatch Logs cannot delete single lines. To remove them "
                "now, delete their streams, with all other lines in them, when no function writes "
                "to them any more:"
            )
            for stream in sorted(streams):
                print(
                    f"  aws logs delete-log-stream --log-group-name '{group}' "
                    f"--log-stream-name '{stream}'"
                )
        return
    found = replay(
        target.client("logs"),
        store,
        log_group=outputs["ApiFunctionLogGroup"],
        bucket=bucket,
        since=options.since,
        until=options.until or datetime.now(UTC).date(),
    )
    print(
        f"Wrote {found.lines} lines to s3://{bucket}: {found.set_aside} of them were set aside, "
        f"and {found.erased} others were left out because their prediction was erased."
    )


def _target(options: argparse.Namespace) -> Target:
    stack = stack_name(options.environment, {"service": options.service})
    if options.environment != "emulator":
        return Target(options.environment, stack)
    aws = LocalAws.running(options.emulator)
    if aws is None:
        raise UserError(
            "The emulator is not running. Start it with: "
            f"scripts/local_aws --name {options.emulator} up"
        )
    return Target(options.environment, stack, ReleaseTarget(aws))


def _prediction_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the identifier of a prediction, such as "
            "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a"
        )
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-02") from None


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--environment",
        default="dev",
        choices=["dev", "prod", "emulator"],
        help="where the stack is deployed (default: dev)",
    )
    shared.add_argument("--service", default="etiquette", help="the setting `service` of the stack")
    shared.add_argument("--emulator", default="local", help="the name of the local AWS")
    parser = argparse.ArgumentParser(prog="scripts")
    commands = parser.add_subparsers(dest="command", required=True)
    replaying = commands.add_parser(
        "replay_events",
        parents=[shared],
        prog="scripts/replay_events",
        description="Read event lines from the log again, and write those that are missing to the "
        "event store.",
    )
    replaying.add_argument("--since", type=_day, required=True, help="the first day, in UTC")
    replaying.add_argument("--until", type=_day, help="the last day, in UTC (default: today)")
    erasing = commands.add_parser(
        "erase_prediction",
        parents=[shared],
        prog="scripts/erase_prediction",
        description="Remove a prediction, and the feedback about it, from the event store.",
    )
    erasing.add_argument("prediction_id", type=_prediction_id, help="from the answer of /predict")
    return parser


if __name__ == "__main__":
    sys.exit(main())
