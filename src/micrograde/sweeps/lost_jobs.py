"""Jobs of other launchers that end without a result: each is one failed job, and the others go on."""

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

_LOG = re.compile(r"\n(?:Error stream|No error stream|Output|--)")
_LENGTH = 300  # characters of a reason


def in_short(error: object) -> str:
    """Return an error's message as one line of bounded length; its name, if it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (" ".join(lines) or type(error).__name__)[:_LENGTH]


@contextmanager
def missing_results_are_failures() -> Iterator[None]:
    """Have submitit's jobs return a failure where there is no result, as of one that Slurm has killed.

    Hydra's plug-in collects all results in one expression, in which the first that is missing would raise.
    """
    if importlib.util.find_spec("submitit") is None:
        yield
        return
    from submitit.core.core import Job

    results = Job.results

    def without_raising(job: Any) -> list[Any]:
        try:
            return list(results(job))
        except Exception as error:  # whatever the cluster says, it is that of one job
            failed = JobReturn()
            failed.status, failed._return_value = JobStatus.FAILED, RuntimeError(without_log(error))
            return [failed]

    Job.results = without_raising
    try:
        yield
    finally:
        Job.results = results


def without_log(error: BaseException) -> str:
    """Return what submitit says of a job, without the log that it quotes below."""
    return in_short(_LOG.split(str(error))[0].strip() or error)
