"""A training on a Dask cluster: a scheduler and worker processes on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from model_build.corpus import write_questions
from tests.support.invented_corpus import invent
from tests.support.paths import ROOT

ENVIRONMENT = {
    **os.environ,
    "SOURCE_DATE_EPOCH": "1700000000",
    # Proxies of this machine do not apply to its own processes.
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
PATIENCE = 90
"""So many seconds are enough for everything here, also on a busy machine."""


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "questions.parquet"
    write_questions(invent(1500, 64), path)
    return path


@pytest.fixture(scope="module")
def on_one_machine(questions: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bundle that this machine alone trains."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    with training(questions, path, "--jobs", "1") as process:
        assert process.wait(PATIENCE) == 0
    return path.read_bytes()


@contextmanager
def running(arguments: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=ENVIRONMENT, text=True, **options
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def training(questions: Path, out: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    command = ["model_build", "train", "--questions", str(questions), "--out", str(out)]
    with running([*command, *options], stderr=subprocess.PIPE) as process:
        yield process


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """Yield the address of a scheduler."""
    file = folder / "scheduler.json"
    command = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    with running([*command, "--no-dashboard", "--scheduler-file", str(file)]):
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        with Client(scheduler_file=str(file), set_as_default=False) as client:
            address: str = client.scheduler.address
        yield address


@contextmanager
def worker(address: str, n_threads: int = 1) -> Iterator["subprocess.Popen[str]"]:
    """Start a worker. Without a nanny, which would replace it when it is killed."""
    command = ["distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--no-nanny"]
    with running([*command, "--no-dashboard", "--nthreads", str(n_threads)]) as process:
        yield process


@pytest.mark.faults
def test_two_workers_train_the_same_bundle_and_one_may_die(
    questions: Path, on_one_machine: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "model.safetensors"
    with (
        scheduler(tmp_path) as address,
        worker(address) as first,
        worker(address),
        Client(address, set_as_default=False) as client,
    ):
        client.wait_for_workers(2, timeout=PATIENCE)
        with training(questions, out, "--dask", address) as process:
            wait_for_tasks_on(client, first)
            assert process.poll() is None
            first.send_signal(signal.SIGKILL)
            assert process.wait(PATIENCE) == 0, process.communicate()[1]
        assert first.wait(PATIENCE) == -signal.SIGKILL
        assert len(client.nthreads()) == 1
    assert out.read_bytes() == on_one_machine


def wait_for_tasks_on(client: Client, process: "subprocess.Popen[str]") -> None:
    """Wait until the worker of a process fits regressions."""
    workers = client.run(os.getpid)
    address = next(each for each, found in workers.items() if found == process.pid)
    deadline = time.monotonic() + PATIENCE
    while not any("_fit_block" in str(key) for key in client.processing([address])[address]):
        assert time.monotonic() < deadline, "the worker never got a task"
        time.sleep(0.01)


def test_a_cluster_that_could_train_another_model_is_refused(
    questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.safetensors"
    with scheduler(tmp_path) as address:
        assert "has no worker" in refusal(questions, out, address)
        with (
            worker(address, n_threads=2),
            Client(address, set_as_default=False) as client,
        ):
            client.wait_for_workers(1, timeout=PATIENCE)
            assert "--nthreads 1" in refusal(questions, out, address)
    assert "no Dask scheduler answers" in refusal(questions, out, address)
    assert not out.exists()


def refusal(questions: Path, out: Path, address: str) -> str:
    with training(questions, out, "--dask", address) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    return errors
