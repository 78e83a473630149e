"""A real disk is full: what was kept before stays whole, and a later run makes up for the rest."""

import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from lambda_src.tagger import BundleError
from model_build.__main__ import main
from model_build.bundle_writer import write_file
from model_build.commands.collect import start_of
from tests.support.collected import rows_by_file
from tests.support.dump import post, write_dump
from tests.support.small_disks import small_disk
from tests.support.stack_exchange import StackExchangeServer, question, serve_stack_exchange
from tests.system.faults import ALL_FAULTS

pytestmark = pytest.mark.faults

START = start_of(date(2026, 1, 1))
N_QUESTIONS = 2_500
SHARES = [0.0, *(number / 20 for number in range(1, 20))] if ALL_FAULTS else [0.0, 0.9]
"""How large a disk is, as shares of what the corpus needs."""
_RANDOM = random.Random(3)  # noqa: S311 (sample questions)
BODIES = [f"<p>{_RANDOM.randbytes(250).hex()}</p>" for _ in range(N_QUESTIONS)]
"""Which compression cannot make much smaller, so that few questions fill a disk."""

Collect = Callable[[Path], int]


class Corpus(NamedTuple):
    """What a command collects without any fault."""

    rows: dict[str, list[dict[str, Any]]]
    kilobytes: int


@pytest.fixture(scope="module", params=["api", "dump"])
def collect(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collect]:
    """A command that collects the questions of three months into a folder."""
    if request.param == "dump":
        posts = (post(number, Body=body) for number, body in enumerate(BODIES, 1))
        dump = write_dump(tmp_path_factory.mktemp("dump") / "Posts.xml", posts)
        yield lambda folder: main(["collect", "dump", "--input", str(dump), "--out", str(folder)])
        return
    questions = [
        question(number, START + number * 3_000, body=body) for number, body in enumerate(BODIES, 1)
    ]
    with serve_stack_exchange(StackExchangeServer(questions)) as server:
        server.quota = 100_000
        options = ["--site", "cooking", "--base-url", server.url]
        period = ["--since", "2026-01-01", "--until", "2026-04-01"]
        yield lambda folder: main(["collect", "api", *options, "--out", str(folder), *period])


@pytest.fixture(scope="module")
def undisturbed(collect: Collect, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("undisturbed") / "corpus"
    assert collect(folder) == 0
    return Corpus(
        rows_by_file(folder), sum(path.stat().st_size for path in folder.glob("*.parquet")) // 1024
    )


@pytest.mark.parametrize("share", SHARES)
def test_a_collection_goes_on_when_there_is_room_again(
    collect: Collect,
    undisturbed: Corpus,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    share: float,
) -> None:
    with small_disk(tmp_path, 8 + round(share * undisturbed.kilobytes)) as disk:
        folder = tmp_path / "corpus"
        capsys.readouterr()
        assert collect(folder) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert "No space left on device. Check the space on the disk." in error
        kept = [row["id"] for rows in rows_by_file(folder).values() for row in rows]
        assert len(kept) == len(set(kept)) < N_QUESTIONS
        disk.enlarge()
        assert collect(folder) == 0
        assert rows_by_file(folder) == undisturbed.rows


def test_a_bundle_that_does_not_fit_leaves_the_older_one(tmp_path: Path) -> None:
    with small_disk(tmp_path, 64):
        bundle = tmp_path / "model.safetensors"
        write_file(bundle, {"version": "1"}, {"array": np.zeros(1_000)})
        before = bundle.read_bytes()
        with pytest.raises(BundleError, match=r"cannot write this bundle of 0.8 MB: No space left"):
            write_file(bundle, {"version": "2"}, {"array": np.zeros(100_000)})
        assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
        assert bundle.read_bytes() == before
