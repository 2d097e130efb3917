"""A job of a sweep on a node of a Ray cluster."""

import platform
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import numpy as np

from micrograde.core.errors import InputError
from micrograde.core.version import VERSION
from micrograde.sweeps.members import Answers, MembersWatch, run_members
from micrograde.tracking import WriterProcess

_SECONDS_OF_BELL = 10.0


def versions() -> str:
    """Return what must be the same on all machines, for numbers to be the same."""
    return f"micrograde {VERSION}, Python {platform.python_version()}, NumPy {np.__version__}"


def run_job(at: int, text: str, of_sweep: str, bell: Any, keys: Sequence[Hashable], *rows: Any) -> Answers:
    """Run a job on a node; see ``run_members``.

    Parameters
    ----------
    at
        The job's place among those of the sweep.
    of_sweep
        The versions of the machine that launches the sweep.
    keys, rows
        Rows of data sets, by the key of each; see ``PreparedSets.rows_key``.
    """
    if threading.current_thread() is threading.main_thread():
        # What a script starts in the background ignores the interrupt by which Ray stops a task.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not _may_begin(at, bell):
        return {}
    if of_sweep != versions():  # a node that has joined later
        raise InputError(f"{socket.gethostname()} has {versions()}, and the sweep {of_sweep}")
    return run_members(
        text,
        # Ray ends a worker's children with it, and a writer is to end the runs of a worker that dies.
        WriterProcess(on_notice=lambda notice: None, detached=True),  # noqa: ARG005 (the answer says it)
        rows=dict(zip(keys, rows, strict=True)),
        watch=MembersWatch(lambda ended, epochs: bell.tell.remote(at, (ended, epochs))),
        finish=lambda close: _without_cpu(close, bell),
    )


def _may_begin(at: int, bell: Any) -> bool:
    import ray

    with suppress(ray.exceptions.RayError, TimeoutError):  # its node has died
        # Not `ray.get`, which would give the CPU to another job for that moment.
        return bool(bell.begin.remote(at).future().result(timeout=_SECONDS_OF_BELL))
    return True


def _without_cpu(wait: Callable[[], object], bell: Any) -> object:
    """Call a function that waits for other processes, without holding the task's CPU meanwhile."""
    import ray

    name, outcome = uuid.uuid4().hex, Future[object]()

    def work() -> None:
        try:
            outcome.set_result(wait())
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            bell.ring.remote(name)

    threading.Thread(target=work, daemon=True).start()
    # The bell's node may have died, or the job is stopped, all of which is trained: the CPU is then held.
    with suppress(ray.exceptions.RayError, KeyboardInterrupt):
        ray.get(bell.wait.remote(name))
    return outcome.result()
