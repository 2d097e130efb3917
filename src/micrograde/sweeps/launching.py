"""What the sweeper and the launcher that Hydra calls do: jobs in, an outcome for each out."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig

from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.working import working
from micrograde.sweeps.callback import sweep_of
from micrograde.sweeps.composing import Composer
from micrograde.sweeps.jobs import Job, make_job
from micrograde.sweeps.members import encode_members
from micrograde.sweeps.opening import is_ours
from micrograde.sweeps.session import SweepSession
from micrograde.sweeps.state import Outcome

_MANY = 200  # jobs


def launch_all(
    context: HydraContext,
    master: DictConfig,
    launcher: Launcher,
    params: Mapping[str, str],
    arguments: Sequence[str],
) -> list[Any]:
    """Every combination of what was typed, as one batch; ``params`` are swept unless typed otherwise."""
    parser = OverridesParser.create(config_loader=context.config_loader)
    overrides = parser.parse_overrides([*(f"{key}={value}" for key, value in params.items()), *arguments])
    for override in overrides:
        if override.is_interval_sweep():
            raise InputError(f"{override.input_line}: only a search takes a range; add hydra/sweeper=optuna")
    (batch,) = BasicSweeper.split_arguments(overrides, None)
    if not batch:
        empty = [each.input_line for each in overrides if each.is_sweep_override()]
        raise InputError(f"{empty[0] if empty else '-m'}: makes no run; nothing is in a range or matches")
    if is_ours(master.hydra.launcher):
        return [launcher.launch(batch, 0)]
    with _sweeping(context) as sweep:
        return [dispatch(sweep, launcher, compose_jobs(sweep, context, master, batch))]


def launch_stacked(
    context: HydraContext, master: DictConfig, batch: Sequence[Sequence[str]]
) -> list[JobReturn]:
    """Train a batch in this process; each return has the objective, or why there is none."""
    with _sweeping(context) as sweep:
        outcomes = sweep.run(compose_jobs(sweep, context, master, batch))
    metric = sweep.metric
    return [returned(overrides, each, metric) for overrides, each in zip(batch, outcomes, strict=True)]


def compose_jobs(
    sweep: SweepSession, context: HydraContext, master: DictConfig, batch: Sequence[Sequence[str]]
) -> list[Job]:
    """The jobs of these overrides, checked."""
    composer = Composer(context.config_loader, master)
    # Of few jobs it is the imports that take time, and a mistake in them all is to be one line.
    with working(f"composing {len(batch)} jobs", "stdout" if len(batch) >= _MANY else "nowhere"):
        jobs = [
            make_job(overrides, sweep.identity.swept, composer.compose(overrides), sweep.prepared)
            for overrides in batch
        ]
    repeated = len(jobs) - len({job.digest for job in jobs})
    if repeated and is_ours(master.hydra.sweeper):  # a search may well come to the same again
        print(f"{repeated} of {len(jobs)} are the same run as another, which is trained once", flush=True)
    return jobs


def dispatch(sweep: SweepSession, launcher: Launcher, jobs: Sequence[Job]) -> list[Outcome]:
    """Have another launcher run what is to be done, as few jobs of many runs each."""
    from micrograde.runs.building import stack_key

    todo = sweep.what_is_to_do(jobs)
    parent = sweep.parent_run_id()
    size = sweep.options.runs_per_job or min(256, max(16, len(todo) // 32))
    alike: dict[Any, list[Job]] = {}
    for job in todo:
        assert job.config
        alike.setdefault(stack_key(job.config), []).append(job)
    parts = [part[at : at + size] for part in alike.values() for at in range(0, len(part), size)]
    if parts:
        print(f"{len(todo)} runs in {len(parts)} jobs for {type(launcher).__name__}", flush=True)
        texts = [encode_members(part, parent) for part in parts]
        returns = launcher.launch([[f"sweep.members='{text}'"] for text in texts], initial_job_idx=0)
        for part, job_return in zip(parts, returns, strict=True):
            done = job_return.status == JobStatus.COMPLETED
            results = job_return.return_value if done else {}
            for job in part:
                reason = "its job failed: " + str(job_return._return_value)
                sweep.outcomes[job.digest] = Outcome(*results.get(job.digest, ("FAILED", None, reason)))
        sweep.supersede_repeated()
    return [sweep.outcomes.get(job.digest, Outcome("KILLED")) for job in jobs]


@contextmanager
def _sweeping(context: HydraContext) -> Iterator[SweepSession]:
    """The sweep of this launch, ended if something breaks that is no run's own."""
    sweep = sweep_of(context)
    try:
        yield sweep
    except BaseException as error:
        sweep.abort(error)
        raise


class _Returned(JobReturn):
    """A job's outcome. Asked for the value of one that failed, Hydra's own writes lines onto the terminal."""

    @property
    def return_value(self) -> Any:
        """The objective; raises what says why there is none."""
        if self.status != JobStatus.COMPLETED:
            raise self._return_value
        return self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


def returned(overrides: Sequence[str], outcome: Outcome, metric: str) -> JobReturn:
    """What a search is told of a job: its objective, or why there is none; NaN is none."""
    job = _Returned(overrides=list(overrides))
    value, reason = outcome.value, outcome.reason or "stopped with Ctrl-C"
    if outcome.status == "FINISHED":
        reason = f"its {metric} is {value}"
    good = outcome.status == "FINISHED" and value is not None and math.isfinite(value)
    job.status = JobStatus.COMPLETED if good else JobStatus.FAILED
    job.return_value = value if good else RunFailedError(reason)
    return job
