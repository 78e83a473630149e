"""Answer questions with one model and report the time; a process of `scripts/bench serving`.

Usage: python -m scripts.benchmarks.question_worker tagger|handler|baseline MODEL

Each line of standard input is a JSON list of [title, body]. For each line, the program writes one
line with a JSON object to standard output; see `scripts.benchmarks.question_processes`.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.support.api_gateway import gateway_event, lambda_context

Predict = Callable[[str, str], object]


def main(kind: str, model: str) -> None:
    """Load a model and answer questions until the input ends."""
    # The handler logs to standard output: send that to /dev/null and keep a copy for the results.
    with os.fdopen(os.dup(1), "w") as results, Path(os.devnull).open("w") as null:
        os.dup2(null.fileno(), 1)
        # Import before the clock starts: only the model's own loading time counts.
        import_module("lambda_src.tagger" if kind == "tagger" else "gc")
        started = time.perf_counter()
        predict = _LOADERS[kind](model)
        load_ms = (time.perf_counter() - started) * 1000
        print(json.dumps({"load_ms": load_ms, **_memory()}), file=results, flush=True)
        for line in sys.stdin:
            print(json.dumps(_time(predict, json.loads(line))), file=results, flush=True)


def _tagger(model: str) -> Predict:
    return import_module("lambda_src.tagger").TagModel.load(model).suggest  # type: ignore[no-any-return]


def _baseline(model: str) -> Predict:
    return import_module("joblib").load(model).predict  # type: ignore[no-any-return]


def _handler(model: str) -> Predict:
    os.environ["ETIQUETTE_MODEL"] = model
    handler = import_module("lambda_src.api.handler").handler

    context = lambda_context()

    def answer(title: str, body: str) -> object:
        event = gateway_event("POST", "/predict", json.dumps({"title": title, "body": body}))
        return handler(event, context)

    return answer


_LOADERS: Final[dict[str, Callable[[str], Predict]]] = {
    "tagger": _tagger,
    "handler": _handler,
    "baseline": _baseline,
}


def _time(predict: Predict, questions: list[tuple[str, str]]) -> dict[str, Any]:
    wall, processor = [], []
    for title, body in questions:
        started, started_processor = time.perf_counter_ns(), time.thread_time_ns()
        predict(title, body)
        processor.append((time.thread_time_ns() - started_processor) / 1e6)
        wall.append((time.perf_counter_ns() - started) / 1e6)
    return {"wall_ms": wall, "processor_ms": processor, **_memory()}


def _memory() -> dict[str, float]:
    status = Path("/proc/self/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return {
        name: int(lines[field].split()[0]) * 1024 / 1e6
        for name, field in (("rss_mb", "VmRSS"), ("peak_rss_mb", "VmHWM"))
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
