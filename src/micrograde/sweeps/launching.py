"""Compose and run the jobs of a sweep: the work of the sweeper and the launcher that Hydra calls."""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import Any, Protocol

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig

from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.runs.live_run import STOPPED
from micrograde.runs.progress import RunsWatch
from micrograde.runs.table_words import tell_tables
from micrograde.sweeps.callback import sweep_of
from micrograde.sweeps.composing import Composer
from micrograde.sweeps.folds import check_number, held_out, with_values
from micrograde.sweeps.jobs import Job, make_job
from micrograde.sweeps.lost_jobs import SubmittedJobs, failed_job, in_short
from micrograde.sweeps.members import Answers, encode_members
from micrograde.sweeps.opening import is_ours
from micrograde.sweeps.session import SweepSession
from micrograde.sweeps.state import Outcome, mean_outcome

_MANY = 200  # jobs
_SOME_JOBS = 32  # where nobody knows how many run at once
_JOBS_OF_EACH = 2  # one after another, so that a lost one is not half of the sweep
# Runs of a job, which starts a worker and a writer: four seconds of a CPU.
_LEAST, _ENOUGH, _MOST = 4, 32, 256

Ended = tuple[int, Answers | str]
"""A job's place, and its answers or why its runs are lost."""


def launch_all(
    context: HydraContext,
    master: DictConfig,
    launcher: Launcher,
    params: Mapping[str, str],
    arguments: Sequence[str],
) -> list[Any]:
    """Launch every combination of what was typed, as one batch; typed values override ``params``."""
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
        settings = compose_jobs(sweep, context, master, batch)
        return [dispatch(sweep, HydraRunner(launcher, sweep.closing), list(chain.from_iterable(settings)))]


def launch_on_ray(
    context: HydraContext, master: DictConfig, batch: Sequence[Sequence[str]], options: Mapping[str, Any]
) -> list[JobReturn]:
    """Train a batch on a Ray cluster; each return holds the objective, or the reason why there is none."""
    from micrograde.sweeps.ray_cluster import RayRunner

    with _sweeping(context) as sweep, RayRunner(sweep, options) as runner:
        settings = compose_jobs(sweep, context, master, batch)
        sweep.before_recording = runner.check
        outcomes = iter(dispatch(sweep, runner, list(chain.from_iterable(settings))))
    of_settings = [mean_outcome(list(islice(outcomes, len(jobs)))) for jobs in settings]
    return [returned(each, one, sweep.metric) for each, one in zip(batch, of_settings, strict=True)]


def launch_stacked(
    context: HydraContext, master: DictConfig, batch: Sequence[Sequence[str]]
) -> list[JobReturn]:
    """Train a batch in this process; each return holds the objective, or the reason why there is none."""
    with _sweeping(context) as sweep:
        settings = compose_jobs(sweep, context, master, batch)
        of_runs = iter(sweep.run(list(chain.from_iterable(settings))))
    metric = sweep.metric
    outcomes = [mean_outcome(list(islice(of_runs, len(jobs)))) for jobs in settings]
    return [returned(overrides, each, metric) for overrides, each in zip(batch, outcomes, strict=True)]


def compose_jobs(
    sweep: SweepSession, context: HydraContext, master: DictConfig, batch: Sequence[Sequence[str]]
) -> list[list[Job]]:
    """Compose and check the jobs of each list of overrides: one, or of folds one for each.

    Raises
    ------
    InputError
        If folds and repeats make too many runs.
    """
    composer = Composer(context.config_loader, master)
    # With few jobs most of the time is imports, and a mistake in all of them should print a single line.
    with working(f"composing {len(batch)} jobs", "stdout" if len(batch) >= _MANY else "nowhere"):
        settings = [
            _jobs_of(sweep, overrides, composer.compose(overrides), len(batch)) for overrides in batch
        ]
    jobs = list(chain.from_iterable(settings))
    tell_tables(sweep.prepared.untold())
    for line in sweep.prepared.untold_lines():
        say(line, flush=True)
    repeated = len(jobs) - len({job.digest for job in jobs})
    if repeated and is_ours(master.hydra.sweeper):  # a search may well try the same values again
        print(f"{repeated} of {len(jobs)} are the same run as another, which is trained once", flush=True)
    return settings


def _jobs_of(
    sweep: SweepSession, overrides: Sequence[str], container: Mapping[str, Any], others: int
) -> list[Job]:
    """Return the jobs of one setting; ``others`` is how many settings there are."""
    folds = held_out(container["data"])
    check_number(folds.space, others)
    sweep.identity = sweep.identity.with_folds(folds)
    return [
        make_job(
            (*overrides, *which),
            sweep.identity.swept,
            with_values(container, which),
            sweep.prepared,
            sweep.options.metric,
        )
        for which in folds.overrides()
    ]


class Runner(Protocol):
    """Runs jobs, each a word of ``encode_members``, on other processes or machines.

    Attributes
    ----------
    name
        What the user knows it by.
    follows_epochs
        Whether it tells how far jobs are that have not ended.
    """

    name: str
    follows_epochs: bool

    def at_once(self) -> int | None:
        """Return how many jobs run at the same time; None if that is not known."""

    def run(self, jobs: Sequence[tuple[str, Sequence[Job]]], watch: RunsWatch) -> Iterator[Ended]:
        """Yield each job as it ends.

        Jobs that are not yielded have not begun. When the sweep is closing none begins any more.
        """

    def stop(self) -> Iterator[Ended]:
        """Stop the jobs that have begun, after an interrupt, and yield them."""


def dispatch(sweep: SweepSession, runner: Runner, jobs: Sequence[Job]) -> list[Outcome]:
    """Run what is left to do elsewhere, as few jobs of many runs each.

    A job without answers is one failed job: its runs are lost unless the store has them, the others go on.
    """
    from micrograde.runs.building import stack_key

    patience = sweep.server_patience = sweep.options.server_patience
    todo = sweep.what_is_to_do(jobs)
    parent = sweep.parent_run_id()
    size = sweep.options.runs_per_job or (runs_per_job(len(todo), runner.at_once()) if todo else 1)
    alike: dict[Any, list[Job]] = {}
    for job in todo:
        assert job.config
        alike.setdefault(stack_key(job.config), []).append(job)
    parts = [part[at : at + size] for part in alike.values() for at in range(0, len(part), size)]
    if parts:
        print(f"{_of(len(todo), 'run')} in {_of(len(parts), 'job')} for {runner.name}", flush=True)
        texts = [encode_members(part, parent, sweep.metric, patience) for part in parts]
        places = {job.digest: place for place, job in enumerate(chain.from_iterable(parts))}
        with sweep.watching([*chain.from_iterable(parts)], epochs=runner.follows_epochs) as watch:
            ended = runner.run(list(zip(texts, parts, strict=True)), watch)
            try:
                for at, answers in ended:
                    _take(sweep, watch, places, parts[at], answers)
            except KeyboardInterrupt:
                watch.follow(0, 0)  # those that are stopped answer now
                for at, answers in runner.stop():
                    _take(sweep, watch, places, parts[at], answers)
        with suppress(InputError):  # the store is away: the summary says so
            sweep.settle()
    return [sweep.outcomes.get(job.digest, Outcome("KILLED")) for job in jobs]


def runs_per_job(runs: int, at_once: int | None) -> int:
    """Return how many of the runs make a job, if so many jobs run at once.

    There are two jobs for each place if they are large enough, else one: smaller jobs would take longer
    to begin than to train. Where it is not known how many run at once there are 32.
    """
    if at_once is None:
        return min(_MOST, max(_ENOUGH // 2, math.ceil(runs / _SOME_JOBS)))
    one, several = math.ceil(runs / at_once), math.ceil(runs / (at_once * _JOBS_OF_EACH))
    return min(_MOST, max(_LEAST, min(one, max(_ENOUGH, several))))


def _take(
    sweep: SweepSession,
    watch: RunsWatch,
    places: Mapping[str, int],
    part: Sequence[Job],
    answers: Answers | str,
) -> None:
    """Take note of what became of a job's runs; ``places`` are those of the runs by digest."""
    ended = []
    for job in part:
        outcome = Outcome("KILLED", None, answers if isinstance(answers, str) else None)
        if not isinstance(answers, str) and job.digest in answers:
            outcome = Outcome(*answers[job.digest])
        sweep.outcomes[job.digest] = outcome
        measured = {} if outcome.value is None else {sweep.metric: outcome.value}
        ended.append((places[job.digest], outcome.status, measured))
    watch.runs_ended(ended)


class HydraRunner:
    """Runs jobs by one of Hydra's launchers, which returns when all have ended."""

    follows_epochs = False

    def __init__(self, launcher: Launcher, closing: threading.Event) -> None:
        self._launcher, self.name = launcher, type(launcher).__name__
        self._submitted = SubmittedJobs(closing)

    def at_once(self) -> None:
        """Return None: each launcher has options of its own."""

    def run(self, jobs: Sequence[tuple[str, Sequence[Job]]], watch: RunsWatch) -> Iterator[Ended]:  # noqa: ARG002
        """Yield the jobs; see ``Runner``."""
        with self._submitted:
            try:
                returns = self._launcher.launch(
                    [[f"sweep.members='{text}'"] for text, _ in jobs], initial_job_idx=0
                )
            except Exception as error:  # of the jobs themselves each is an outcome
                raise InputError(f"{self.name} has not run the jobs: {in_short(error)}") from error
        for at, job_return in enumerate(returns):
            if at not in self._submitted.taken_back:
                yield at, _answers(job_return)

    def stop(self) -> Iterator[Ended]:
        """Cancel the jobs that Slurm has; see ``Runner``. What other launchers run is theirs."""
        with self._submitted as submitted:
            submitted.take_back()
            ended = [job.done() for job in submitted.jobs]
            for job, done in zip(submitted.jobs, ended, strict=True):
                if not done:
                    job.cancel()
            for at, (job, done) in enumerate(zip(submitted.jobs, ended, strict=True)):
                if at not in submitted.taken_back:
                    yield at, _answers(job.results()[0]) if done else STOPPED


def _answers(job_return: JobReturn) -> Answers | str:
    """Return what a job of Hydra's answers, or why its runs are lost."""
    answers = job_return._return_value
    return answers if job_return.status == JobStatus.COMPLETED else failed_job(answers)


@contextmanager
def _sweeping(context: HydraContext) -> Iterator[SweepSession]:
    """Provide the sweep of this launch; abort it after an error that is not that of a single run."""
    sweep = sweep_of(context)
    try:
        yield sweep
    except BaseException as error:
        sweep.abort(error)
        raise


class _Returned(JobReturn):
    """A job's outcome; unlike Hydra's class it prints nothing when the value of a failed job is read."""

    @property
    def return_value(self) -> Any:
        """The objective; raises the job's error if there is none."""
        if self.status != JobStatus.COMPLETED:
            raise self._return_value
        return self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


def returned(overrides: Sequence[str], outcome: Outcome, metric: str) -> JobReturn:
    """Return a job's outcome for a search: the objective, or why there is none; it must be finite."""
    job = _Returned(overrides=list(overrides))
    value, reason = outcome.value, outcome.reason or "stopped with Ctrl-C"
    if outcome.status == "FINISHED":
        reason = f"its {metric} is {value}"
    good = outcome.status == "FINISHED" and value is not None and math.isfinite(value)
    job.status = JobStatus.COMPLETED if good else JobStatus.FAILED
    job.return_value = value if good else RunFailedError(reason)
    return job


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
