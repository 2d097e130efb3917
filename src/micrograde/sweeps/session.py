"""A launch of a sweep, from its first job to its summary: the parent run, earlier runs, all outcomes."""

import json
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from micrograde.analysis.comparing import ascending
from micrograde.analysis.ranking import loss_beside
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig, config_digest
from micrograde.core.clock import Clock
from micrograde.core.errors import InputError
from micrograde.core.notebook import in_notebook
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.runs.live_run import LiveRun, RunRequest, Status, own_words
from micrograde.runs.pictures import check_formats
from micrograde.runs.progress import RunsWatch, print_line, watch_runs
from micrograde.runs.train import PreparedSets, default_metric, train_runs
from micrograde.store import (
    StoreAwayError,
    StoreLocation,
    UnansweredError,
    backend_of,
    check_experiment,
    forget_slowness,
    tags,
)
from micrograde.store.calls import Result
from micrograde.store.given_tables import DIGEST, note_use_elsewhere
from micrograde.sweeps.completeness import lacking_of
from micrograde.sweeps.composing import has_validation
from micrograde.sweeps.description import describe_sweep
from micrograde.sweeps.earlier import EarlierRun, EarlierSweep, find_earlier
from micrograde.sweeps.folds import first_run
from micrograde.sweeps.identity import SweepIdentity
from micrograde.sweeps.jobs import Job, in_one_experiment, sweep_name, varying_params
from micrograde.sweeps.retest import Retest, RetestPlan, plan_retests
from micrograde.sweeps.state import Outcome, SweepState
from micrograde.sweeps.summary import print_outcomes, print_summary, summarize_sweep
from micrograde.sweeps.usual_task import usual_task
from micrograde.tracking import (
    SERVER_PATIENCE,
    Claim,
    ClaimedError,
    Kept,
    NullRecorder,
    Recorder,
    RunRecorder,
    WriterProcess,
    claim,
    recover,
    send_launch,
)

if TYPE_CHECKING:
    import pyarrow

_SECONDS_BETWEEN_TRIES = 2.0  # to read a store that does not answer
_SECONDS_OF_WRITERS = 10  # that the writers of lost jobs have to end their runs
LONGEST_REASON = 2000  # characters of the tag that says what a sweep lacks

SEARCH_RESULTS = "optimization_results.yaml"
"""The file that Optuna's sweeper writes at its end, with the best trial's parameters."""


class Given(Protocol):
    """A table that Python gave."""

    @property
    def digest(self) -> str:
        """What it is kept under."""

    @property
    def rows(self) -> "pyarrow.Table":
        """Its content."""

    def keep(self, location: StoreLocation) -> None:
        """Put it into the project, where workers, replay and resume find it."""


class SweepSession(SweepState):
    """One launch of a sweep, with what it records; ``identity`` and ``composed`` are those of its state.

    Parameters
    ----------
    writer
        A writer that was started earlier; None with ``tracking=disabled``.
    given
        The table that the runs train on, if Python gave one; it is kept once the jobs have been checked.

    Attributes
    ----------
    run_id
        The id of its parent run, once the sweep is closed and the store has it.
    before_recording
        Called once before anything is recorded, if there are jobs to run; may raise ``InputError``.
    server_patience
        How many seconds it waits for a server that is away, before its jobs begin and after they have ended.
    """

    def __init__(
        self,
        identity: SweepIdentity,
        composed: Mapping[str, Any],
        writer: WriterProcess | None,
        given: Given | None = None,
    ) -> None:
        super().__init__(identity, composed)
        self.prepared = PreparedSets()
        self._given = given
        if given:
            self.prepared.give(given.digest, given.rows)
        self.closing = threading.Event()
        self.run_id: str | None = None
        self.before_recording: Callable[[], None] | None = None
        self.server_patience = SERVER_PATIENCE
        self._earlier: dict[str, EarlierRun] = {}
        self._retested: dict[str, EarlierRun] = {}
        self._composed, self._writer = composed, writer
        self._claim: Claim | None = None
        self._recorder: RunRecorder | None = None
        self._parent = 0
        self._goes_on = False
        self._trained = False
        self._experiment_name = ""
        self._resources = ExitStack()

    # --- the beginning ---------------------------------------------------------------------------

    def begin(self, jobs: Sequence[Job], *, run_by_others: bool = False) -> None:
        """Claim the sweep, find earlier runs of it, and begin its parent run or resume it.

        ``run_by_others`` says that another launcher will run its jobs, one by one.

        Raises
        ------
        InputError
            If another launch is running the same sweep, none of the jobs can be run, or the experiment has
            been deleted in the store.
        """
        if self._recorder is not None:
            return
        self._check_register()
        configs = [job.config for job in jobs if job.config]
        if jobs and not configs:
            more = f" (and so on for all {len(jobs)} jobs)" if len(jobs) > 1 else ""
            raise InputError(f"{jobs[0].reason}{more}")
        validated = configs[0].data.has_validation if configs else has_validation(self._composed["data"])
        self.metric = self.metric or default_metric(validated, self.usual_task(configs))
        self.varies = varying_params(jobs, self.identity.swept) if jobs else []
        names = dict.fromkeys(config.experiment_name for config in configs)
        self._experiment_name = "+".join(names)[:250] or _experiment_of(self._composed)
        if self.location is None:
            self._recorder = NullRecorder()
            return
        check_formats(configs)
        mine = self.hold()
        earlier = None
        if self.options.resume:
            with working("looking for earlier runs of this sweep"):
                recover(self.location)
                earlier = find_earlier(self.location.read_at, self.identity.digest, self.metric)
        if earlier is None:
            check_experiment(self._experiment_name, self.location)
        if self.before_recording and _is_left(jobs, earlier):
            self.before_recording()
        if self._given:
            self._given.keep(self.location)
            # Also of workers with homes of their own, whose runs the table here belongs to.
            note_use_elsewhere(self.location, {DIGEST: self._given.digest})
        recorder = Recorder(self.location, self._writer, mine, server_patience=self.server_patience)
        self._recorder = recorder
        if earlier is None:
            self._parent = self._start_parent()
            return
        self._experiment_name = earlier.experiment_name
        self.found, self.changed = earlier, False
        self.varies = self.varies or list(earlier.varies)  # of a search in which nothing is left to do
        self._parent = recorder.adopt_run(earlier.run_id, goes_on=False)
        if earlier.status != "FINISHED" or run_by_others:
            self._go_on()
            self._trained = run_by_others
        recorder.set_tags(self._parent, {tags.LAUNCHED: str(Clock().now())})
        if words := own_words(self.options.tags, self.options.note, self.options.name):
            words.pop(tags.DESCRIPTION, None)  # the summary writes it anew, beneath the note
            recorder.set_tags(self._parent, words)
            self.changed = True
        for run in earlier.runs:
            self._take_over(run)
        self.before = len(self.outcomes)

    def _check_register(self) -> None:
        """Raise ``InputError`` if it is said which model is registered, and nothing is."""
        which = f"sweep.register={self.options.register}"
        if self.options.register and self.location is None:
            raise InputError(f"{which}: nothing is recorded with tracking=disabled; leave one of the two out")
        if self.options.register and not self.tracking.register:
            raise InputError(f"{which}: needs a name to register the model by: tracking.register=NAME")

    def usual_task(self, configs: Sequence[TrainConfig] = ()) -> str:
        """Return the task that the sweep's usual metric is of; see ``micrograde.sweeps.usual_task``."""
        return usual_task(self.prepared, configs, self._composed)

    def hold(self) -> Claim:
        """Claim the sweep for this launch until ``close`` or ``abort``.

        Raises
        ------
        InputError
            If another launch is running it.
        """
        assert self.location
        if self._claim is None:
            path = self.location.folder / "claims" / self.identity.digest[:32]

            def waiting(who: str) -> None:
                say(f"the last launch of this sweep is still being recorded; waiting for {who}", flush=True)

            try:
                self._claim = self._resources.enter_context(
                    claim(path, self.location.folder / "launches", waiting, self._send)
                )
            except ClaimedError as error:
                raise InputError(
                    f"this sweep is going on in process {error}; wait until that has ended"
                ) from None
        return self._claim

    def _send(self, folder: Path) -> None:
        """Send what an earlier launch of this sweep has left to the store, so that it is not run again."""
        assert self.location
        with working("recording what the last launch of this sweep has done"):
            outcome = send_launch(folder, self.location)
        if isinstance(outcome, Kept):
            raise InputError(
                f"what the last launch of this sweep has done is in {folder}: {outcome.reason}; mend that, "
                f"or give it up: rm -r {shlex.quote(str(folder))}"
            )

    def _start_parent(self) -> int:
        assert self._recorder
        return self._recorder.start_run(
            experiment_name=self._experiment_name,
            run_name=self.options.name or sweep_name(self.identity.swept),
            params=self.identity.space,
            tags={
                **own_words(self.options.tags, self.options.note),
                tags.DESCRIPTION: describe_sweep(
                    self.identity.space, metric=self.metric, note=self.options.note or ""
                ),
                tags.SWEEP_DIGEST: self.identity.digest,
                tags.SWEEP_VARIES: json.dumps(self.varies),
                tags.SEARCH: "true" if self.searches else "false",
            },
        )

    def _go_on(self) -> None:
        """Set the parent run of an earlier launch to RUNNING again, as there is something to do."""
        assert self._recorder
        if self.found and not self._goes_on:
            if self.location:
                check_experiment(self._experiment_name, self.location)
            self._parent = self._recorder.adopt_run(self.found.run_id)
            self._goes_on = self.changed = True

    def _take_over(self, run: EarlierRun) -> None:
        """Count an earlier run that is done; supersede one that is not, or is a repetition."""
        assert self._recorder
        if run.retest and run.done and run.digest not in self._retested:
            self._retested[run.digest] = run
            return
        if not run.retest and run.done and run.digest not in self.outcomes:
            self.outcomes[run.digest] = Outcome(run.status, run.value, None, run.loss)
            self.names[run.digest], self.seeds[run.digest] = run.name, run.seed
            self._earlier[run.digest] = run
            return
        self._supersede(run)

    def _supersede(self, run: EarlierRun) -> None:
        assert self._recorder
        self.changed = True
        number = self._recorder.adopt_run(run.run_id, goes_on=False)
        self._recorder.set_tags(number, {tags.SUPERSEDED: "true"})
        self._recorder.end_run(number, "FINISHED" if run.status == "FINISHED" else "KILLED")

    # --- its jobs --------------------------------------------------------------------------------

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Train what has not been trained yet, as stacks in this process; return an outcome for each job.

        After Ctrl-C, runs in training are finished, and jobs that have not begun are ``KILLED``.
        """
        todo = self.what_is_to_do(jobs)
        requests = [self.request(job, parent=self._parent) for job in todo]
        runs = self._train(requests, self.options.name or sweep_name(self.identity.swept))
        for run in runs:
            metrics = run.last_metrics()
            beside = loss_beside(self.metric, metrics)
            value, loss = metrics.get(self.metric), metrics[beside] if beside else None
            self.outcomes[todo[run.place].digest] = Outcome(run.status, value, run.reason, loss)
            self.warned.update(run.warnings)
        return [self.outcomes.get(job.digest, Outcome("KILLED")) for job in jobs]

    def _train(
        self, requests: Sequence[RunRequest], title: str, *, before: int | None = None
    ) -> list[LiveRun]:
        """Train runs as stacks; ``before`` is how many are done already, by default of the sweep's own."""
        runs: list[LiveRun] = []
        if requests:
            assert self._recorder
            configs = [request.config for request in requests]
            watching = watch_runs(
                [request.name for request in requests],
                [config.training.num_epochs for config in configs],
                title=title,
                metric=self.metric,
                ascending=ascending(self.metric, self.options.order),
                before=len(self.outcomes) if before is None else before,
                verbose=self.options.verbose,
                best=self.best_run() if before is None else None,
                failed=sum(each.status == "FAILED" for each in self.outcomes.values())
                if before is None
                else 0,
                seeds=[config.seed for config in configs],
            )
            with watching as watch, self._finishing_on_interrupt():
                runs = train_runs(requests, self._recorder, self.prepared, watch, closing=self.closing)
        return runs

    @contextmanager
    def watching(self, jobs: Sequence[Job], *, epochs: bool) -> Iterator[RunsWatch]:
        """Show the progress of the sweep's own runs; the first Ctrl-C lets those in training finish.

        ``epochs`` says whether their epochs are followed.
        """
        watched = watch_runs(
            [job.name for job in jobs],
            [job.config.training.num_epochs if job.config and epochs else 0 for job in jobs],
            title=self.options.name or sweep_name(self.identity.swept),
            metric=self.metric,
            ascending=ascending(self.metric, self.options.order),
            before=len(self.outcomes),
            verbose=self.options.verbose,
            best=self.best_run(),
            failed=sum(each.status == "FAILED" for each in self.outcomes.values()),
            seeds=[job.config.seed if job.config else 0 for job in jobs],
        )
        with watched as watch, self._finishing_on_interrupt():
            yield watch

    def _retest(self) -> None:
        """Run the best settings again on fresh seeds, but for what an earlier launch has done of that."""
        if not self.options.retest or self._recorder is None or self.location is None:
            return
        if self.closing.is_set():
            self.retest_note = "not done: the sweep was stopped; the same command goes on with it"
            return
        from micrograde.analysis import load_runs

        parent = self.parent_run_id()
        runs = load_runs(self.location.read_at, sweep=parent)
        try:
            planned = plan_retests(
                runs,
                self.varies or [key for key in self.identity.swept if key in runs],
                self.metric,
                self.options.order,
                RetestPlan(self.options.retest, self.options.retest_settings),
                self.location,
                self.tracking,
                self._composed,
            )
            requests = self._requests_of(planned)
        except InputError as error:
            self.retest_note = f"not done: {error}"
            return
        if not requests:
            return
        self._go_on()
        self._trained = self.changed = True
        settings = len(planned) // self.options.retest
        plural = "s" * (settings > 1)
        said = f"{len(planned)} runs: {settings} setting{plural} × {self.options.retest} fresh seeds"
        say(f"retest      {said}", flush=True)
        runs_again = self._train(requests, "retest", before=len(planned) - len(requests))
        for run in runs_again:
            self.warned.update(run.warnings)
        left = len(requests) - sum(run.status != "KILLED" for run in runs_again)
        if left:
            self.retest_note = f"stopped with {left} runs left; the same command goes on with it"

    def _requests_of(self, planned: Sequence[Retest]) -> list[RunRequest]:
        """Return the requests of retests that are left to do; those done on other data are superseded."""
        requests = []
        for each in planned:
            config = self.prepared.resolved(replace(each.config, experiment_name=self._experiment_name))
            self.prepared.check(config)
            digest = config_digest(config)
            done = self._retested.get(digest)
            if done and done.data_digest not in ("", self.prepared.of(config).dataset.digest):
                self._supersede(done)
                done = None
            if done is None:
                given = {tags.RETEST: "true"}
                requests.append(
                    RunRequest(config, each.name, each.overrides, parent=self._parent, tags=given)
                )
        return requests

    def what_is_to_do(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs that are left to do, each once; record those that cannot be run as FAILED."""
        self.begin(jobs)
        todo: dict[str, Job] = {}
        jobs = in_one_experiment(jobs, self._experiment_name)
        self._forget_outdated(jobs)
        for job in jobs:
            self.asked[job.digest] = None
            self.names.setdefault(job.digest, job.name)
            self.params.setdefault(job.digest, job.params_of(self.varies))
            if job.config:
                self.seeds.setdefault(job.digest, job.config.seed)
            if job.digest in self.outcomes:
                continue
            if job.config is None:
                self._record_impossible(job)
            else:
                todo.setdefault(job.digest, job)
        if todo:
            self._go_on()
            self._trained = True
        return list(todo.values())

    def _forget_outdated(self, jobs: Sequence[Job]) -> None:
        """Supersede runs that were trained on other data than the present ones, so that they are repeated."""
        outdated = [
            run
            for job in jobs
            if (run := self._earlier.get(job.digest)) and run.data_digest not in ("", job.data_digest)
        ]
        for run in {run.run_id: run for run in outdated}.values():
            self._supersede(run)
            del self.outcomes[run.digest], self._earlier[run.digest]
            self.before -= 1
        if outdated:
            print(f"the data have changed; runs that are trained again: {len(outdated)}", flush=True)

    def settle(self) -> None:
        """Put right what other launchers' jobs have left in the store.

        The remains of jobs that a cluster has run again because a machine died are superseded, and runs of
        lost jobs that nobody has ended are KILLED, with the reason.
        """
        if self.location is None:
            return
        runs = self._patiently(self._left_by_lost_jobs)
        kept = {run.digest: run.run_id for run in reversed(runs) if run.done}
        for run in runs:
            outcome = self.outcomes.get(run.digest)
            if kept.get(run.digest, run.run_id) != run.run_id:
                self._supersede(run)
            elif run.status == "RUNNING" and outcome and outcome.status != "FINISHED" and not outcome.kept:
                self._kill(run, outcome.reason or "its job was stopped")

    def _left_by_lost_jobs(self) -> tuple[EarlierRun, ...]:
        """Return the sweep's runs, once the writers of lost jobs had time to end theirs."""
        assert self.location
        lost = {digest for digest, each in self.outcomes.items() if each.status == "KILLED" and each.reason}
        deadline = time.monotonic() + (_SECONDS_OF_WRITERS if lost else 0)
        while True:
            found = find_earlier(self.location.read_at, self.identity.digest, self.metric)
            runs = found.runs if found else ()
            running = any(run.status == "RUNNING" and run.digest in lost for run in runs)
            if not running or time.monotonic() > deadline:
                return runs
            time.sleep(1)

    def _kill(self, run: EarlierRun, reason: str) -> None:
        assert self._recorder
        number = self._recorder.adopt_run(run.run_id, goes_on=False)
        self._recorder.set_tags(number, {tags.REASON: reason})
        self._recorder.end_run(number, "KILLED")

    def request(self, job: Job, **more: Any) -> RunRequest:
        """Return the request for the run of a job."""
        assert job.config is not None
        return RunRequest(job.config, job.name, job.overrides, **more)

    def parent_run_id(self) -> str | None:
        """Wait until the store has the parent run, and return MLflow's id of it."""
        assert self._recorder
        with working("waiting for the store"):
            ids = {run.run: run.run_id for run in self._recorder.wait()}
        return ids.get(self._parent)

    def _record_impossible(self, job: Job) -> None:
        assert self._recorder
        assert job.reason
        self._go_on()
        self._trained = True
        number = self._recorder.start_run(
            experiment_name=self._experiment_name,
            run_name=job.name,
            params=job.params(),
            tags={tags.CONFIG_DIGEST: job.digest, tags.SETTLED: "true", tags.REASON: job.reason},
            parent=self._parent,
        )
        self._recorder.end_run(number, "FAILED")
        self.outcomes[job.digest] = Outcome("FAILED", None, job.reason)

    @contextmanager
    def _finishing_on_interrupt(self) -> Iterator[None]:
        """Make the first Ctrl-C finish the runs in training; the second one interrupts as usual."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def finish(number: int, frame: object) -> None:  # noqa: ARG001
            self.closing.set()
            signal.signal(signal.SIGINT, before)
            again = "interrupt again" if in_notebook() else "Ctrl-C again"
            print_line(f"finishing the runs in training; {again} to stop them")

        signal.signal(signal.SIGINT, finish)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    # --- the end ---------------------------------------------------------------------------------

    def close(self, left: Path) -> int:
        """Write the summary, end the parent run, print the results, and return the exit status.

        Parameters
        ----------
        left
            The folder in which Hydra's sweepers and launchers leave files and empty folders. The results of a
            search are copied to the parent run. As the folder may be the user's own, only empty folders are
            removed.

        Raises
        ------
        TrackingError
            If something could not be recorded.
        """
        if self._recorder is None:
            remove_empty(left)
            return 0
        with suppress(StoreAwayError):
            self._retest()
        interrupted = self.closing.is_set()
        if self.location is None:
            failed = print_outcomes(self)
            incomplete = lacking_of(self, None).count > 0
        else:
            summary = None
            try:
                recorder, parent = self._recorder, self._parent
                summary = self._patiently(lambda: summarize_sweep(self, recorder, parent))
                self.run_id = summary.run_id
            except StoreAwayError:
                pass  # the recorder's ``close`` says what to do; ``compare`` makes the report later
            except InputError:  # the server has become unreachable since the runs were sent to it
                if not backend_of(self.location).can_be_away:
                    raise
            self._keep_results(left)
            lacks = lacking_of(self, summary.runs if summary else None)
            incomplete = lacks.count > 0
            if not self.is_as_before or lacks.count:
                # A sweep in which nothing was left to train keeps its end time.
                ended = self.found.end_time if self.found and not self._trained else None
                model = summary.model if summary else None
                # A sweep is FINISHED once its store has all that was asked for: KILLED, it goes on.
                stopped = interrupted or lacks.count > 0
                if lacks.count:
                    reason = printable("; ".join(lacks.texts()))[:LONGEST_REASON]
                    self._recorder.set_tags(self._parent, {tags.REASON: reason})
                status: Status = "KILLED" if stopped else "FINISHED"
                self._recorder.end_run(self._parent, status, model, time=ended)
                if summary and summary.own_model:
                    name = self.tracking.register
                    self._recorder.log_model(self._parent, registered_name=name)
            with working("recording the report"):
                recorded = self._recorder.close()
            registered = {run.run: run.registered for run in recorded}.get(self._parent)
            failed = print_summary(self, summary, registered) if summary else print_outcomes(self)
        self._resources.close()
        remove_empty(left)
        return 130 if interrupted else int(failed > 0 or incomplete)

    def _patiently(self, read: Callable[[], Result]) -> Result:
        """Return what is read of the store; of a server that does not answer it is read again for a while."""
        assert self.location
        deadline = time.monotonic() + self.server_patience
        while True:
            try:
                return read()
            except UnansweredError:
                if time.monotonic() > deadline:
                    raise
            with working("waiting for the server"):
                time.sleep(_SECONDS_BETWEEN_TRIES)
            forget_slowness(self.location.tracking_uri)

    def _keep_results(self, left: Path) -> None:
        assert self.location
        assert self._recorder
        results, folder = left / SEARCH_RESULTS, self._recorder.run_folder(self._parent)
        if folder and results.exists():
            shutil.copy(results, folder)
            if left.parent == self.location.folder / "sweeps":  # our own folder, where nobody looks for it
                results.unlink()

    def abort(self, error: BaseException) -> None:
        """End all that is running, after an error that is not that of a single run."""
        if isinstance(self._recorder, Recorder):
            with working("recording what has been done"):
                self._recorder.__exit__(type(error), error, error.__traceback__)
            if isinstance(error, KeyboardInterrupt):
                print_line("stopped before the sweep was complete; the same command goes on with it")
        elif self._writer:
            self._writer.discard()
        self._resources.close()


def _experiment_of(composed: Mapping[str, Any]) -> str:
    """Return the experiment of a sweep of which no job is known, as of a search that has just begun."""
    try:
        return parse_train_config(first_run(composed)).experiment_name
    except InputError:  # something that it needs is searched for
        return str(composed["experiment_name"] or composed["data"]["name"])


def _is_left(jobs: Sequence[Job], earlier: EarlierSweep | None) -> bool:
    """Return whether a job can be run and no earlier launch has done it, on the data that there are now."""
    done: dict[str, str] = {}
    for run in earlier.runs if earlier else ():
        if run.done and not run.retest:
            done.setdefault(run.digest, run.data_digest)
    return any(job.config and done.get(job.digest) not in ("", job.data_digest) for job in jobs)


def remove_empty(folder: Path) -> None:
    """Remove the empty folders in a folder, and the folder itself if it is then empty."""
    for inner in [*(path for path in folder.glob("*") if path.is_dir()), folder]:
        with suppress(OSError):
            inner.rmdir()
