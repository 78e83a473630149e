"""The command ``evaluate``."""

import argparse
import json
from pathlib import Path

from lambda_src.tagger import TagModel
from model_build.commands.arguments import Commands, add_questions, rejects_of
from model_build.corpus import read_corpus
from model_build.evaluation import draw_reliability, judge, report, table, write_predictions


def add_command(commands: Commands) -> None:
    """Declare ``evaluate``."""
    evaluate = commands.add_parser(
        "evaluate", help="measure a model on questions that it was not trained on"
    )
    evaluate.add_argument(
        "--model",
        required=True,
        type=Path,
        metavar="MODEL.safetensors",
        help="the bundle to evaluate",
    )
    add_questions(evaluate)
    evaluate.add_argument(
        "--json",
        required=True,
        type=Path,
        metavar="REPORT.json",
        help="write the metrics and their 95 %% intervals to this file",
    )
    evaluate.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE.jsonl",
        help="also write the prediction for each question, one per line",
    )
    evaluate.add_argument(
        "--reliability",
        type=Path,
        metavar="DIAGRAM.png",
        help="also draw the precision of suggestions by their confidence, for titles alone and for "
        "questions with bodies",
    )
    evaluate.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    model = TagModel.load(options.model)
    with rejects_of(options, options.json) as rejects:
        found = {path: read_corpus([path], rejects) for path in options.questions}
    questions = [question for members in found.values() for question in members]
    judged = judge(model, questions)
    metrics = report(
        model,
        judged,
        questions=questions,
        file_sizes={path: len(members) for path, members in found.items()},
    )
    options.json.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    if options.predictions:
        write_predictions(judged, options.predictions)
    if options.reliability:
        draw_reliability(questions, judged, options.reliability)
    print(table(metrics))
