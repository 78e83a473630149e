"""Hours of ordinary use in short: whether memory and file handles stay the same.

A server and a copy of the function's image get the same mix of requests, one after the other, at a
low rate. What each process holds is read at regular times.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from scripts.benchmarks.keep_alive import Connection
from scripts.benchmarks.request_mix import RequestMix
from scripts.benchmarks.running_services import Resources, Service, copies, server
from scripts.shared.containers import find_engine
from scripts.shared.tables import table

WARM_UP: Final = 0.2
"""The first part of a run, in which caches fill and memory still grows."""
MEMORY_TOLERANCE: Final = 1.1
FILES_TOLERANCE: Final = 3
_PARTS: Final = 6


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench soak`."""
    command.add_argument("--minutes", type=float, default=30, help="how long (default: 30)")
    command.add_argument(
        "--rate", type=float, default=10, help="requests per second to each (default: 10)"
    )
    command.add_argument("--samples", type=int, default=120, help="measurements (default: 120)")
    command.add_argument(
        "--image", metavar="NAME", help="the function's image; without it, only the server"
    )
    command.add_argument("--plot", type=Path, metavar="FILE", help="draw the memory as SVG")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Send the requests, print the table, and return the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-soak-")))
        services: dict[str, Service] = {
            "uvicorn": stack.enter_context(server(folder / "server.log"))
        }
        if options.image:
            (services["image"],) = stack.enter_context(copies(find_engine(), options.image, 1))
        seconds = 60 * options.minutes
        records = asyncio.run(
            soak_all(services, rate=options.rate, seconds=seconds, samples=options.samples)
        )
    print(soak_table(records))
    for name, record in records.items():
        print(f"{name}: {record.requests:,} requests, statuses {dict(sorted(record.statuses))}")
        for complaint in record.complaints():
            print(f"{name}: {complaint}")
    if options.plot:
        draw(records, options.plot)
    if any(record.complaints() for record in records.values()):
        sys.exit(1)
    return {name: record.figures() for name, record in records.items()}


class Sample(NamedTuple):
    """What a process held at a time."""

    seconds: float
    """After the start of the run."""
    resources: Resources


class Flatness(NamedTuple):
    """The medians of the two halves of a run after its warm-up."""

    before: float
    after: float


@dataclass
class Record:
    """What happened to a service."""

    samples: list[Sample] = field(default_factory=list)
    answers: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many answers had a status, by the expected and the received one."""

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return self.answers.total()

    @property
    def statuses(self) -> Sequence[tuple[int, int]]:
        """How many answers had each status."""
        found: Counter[int] = Counter()
        for (_, status), count in self.answers.items():
            found[status] += count
        return list(found.items())

    def memory(self) -> Flatness:
        """Return the resident memory before and after, in megabytes."""
        return self._halves([each.resources.memory_mb for each in self.samples])

    def open_files(self) -> Flatness:
        """Return the number of open files before and after."""
        return self._halves([each.resources.open_files for each in self.samples])

    @staticmethod
    def _halves(values: Sequence[float]) -> Flatness:
        warm = values[round(len(values) * WARM_UP) :]
        middle = len(warm) // 2
        return Flatness(statistics.median(warm[:middle]), statistics.median(warm[middle:]))

    def complaints(self) -> list[str]:
        """Return what is wrong: growth, or an answer that was not the expected one."""
        found = [
            f"{count} answers had the status {status} instead of {expected}"
            for (expected, status), count in sorted(self.answers.items())
            if status != expected
        ]
        memory, files = self.memory(), self.open_files()
        if memory.after > MEMORY_TOLERANCE * memory.before:
            found.append(f"the memory grew from {memory.before:.1f} to {memory.after:.1f} MB")
        if files.after > files.before + FILES_TOLERANCE:
            found.append(f"the open files grew from {files.before:.0f} to {files.after:.0f}")
        return found

    def parts(self) -> list[Resources]:
        """Return the medians of equal parts of the run."""
        size = -(-len(self.samples) // _PARTS)
        parts = [
            [each.resources for each in self.samples[start : start + size]]
            for start in range(0, len(self.samples), size)
        ]
        return [
            Resources(
                statistics.median(each.memory_mb for each in part),
                round(statistics.median(each.open_files for each in part)),
                part[-1].processor_seconds,
            )
            for part in parts
        ]

    def figures(self) -> dict[str, Any]:
        """Return the figures for `--json`."""
        return {
            "requests": self.requests,
            "statuses": dict(self.statuses),
            "memory_mb": self.memory()._asdict(),
            "open_files": self.open_files()._asdict(),
            "samples": [
                [round(each.seconds), round(each.resources.memory_mb, 2), each.resources.open_files]
                for each in self.samples
            ],
        }


async def soak_all(
    services: Mapping[str, Service], *, rate: float, seconds: float, samples: int
) -> dict[str, Record]:
    """Send the mix of requests to all services at the same time.

    Parameters
    ----------
    services
        The services, by name.
    rate
        Requests per second to each of them, if it answers fast enough.
    seconds
        How long, measured on the clock of the requests: the run has `rate * seconds` of them.
    samples
        How often what a process holds is read.
    """
    found = await asyncio.gather(
        *(soak(each, rate=rate, seconds=seconds, samples=samples) for each in services.values())
    )
    return dict(zip(services, found, strict=True))


async def soak(service: Service, *, rate: float, seconds: float, samples: int) -> Record:
    """Send the mix of requests to one service; `soak_all` describes the parameters."""
    mix, record = RequestMix(), Record()
    requests = iter(mix)
    count = round(rate * seconds)
    start = time.monotonic()
    connection = await Connection.open(service.host)
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        request = next(requests)
        status, answer = await service.send(connection, request)
        record.answers[request.status, status] += 1
        if request.kind == "suggest":
            mix.answered(answer)
        if number * samples // count != (number + 1) * samples // count:
            resources = await asyncio.to_thread(service.resources)
            record.samples.append(Sample(time.monotonic() - start, resources))
    await connection.aclose()
    return record


def soak_table(records: Mapping[str, Record]) -> str:
    """Format the medians of the parts of the run."""
    header = ["", *(f"{number}/{_PARTS}" for number in range(1, _PARTS + 1))]
    rows = []
    for name, record in records.items():
        parts = record.parts()
        rows.append([f"{name}: memory, MB", *(f"{part.memory_mb:.1f}" for part in parts)])
        rows.append([f"{name}: open files", *(f"{part.open_files}" for part in parts)])
    return table(header, rows)


def draw(records: Mapping[str, Record], path: Path) -> None:
    """Draw the memory of the processes over the time of the run."""
    # The import takes a second, and most runs need no plot.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    # The same figures give the same file: no random ids, and no date.
    with plt.rc_context({"svg.hashsalt": "etiquette", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
        for name, record in records.items():
            minutes = [each.seconds / 60 for each in record.samples]
            axes.plot(minutes, [each.resources.memory_mb for each in record.samples], label=name)
        axes.set(xlabel="minutes", ylabel="resident memory, MB")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.legend(loc="lower right", fontsize="small")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
