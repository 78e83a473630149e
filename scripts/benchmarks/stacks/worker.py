"""One side of `scripts/bench serving`, in a process of its own: answer questions, say how long.

python -m scripts.benchmarks.stacks.worker ours|rival|handler MODEL

Takes a JSON list of [title, body] a line and answers each line with a JSON object.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

Predict = Callable[[str, str], object]

CONTEXT: Final = SimpleNamespace(
    function_name="etiquette",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:etiquette:live",
    aws_request_id="52fdfc07-2182-154f-163f-5f0f9a621d72",
)


def main(kind: str, model: str) -> None:
    """Load a model and answer until the questions end."""
    # What the handler logs goes nowhere; the answers take what was standard output.
    with os.fdopen(os.dup(1), "w") as answers, Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        # Imported before the clock starts: a load is the model's alone.
        import_module("lambda_src.tagger" if kind == "ours" else "gc")
        started = time.perf_counter()
        predict = _LOADERS[kind](model)
        load_ms = (time.perf_counter() - started) * 1000
        print(json.dumps({"load_ms": load_ms, **_memory()}), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(_time(predict, json.loads(line))), file=answers, flush=True)


def gateway_event(title: str, body: str) -> dict[str, Any]:
    """POST /predict as API Gateway's HTTP API hands it over (payload format 2.0)."""
    host = "abcdef1234.execute-api.us-east-1.amazonaws.com"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/predict",
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": host,
            "user-agent": "bench",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": host,
            "domainPrefix": "abcdef1234",
            "http": {
                "method": "POST",
                "path": "/predict",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "bench",
            },
            "requestId": "RequestIdOfGateway=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1795341600000,
        },
        "isBase64Encoded": False,
        "body": json.dumps({"title": title, "body": body}),
    }


def _ours(model: str) -> Predict:
    return import_module("lambda_src.tagger").TagModel.load(model).suggest  # type: ignore[no-any-return]


def _rival(model: str) -> Predict:
    return import_module("joblib").load(model).predict  # type: ignore[no-any-return]


def _handler(model: str) -> Predict:
    os.environ["ETIQUETTE_MODEL"] = model
    handler = import_module("lambda_src.api.handler").handler

    def answer(title: str, body: str) -> object:
        return handler(gateway_event(title, body), CONTEXT)

    return answer


_LOADERS: Final[dict[str, Callable[[str], Predict]]] = {
    "ours": _ours,
    "rival": _rival,
    "handler": _handler,
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
