"""The command line of scripts/bench: compare Etiquette with other systems."""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from lambda_src.tagger import BundleError
from model_build.corpus import CorpusError
from model_build.features import NotEnoughQuestionsError

COMMANDS: Final = {
    "quality": "quality of the tags, compared with other systems trained on the same questions",
    "ablation": "what each part of the model contributes to the quality",
    "training": "time and memory of training, compared with scikit-learn",
    "gate": "how often the gate passes equal challengers and fails worse ones",
    "collect": "speed and memory of reading a dump, at several sizes",
    "scale": "time and memory of trainings of several sizes, and of scoring, and how they grow",
    "monitor": "time and memory of the monitor on a day with a million predictions",
    "drift": "false alarms and delays of the drift detectors, compared with other detectors",
    "monthly": "the cost of a month on AWS at three levels of traffic",
    "hostile": "hostile requests, questions, bundles, events and files, and the kernel's fuzzer",
    "load": "throughput and latency by offered rate, up to saturation and past it",
    "soak": "whether memory and file handles stay the same in half an hour of mixed requests",
    "serving": "latency, cold starts, memory and cost, compared with a scikit-learn service",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one benchmark; an error that the user can fix is one line on standard error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="BENCHMARK", dest="command")
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        command.add_argument(
            "--json", type=Path, metavar="FILE", help="also write the figures to this file"
        )
        if name in arguments[:1]:  # the other modules may need packages that are not installed
            import_module(f"scripts.benchmarks.{name}").add_options(command)
    options = parser.parse_args(arguments)
    try:
        figures = import_module(f"scripts.benchmarks.{options.command}").run(options)
    except (BundleError, CorpusError, NotEnoughQuestionsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
