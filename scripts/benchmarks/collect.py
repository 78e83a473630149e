"""Speed and memory of `collect dump`, on generated dumps of several sizes.

The dump is generated while it is read, so that no large file is needed: the command reads it from a
named pipe. Its posts are random words, but have the lengths, the attributes and the share of
questions of a real site, and their dates go through all months from 2008 to 2026.
"""

import argparse
import os
import resource
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from scripts.benchmarks.command_cost import run_measured
from scripts.shared.tables import table
from scripts.shared.terminal import step

SIZES_GB: Final = (0.5, 2.0, 5.0)
_FIRST: Final = datetime(2008, 8, 1).timestamp()
_LAST: Final = datetime(2026, 6, 30).timestamp()
_QUESTION_SHARE: Final = 0.4
"""Of the posts; the others are answers."""
_MEAN_WORDS: Final = 170
"""In a body; the lengths are log-normal."""
_N_TEMPLATES: Final = 2_000
_CHUNK_POSTS: Final = 500
_MB: Final = 1e6


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    command.add_argument(
        "--sizes",
        nargs="+",
        type=float,
        default=list(SIZES_GB),
        metavar="GB",
        help="the sizes of Posts.xml (default: 0.5 2 5)",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Read a generated dump of each size, and print a table."""
    sizes = []
    for gigabytes in options.sizes:
        with step(f"Reading a dump of {gigabytes} GB"), TemporaryDirectory() as folder:
            sizes.append(_measure(Path(folder), round(gigabytes * 1e9)))
    header = ["Posts.xml", "Questions", "Seconds", "MB/s", "MB/s of processor", "Peak memory"]
    rows = [
        [
            f"{each['megabytes']:,.0f} MB",
            f"{each['questions']:,}",
            f"{each['seconds']:.0f}",
            f"{each['megabytes'] / each['seconds']:.0f}",
            f"{each['megabytes'] / each['processor_seconds']:.0f}",
            f"{each['peak_memory_mb']:.0f} MB",
        ]
        for each in sizes
    ]
    print(table(header, rows))
    return {"sizes": sizes}


def generate(n_bytes: int) -> Iterator[bytes]:
    """Yield a dump of at least so many bytes, piece by piece. It is the same in every run."""
    random = np.random.default_rng(0)
    words = [
        "".join(chr(97 + letter) for letter in random.integers(0, 26, length))
        for length in random.integers(2, 11, 5_000)
    ]
    templates = [_template(words, random) for _ in range(_N_TEMPLATES)]
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
    done = number = 0
    while done < n_bytes:
        rows = []
        for choice in random.integers(0, _N_TEMPLATES, _CHUNK_POSTS):
            number += 1
            date = datetime.fromtimestamp(_FIRST + (_LAST - _FIRST) * min(done / n_bytes, 1))
            rows.append(templates[choice] % (number, date.isoformat(timespec="milliseconds")))
        chunk = "".join(rows).encode()
        done += len(chunk)
        yield chunk
    yield b"</posts>\n"


def _template(words: list[str], random: np.random.Generator) -> str:
    def some(count: int) -> str:
        return " ".join(words[place] for place in random.integers(0, len(words), count))

    n_words = max(5, round(random.lognormal(np.log(_MEAN_WORDS) - 0.32, 0.8)))
    body = f"&lt;p&gt;{some(n_words)}&lt;/p&gt;&#xA;"
    row = f'  <row Id="%d" CreationDate="%s" Score="3" Body="{body}" OwnerUserId="7" '
    if random.random() < _QUESTION_SHARE:
        tags = "|".join(some(3).split())
        row += f'PostTypeId="1" ViewCount="120" AnswerCount="1" Title="{some(9)}" Tags="|{tags}|" '
    else:
        row += 'PostTypeId="2" ParentId="1" '
    return row + 'ContentLicense="CC BY-SA 4.0" />\n'


def _measure(folder: Path, n_bytes: int) -> dict[str, Any]:
    pipe, out = folder / "Posts.xml", folder / "corpus"
    os.mkfifo(pipe)
    written: list[int] = []

    def write() -> None:
        with pipe.open("wb") as file:
            written.extend(map(file.write, generate(n_bytes)))

    writer = Thread(target=write)
    writer.start()
    before = _children_seconds()
    command = [sys.executable, "-m", "model_build", "collect", "dump"]
    cost = run_measured([*command, "--input", str(pipe), "--out", str(out)])
    writer.join()
    return {
        "megabytes": sum(written) / _MB,
        "questions": _n_questions(out),
        "seconds": cost.seconds,
        "processor_seconds": _children_seconds() - before,
        "peak_memory_mb": cost.peak_memory_mb,
        "months": len(list(out.glob("*.parquet"))),
    }


def _n_questions(folder: Path) -> int:
    return sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
