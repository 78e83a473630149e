"""The command ``retrain``."""

import argparse

from model_build.commands.arguments import Commands
from model_build.locations import Location
from model_build.retraining import record, retrain


def add_command(commands: Commands) -> None:
    """Declare ``retrain``."""
    command = commands.add_parser(
        "retrain", help="train a candidate, and let the gate compare it with the live model"
    )
    command.add_argument(
        "--corpus",
        required=True,
        type=Location,
        metavar="FOLDER",
        help="a path or s3:// URL, with a folder questions; docs/train.md names the other folders",
    )
    command.add_argument(
        "--champion",
        required=True,
        type=Location,
        metavar="MODEL.safetensors",
        help="the path or s3:// URL of the bundle that is live",
    )
    command.add_argument(
        "--out",
        required=True,
        type=Location,
        metavar="FOLDER",
        help="a path or s3:// URL, in which the run gets a folder of its name",
    )
    command.add_argument("--run", dest="name", required=True, help="the name of the run")
    command.add_argument(
        "--record",
        nargs=2,
        metavar=("TABLE", "SERVICE"),
        help="also write the result into the DynamoDB table of infra_cdk/retraining.py",
    )
    command.set_defaults(run=_retrain)


def _retrain(options: argparse.Namespace) -> None:
    result = retrain(options.corpus, options.champion, options.out / options.name, run=options.name)
    if options.record:
        record(result, *options.record)
    print(f"{result.subject}\n\n{result.message}")
