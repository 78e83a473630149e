"""Throughput and latency of the service by offered rate, up to saturation and past it.

The services are a uvicorn server, as `scripts/quickstart` starts it, the same without its limit of
waiting requests, and copies of the function's image under AWS's runtime interface emulator. Each
copy answers one request at a time, with the processor share that Lambda gives it. Everything runs
on the loopback interface, for a limited time.
"""

import argparse
import asyncio
import resource
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any, Final

from scripts.benchmarks.open_loop import (
    Front,
    LambdaFront,
    Outcome,
    ServerFront,
    closed_loop,
    open_loop,
)
from scripts.benchmarks.request_mix import suggestions
from scripts.benchmarks.running_services import DEPLOYED_MB, copies, server
from scripts.shared.containers import find_engine
from scripts.shared.tables import table

LOADS: Final = (0.25, 0.5, 0.75, 0.9, 1.25, 2.0)
"""The offered rates, as parts of the saturation."""
UNLIMITED: Final = "100000"
_MAX_REQUESTS: Final = 20_000
"""Of one rate: a faster machine gets shorter runs, and not more of them."""
_CALLERS: Final = 4
_OPEN_FILES: Final = 8192


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench load`."""
    command.add_argument(
        "--seconds", type=float, default=15, help="how long at each rate (default: 15)"
    )
    command.add_argument(
        "--image", metavar="NAME", help="the function's image; without it, only servers"
    )
    command.add_argument(
        "--copies", type=int, default=2, help="copies of the function (default: 2)"
    )
    command.add_argument(
        "--loads",
        type=lambda text: [float(each) for each in text.split(",")],
        default=LOADS,
        metavar="LIST",
        help=f"parts of the saturation (default: {','.join(map(str, LOADS))})",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return the figures."""
    _allow_open_files()
    measured: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        settings = {"uvicorn": {}, "uvicorn, no limit": {"ETIQUETTE_MAX_WAITING": UNLIMITED}}
        for name, variables in settings.items():
            with server(Path(folder) / "server.log", **variables) as running:
                measured[name] = _measure(ServerFront(running), _CALLERS, options)
    if options.image:
        with ExitStack() as stack:
            started = stack.enter_context(copies(find_engine(), options.image, options.copies))
            name = f"image, {options.copies} copies of {DEPLOYED_MB} MB"
            measured[name] = _measure(LambdaFront(started), options.copies, options)
    print(load_table(measured))
    return {name: [_figures(each) for each in outcomes] for name, outcomes in measured.items()}


def _allow_open_files() -> None:
    """Raise this process's limit: without a limit of its own, a server keeps many waiting."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _measure(front: Front, callers: int, options: argparse.Namespace) -> list[Outcome]:
    """Estimate the saturation, and then offer parts of it."""

    async def measure() -> list[Outcome]:
        requests = suggestions()
        async with aclosing(front):
            await closed_loop(front, requests, callers=callers, seconds=options.seconds / 5)
            saturation = await closed_loop(
                front, requests, callers=callers, seconds=options.seconds / 2
            )
            found = []
            for part in options.loads:
                rate = part * saturation
                seconds = min(options.seconds, _MAX_REQUESTS / rate)
                found.append(await open_loop(front, requests, rate=rate, seconds=seconds))
            return found

    return asyncio.run(measure())


def load_table(measured: Mapping[str, Sequence[Outcome]]) -> str:
    """Format one line for each service and rate."""
    header = [
        "",
        "Offered/s",
        "Answered/s",
        "Refused",
        "Failed",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU ms",
    ]
    rows = [
        [
            name,
            f"{each.offered:.0f}",
            f"{each.answered_per_second:.0f}",
            f"{each.refused_share:.1%}",
            str(each.failures),
            *(f"{each.percentile(share):.1f}" for share in (0.5, 0.95, 0.99)),
            f"{each.processor_ms:.2f}",
        ]
        for name, outcomes in measured.items()
        for each in outcomes
    ]
    return table(header, rows)


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "offered_per_second": round(outcome.offered, 1),
        "answered_per_second": round(outcome.answered_per_second, 1),
        "refused_share": round(outcome.refused_share, 4),
        "failures": outcome.failures,
        "p50_ms": round(outcome.percentile(0.5), 2),
        "p95_ms": round(outcome.percentile(0.95), 2),
        "p99_ms": round(outcome.percentile(0.99), 2),
        "processor_ms": round(outcome.processor_ms, 3),
        "sent_late_p99_ms": round(sorted(outcome.late)[int(0.99 * len(outcome.late))] * 1000, 2),
    }
