"""What a training leaves beside its bundle, for the tracking server.

The record is a folder of files, written before the server is called: a server that is away loses
nothing, and ``python -m model_build track --bundle`` sends the same record later.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from model_build.evaluation import draw_reliability
from model_build.intervals import metric_intervals
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.tracking.provenance import code_version, corpus_fingerprint
from model_build.tracking.record_files import FACTS, RELIABILITY, record_folder
from model_build.training import FittedTagger

_VERSION: Final = 1
_DRAWS: Final = 200


def write_record(
    fitted: FittedTagger,
    bundle: Path,
    *,
    sha256: str,
    corpus: Sequence[Question],
    seconds: Mapping[str, float],
    options: Mapping[str, Any],
) -> Path:
    """Write the record of one training and return its folder.

    Parameters
    ----------
    fitted : FittedTagger
    bundle : Path
        The bundle file of the model.
    sha256 : str
        The bundle's digest.
    corpus : sequence of Question
        What the model was trained on.
    seconds : mapping of str to float
        The time that each stage took.
    options : mapping of str to JSON value
        Options of the command that the bundle does not contain.
    """
    folder = record_folder(bundle)
    folder.mkdir(parents=True, exist_ok=True)
    names = [tag for tag, _ in fitted.tags]
    held_out = fitted.out_of_fold
    draw_reliability(held_out.questions, held_out.judged, folder / RELIABILITY)
    facts = {
        "version": _VERSION,
        "bundle_sha256": sha256,
        "finished": round(time.time(), 3),
        "corpus_fingerprint": corpus_fingerprint(corpus),
        "code": code_version(),
        "options": dict(options),
        "seconds": {stage: round(each, 2) for stage, each in seconds.items()},
        "metrics": _figures(held_out.judged, names),
        "folds": [
            {
                "questions": len(of_fold),
                "metrics": compute_metrics(of_fold, names),
            }
            for of_fold in held_out.by_fold()
            if of_fold
        ],
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return folder


def _figures(judged: Sequence[JudgedQuestion], tags: Sequence[str]) -> dict[str, list[float]]:
    """Give the value of each metric, and both ends of its interval where it has one."""
    intervals = metric_intervals(judged, tags, draws=_DRAWS)
    return {
        name: [value, *intervals.get(name, ())]
        for name, value in compute_metrics(judged, tags).items()
    }
