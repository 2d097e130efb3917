"""Jobs of other launchers that end without a result: each is one failed job, and the others go on."""

import importlib.util
import re
import threading
import time
from contextlib import ExitStack
from typing import Any, Self

from hydra.core.utils import JobReturn, JobStatus

_NO_RESULT = re.compile(r"Job (\S+) .*has not produced any output \(state: ([^)]*)\)", re.DOTALL)
_LOG = re.compile(r"\n(?:Error stream|No error stream|Output|--)")
_IN_QUEUE = "PENDING"  # Slurm's word
_SECONDS_BETWEEN_LOOKS = 1.0
_LENGTH = 300  # characters of a reason


def in_short(error: object) -> str:
    """Return an error's message as one line of bounded length; its name, if it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (" ".join(lines) or type(error).__name__)[:_LENGTH]


def failed_job(error: object) -> str:
    """Return why the runs of a job are lost that has ended with an error."""
    return f"its job failed: {in_short(error)}"


class SubmittedJobs:
    """Submitit's jobs, while the context lasts: each without a result is one failed job.

    Hydra's plug-in collects all results in one expression, in which the first that is missing, as of a job
    that Slurm has killed, would raise.

    Parameters
    ----------
    closing
        Once it is set, jobs that wait in the queue are taken out of it.

    Attributes
    ----------
    jobs
        The jobs, in their order; none of other launchers.
    taken_back
        The places of those that were taken out of the queue.
    """

    def __init__(self, closing: threading.Event) -> None:
        self._closing = closing
        self.jobs: list[Any] = []
        self.taken_back: set[int] = set()

    def __enter__(self) -> Self:
        self._patches = ExitStack()
        if importlib.util.find_spec("submitit") is not None:
            from submitit.core import core

            results, submit = core.Job.results, core.Executor.map_array

            def submitted(executor: Any, *arguments: Any) -> list[Any]:
                found: list[Any] = submit(executor, *arguments)
                self.jobs += found
                return found

            def without_raising(job: Any) -> list[Any]:
                while not job.done():
                    if self._closing.is_set():
                        self.take_back()
                    time.sleep(_SECONDS_BETWEEN_LOOKS)
                try:
                    return list(results(job))
                except Exception as error:  # whatever the cluster says, it is that of one job
                    failed = JobReturn()
                    failed.status, failed._return_value = JobStatus.FAILED, RuntimeError(without_log(error))
                    return [failed]

            for where, name, instead in (
                (core.Job, "results", without_raising),
                (core.Executor, "map_array", submitted),
            ):
                self._patches.callback(setattr, where, name, getattr(where, name))
                setattr(where, name, instead)
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def take_back(self) -> None:
        """Take the jobs that have not begun out of the queue."""
        for at, job in enumerate(self.jobs):
            if at not in self.taken_back and not job.done() and job.state == _IN_QUEUE:
                job.cancel()
                self.taken_back.add(at)


def without_log(error: BaseException) -> str:
    """Return what submitit says of a job, without the path and the log that it quotes."""
    if found := _NO_RESULT.match(str(error)):
        return f"job {found[1]} ended without a result ({found[2]})"
    return in_short(_LOG.split(str(error))[0].strip() or error)
