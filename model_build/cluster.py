"""Fit regressions on the workers of a Dask cluster."""

import hashlib
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import joblib

from model_build.errors import UserError

if TYPE_CHECKING:
    from distributed import Client

_TIMEOUT: Final = "10s"
_LIBRARIES: Final = ("joblib", "numpy", "scikit-learn", "scipy")
_ROOT: Final = Path(__file__).resolve().parent.parent
_client: ContextVar["Client | None"] = ContextVar("client", default=None)


class ClusterError(UserError):
    """The cluster cannot be used; the message says why, and what to do."""


@contextmanager
def dask_workers(address: str) -> Iterator[None]:
    """Let the workers of a Dask cluster fit the regressions, as long as the context lasts.

    Parameters
    ----------
    address : str
        Of the scheduler, for example ``tcp://10.0.0.5:8786``.

    Raises
    ------
    ClusterError
        No scheduler answers, there is no worker, or a worker could give another model than this
        machine: it has another Python, other libraries or other code, or it runs several tasks in
        one process. liblinear has one random generator per process.
    """
    # The import takes a second, and a training on one machine needs no Dask.
    from distributed import CancelledError, Client, KilledWorker  # noqa: PLC0415

    try:
        client: Client = Client(address, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{address}: no Dask scheduler answers there ({error}). Start one with "
            "`dask scheduler`."
        ) from error
    with client, _whole_replicas(client):
        _check_workers(client, address)
        token = _client.set(client)
        try:
            yield
        except (CancelledError, KilledWorker) as error:
            raise ClusterError(
                f"{address}: too many workers ended during the training ({error}). Read their log, "
                "for example for a lack of memory, and train again."
            ) from error
        finally:
            _client.reset(token)


def sent_once(*arrays: Any) -> AbstractContextManager[Any]:
    """Let `joblib.Parallel` use the cluster of `dask_workers`, if there is one.

    Parameters
    ----------
    *arrays
        All large arguments that tasks have in common. Each worker gets them once, so that another
        one can go on when it dies. A worker that joins later gets them from the others. What is
        missing here is sent to one worker, and is lost with it.
    """
    client = _client.get()
    if client is None:
        return nullcontext()
    context: AbstractContextManager[Any] = joblib.parallel_config(
        "dask", client=client, scatter=list(arrays)
    )
    return context


@contextmanager
def _whole_replicas(client: "Client") -> Iterator[None]:
    """Let each worker keep what it was sent.

    Dask's memory manager reduces copies to one. When the worker that holds it dies, what was sent
    is lost, because no task can compute it again, and the training fails.
    """
    was_running = client.amm.running()
    client.amm.stop()
    try:
        yield
    finally:
        if was_running:
            client.amm.start()


def _check_workers(client: "Client", address: str) -> None:
    threads: dict[str, int] = client.nthreads()
    if not threads:
        raise ClusterError(
            f"{address}: this scheduler has no worker. Start some with "
            f"`dask worker {address} --nthreads 1 --nworkers N`."
        )
    for worker, n_threads in threads.items():
        if n_threads != 1:
            raise ClusterError(
                f"{worker}: this worker has {n_threads} threads. Start it with --nthreads 1, and "
                "with --nworkers N for N processes."
            )
    expected = _software()
    # An error is returned and not raised, so that the message can name the worker.
    for worker, found in client.run(_software, on_error="return").items():
        if isinstance(found, BaseException):
            raise ClusterError(
                f"{worker}: this worker cannot run the training ({found}). Start it in a checkout "
                "of the same commit, or from the same image of model_build."
            )
        for name, value in expected.items():
            if found[name] != value:
                raise ClusterError(
                    f"{worker}: this worker has {name} {found[name]}, but this machine has "
                    f"{value}. The model would be another one. Install the same on both."
                )


def _software() -> dict[str, str]:
    """Describe what decides on the bits of a model, besides the corpus."""
    digest = hashlib.sha256()
    for folder in ("model_build", "lambda_src/tagger"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    return {
        "Python": platform.python_version(),
        "processor": platform.machine(),
        **{library: version(library) for library in _LIBRARIES},
        "code": digest.hexdigest()[:12],
    }
