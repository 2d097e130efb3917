"""What writes the events of a launch to a store, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from micrograde.core.clock import Clock
from micrograde.core.full_disk import why_disk_is_full
from micrograde.store import tags
from micrograde.store.calls import Caller, at_once
from micrograde.store.errors import BatchLostError, StoreAwayError
from micrograde.store.events import (
    AnswerAwaited,
    Event,
    LaunchEnded,
    LinesMissing,
    MetricsLogged,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    Status,
    StepMetricsLogged,
    TagsSet,
)

_OF_PROCESS = (
    tags.HOST,
    tags.MACHINE,
    tags.PROCESS_NAMESPACE,
    tags.PROCESS_ID,
    tags.PROCESS_START,
    tags.PROCESS_TICKS,
    tags.PROJECT,
)
_MOST_LAUNCHES = 100  # that a tag names; MLflow takes 8,000 characters


@dataclass(frozen=True)
class Recording:
    """What a writer is given beside the store.

    Attributes
    ----------
    folder
        The launch's folder, whose ``run-N`` has the files of run N.
    given
        Tags for every run.
    make
        Makes each call to the store, and repeats those whose error ``Backend.may_pass``.
    again
        Whether the journal, or a part of it, may have been written before.
    tell
        Called with a line for the user.
    is_late
        Returns whether another launch may have run the same meanwhile: the journal is sent after its launch,
        or the store was away.
    """

    folder: Path
    given: Mapping[str, str] = field(default_factory=dict)
    make: Caller = at_once
    again: bool = False
    tell: Callable[[str], None] = field(default=lambda line: None)  # noqa: ARG005
    is_late: Callable[[], bool] = lambda: False

    def origin(self, run: int) -> str:
        """Return what identifies a run of the launch, in whatever store and however often it is written."""
        return f"{self.folder.name}-{run}"

    def files(self, run: int) -> Path:
        """Return the folder of a run's files."""
        return self.folder / f"run-{run}"

    def tags_of(self, event: RunStarted, parent_run_id: str | None) -> dict[str, str]:
        """Return the tags of a run that begins; ``parent_run_id`` is the id of ``event.parent``."""
        given = {
            **self.given,
            **event.tags,
            tags.ORIGIN: self.origin(event.run),
            tags.LAUNCH: self.folder.name,
        }
        return given if parent_run_id is None else {**given, tags.PARENT: parent_run_id}

    def tags_of_adopted(self, stored: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the tags that a run gets which goes on in this launch; it is ``stored`` with others."""
        of_process = {name: self.given[name] for name in _OF_PROCESS if name in self.given}
        before = _launches_of(stored or {})
        trained = [*(each for each in before if each != self.folder.name), self.folder.name]
        several = {tags.LAUNCHES: " ".join(trained[-_MOST_LAUNCHES:])} if stored is not None else {}
        return {**of_process, tags.LAUNCH: self.folder.name, **several}

    def is_taken_over(self, stored: Mapping[str, str]) -> bool:
        """Return whether a later launch has gone on with a run, by the tags that it has in the store.

        It is then to be left as it is: this launch's journal is written after the other's. The tags tell it,
        and not the names of launches, which have the time of clocks that may be set.
        """
        if not self.again:
            return False
        own, last = self.folder.name, stored.get(tags.LAUNCH, "")
        trained = _launches_of(stored)
        if own in trained:
            return trained[-1] != own
        # A run that this launch has not got to yet; before 0.2 only the last launch that went on was noted.
        return tags.LAUNCHES not in stored and len(trained) > 1 and last > own

    def has_finished(self, status: str, stored: Mapping[str, str]) -> bool:
        """Return whether this launch has FINISHED a run, by its status and tags in the store.

        It is whole there, and stays as it is even if the journal does not say so any more, as when the disk
        has lost that line.
        """
        return self.again and status == "FINISHED" and _launches_of(stored)[-1:] == [self.folder.name]


def _launches_of(stored: Mapping[str, str]) -> list[str]:
    """Return the launches that have trained a run, in order, by its tags in the store."""
    if tags.LAUNCHES in stored:
        return stored[tags.LAUNCHES].split()
    origin, last = stored.get(tags.ORIGIN, "").rpartition("-")[0], stored.get(tags.LAUNCH, "")
    return [each for each in dict.fromkeys((origin, last)) if each]


class EventWriter(ABC):
    """Writes a launch's events to a store, in order.

    A journal may be written again from its start, by another process: the store then stays as it is. So a run
    is known by its origin (``Recording.origin``), and writing the same params, points, tags and files again
    has no effect.

    Attributes
    ----------
    recording
        What is written.
    running
        The numbers of the runs that have begun and have not ended, neither here nor before
        (``Recording.has_finished``); what remains when the journal is over is KILLED.
    left_out
        The runs of which nothing more is written, with the error; None for one that was deleted in the store.
    missing
        How many lines of the journal could not be read, or are of runs whose beginning could not.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.running: set[int] = set()
        self.left_out: dict[int, Exception | None] = {}
        self.missing = 0
        self._begun: dict[int, int] = {}  # run: when it began, or 0
        self._open: set[int] = set()
        self._clock = Clock()

    @property
    def known(self) -> set[int]:
        """The numbers of the runs whose beginning was read."""
        return {*self._begun, *self.left_out}

    @property
    def failure(self) -> Exception | None:
        """The first error for which a run was left out; None if there is none."""
        return next((error for error in self.left_out.values() if error is not None), None)

    @property
    def has_failed(self) -> bool:
        """Whether every run so far was left out for an error."""
        return self.failure is not None and self.left_out.keys() >= self._begun.keys()

    def write(self, events: Sequence[Event]) -> None:
        """Write these events, if any; values of metrics may wait for a few seconds.

        An error that concerns one run leaves out that run, and the others go on.
        """
        for event in events:
            known = self._of_known_runs(event)
            if known is not None:
                with self.apart(_runs_of(known)):
                    self.write_one(known)
                    self._note(known)

    def _of_known_runs(self, event: Event) -> Event | None:
        """Return the event without runs that are left out or unknown; None if none remains."""
        if isinstance(event, RunStarted):
            lost = event.parent is not None and event.parent not in self._begun
            return replace(event, parent=None) if lost else event
        if isinstance(event, RunAdopted):
            return event
        runs = _runs_of(event)
        if not runs or all(run in self._begun and run not in self.left_out for run in runs):
            return event
        self.missing += any(run not in self._begun and run not in self.left_out for run in runs)
        places = [place for place, run in enumerate(runs) if run in self._begun and run not in self.left_out]
        if not places:
            return None
        kept = [runs[place] for place in places]
        if isinstance(event, StackMetricsLogged):
            values = {key: [of_runs[place] for place in places] for key, of_runs in event.values.items()}
            return replace(event, runs=kept, values=values)
        assert isinstance(event, StepMetricsLogged)
        of_steps = {
            key: [[of_runs[place] for place in places] for of_runs in steps]
            for key, steps in event.values.items()
        }
        return replace(event, runs=kept, values=of_steps)

    def _note(self, event: Event) -> None:
        """Note which runs have begun and ended."""
        match event:
            case RunStarted():
                self._begun[event.run] = event.time
                self._open.add(event.run)
            case RunAdopted():
                self._begun[event.run] = 0
                if event.goes_on:
                    self._open.add(event.run)
            case RunEnded():
                self._open.discard(event.run)
            case _:
                pass

    @contextmanager
    def apart(self, runs: Sequence[int]) -> Iterator[None]:
        """Leave out these runs if an error occurs in the context, unless it concerns all runs."""
        try:
            yield
        except (StoreAwayError, BatchLostError):
            raise
        except Exception as error:
            if not runs or why_disk_is_full(error):
                raise
            for run in runs:
                self.leave_out(run, error)

    def leave_out(self, run: int, error: Exception) -> None:
        """Write nothing more of a run, after this error; if it still goes on it is FAILED from now on."""
        if run in self.left_out:
            return
        self.left_out[run] = error
        self._open.discard(run)
        if self.is_gone(run):
            self.left_out[run] = None
            self.recording.tell(f"{self.named(run)} was deleted in the store; nothing more of it is recorded")
        elif run in self.running:
            with suppress(Exception):  # the first error is the one to be told
                self.fail(run, "recording failed")
        self.running.discard(run)

    def is_gone(self, run: int) -> bool:  # noqa: ARG002
        """Return whether somebody has deleted the run in the store; by default that is not asked."""
        return False

    def named(self, run: int) -> str:
        """Return what a line calls the run."""
        return f"run {run} of {self.recording.folder.name}"

    def fail(self, run: int, reason: str) -> None:
        """End a run as FAILED, after an error; by default by ``set_tags`` and ``end``."""
        self.set_tags(run, {tags.REASON: reason})
        self.end(RunEnded(run, self._end_time(run), "FAILED"))

    def _end_time(self, run: int) -> int:
        return max(self._clock.now(), self._begun.get(run, 0))

    def _miss(self, lines: int) -> None:
        """Count lines of the journal that cannot be read, and mark the runs that they may be of."""
        self.missing += lines
        for run in sorted(self._open & self.running):  # else the store has all of it
            self.set_tags(run, {tags.INCOMPLETE: "lines of its launch's journal could not be read"})

    def write_one(self, event: Event) -> None:
        """Write one event, by the method for its kind."""
        match event:
            case RunStarted():
                self.start(event)
            case RunAdopted():
                self.adopt(event)
            case MetricsLogged():
                values = {metric: [value] for metric, value in event.values.items()}
                self.log([event.run], event.time, event.step, values)
            case StackMetricsLogged():
                self.log(event.runs, event.time, event.step, event.values)
            case StepMetricsLogged():
                for place, step in enumerate(event.steps):
                    of_step = {metric: of_steps[place] for metric, of_steps in event.values.items()}
                    self.log(event.runs, event.time, step, of_step)
            case TagsSet():
                self.set_tags(event.run, event.tags)
            case RunEnded():
                self.end(event)
            case ModelLogged():
                self.log_model(event)
            case AnswerAwaited() | LaunchEnded():
                pass  # for who follows the journal
            case LinesMissing():
                self._miss(event.lines)
            case _:
                assert_never(event)

    @abstractmethod
    def start(self, event: RunStarted) -> None:
        """Create the run, unless an earlier writer has."""

    @abstractmethod
    def adopt(self, event: RunAdopted) -> None:
        """Know the run ``event.run_id`` of the store by the number ``event.run``.

        If it goes on it is RUNNING again, has ``Recording.tags_of_adopted``, and no tag ``tags.REASON``.
        """

    @abstractmethod
    def log(self, runs: Sequence[int], time: int, step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Log the values of metrics at a step; those of each metric are in the order of ``runs``."""

    @abstractmethod
    def set_tags(self, run: int, given: Mapping[str, str]) -> None:
        """Set tags on a run."""

    @abstractmethod
    def end(self, event: RunEnded) -> None:
        """Store the files of the run's folder, then end the run."""

    def log_model(self, event: ModelLogged) -> None:  # noqa: B027
        """Make the model of an ended run one of the store's own models; by default a store has none."""

    @abstractmethod
    def recorded(self) -> list[dict[str, object]]:
        """Return for each run its ``run``, ``run_id``, ``experiment_id``, and ``registered`` or None."""

    def flush(self) -> None:  # noqa: B027
        """Write what waits; by default nothing does."""

    def give_up(self, reason: str) -> None:
        """After an error, mark the runs that have not ended as FAILED."""
        self.end_what_is_running("FAILED", reason)

    def end_what_is_running(self, status: Status, reason: str) -> None:
        """End the runs of a launch that have not ended, when the journal has no more events."""
        for run in sorted(self.running):
            self.write([TagsSet(run, {tags.REASON: reason}), RunEnded(run, self._end_time(run), status)])


def _runs_of(event: Event) -> Sequence[int]:
    """Return the numbers of the runs that an event is of."""
    match event:
        case StackMetricsLogged() | StepMetricsLogged():
            return event.runs
        case AnswerAwaited() | LaunchEnded() | LinesMissing():
            return ()
        case _:
            return (event.run,)
