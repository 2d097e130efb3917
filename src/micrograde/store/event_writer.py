"""What writes the events of a launch to a store, whichever it is."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from micrograde.store import tags
from micrograde.store.calls import Caller, at_once
from micrograde.store.events import (
    AnswerAwaited,
    Event,
    LaunchEnded,
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

_OF_PROCESS = (tags.HOST, tags.PROCESS_NAMESPACE, tags.PROCESS_ID, tags.PROCESS_START)


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
    """

    folder: Path
    given: Mapping[str, str] = field(default_factory=dict)
    make: Caller = at_once
    again: bool = False

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

    def tags_of_adopted(self) -> dict[str, str]:
        """Return the tags that a run gets which goes on in this launch."""
        of_process = {name: self.given[name] for name in _OF_PROCESS if name in self.given}
        return {**of_process, tags.LAUNCH: self.folder.name}

    def is_taken_over(self, stored: Mapping[str, str]) -> bool:
        """Return whether a later launch has gone on with a run, by the tags that it has in the store.

        It is then to be left as it is: this launch's journal is written after the other's.
        """
        # Names of launches begin with their time, so a greater name is a later launch.
        return self.again and stored.get(tags.LAUNCH, "") > self.folder.name


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
        The numbers of the runs that have begun and have not ended.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.running: set[int] = set()

    def write(self, events: Sequence[Event]) -> None:
        """Write these events, if any; values of metrics may wait for a few seconds."""
        for event in events:
            self.write_one(event)

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
            now = time.time_ns() // 1_000_000
            self.write([TagsSet(run, {tags.REASON: reason}), RunEnded(run, now, status)])
