"""What every writer of events does with runs that fail, that are gone, or of which lines are missing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from micrograde.store import StoreAwayError, tags
from micrograde.store.event_writer import EventWriter, Recording
from micrograde.store.events import (
    AnswerAwaited,
    LinesMissing,
    MetricsLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    StepMetricsLogged,
    TagsSet,
)


class Memory(EventWriter):
    """Keeps what it is told; some runs cannot be ended, and some were deleted."""

    def __init__(self, folder: Path, failing: Mapping[int, Exception], gone: Sequence[int] = ()) -> None:
        self.lines: list[str] = []
        super().__init__(Recording(folder, tell=self.lines.append))
        self.failing, self.gone = failing, gone
        self.points: dict[int, list[float]] = {}
        self.status: dict[int, str] = {}
        self.tags: dict[int, dict[str, str]] = {}
        self.parents: dict[int, int | None] = {}

    def start(self, event: RunStarted) -> None:
        self.status[event.run], self.points[event.run], self.tags[event.run] = "RUNNING", [], {}
        self.parents[event.run] = event.parent
        self.running.add(event.run)

    def adopt(self, event: RunAdopted) -> None:  # noqa: ARG002
        raise AssertionError

    def log(
        self,
        runs: Sequence[int],
        time: int,  # noqa: ARG002
        step: int,  # noqa: ARG002
        values: Mapping[str, Sequence[float]],
    ) -> None:
        for of_runs in values.values():
            for run, value in zip(runs, of_runs, strict=True):
                self.points[run].append(value)

    def set_tags(self, run: int, given: Mapping[str, str]) -> None:
        self.tags[run] |= given

    def end(self, event: RunEnded) -> None:
        if event.run in self.failing and event.status != "FAILED":
            raise self.failing[event.run]
        self.status[event.run] = event.status
        self.running.discard(event.run)

    def is_gone(self, run: int) -> bool:
        return run in self.gone

    def recorded(self) -> list[dict[str, object]]:
        return []


def started(run: int, parent: int | None = None) -> RunStarted:
    return RunStarted(run, 10 + run, "toys", f"r{run}", {}, {}, parent=parent)


def test_the_failure_of_one_run_is_its_own(tmp_path: Path) -> None:
    writer = Memory(tmp_path, {1: ValueError("no place for its files")}, ())
    writer.write([started(0), started(1), started(2), RunEnded(1, 20, "FINISHED")])
    writer.write([StackMetricsLogged([0, 1, 2], 5, 1, {"loss": [0.0, 1.0, 2.0]})])
    writer.write([StepMetricsLogged([0, 1, 2], 5, [1, 2], {"loss": [[0.1, 1.1, 2.1], [0.2, 1.2, 2.2]]})])
    writer.write([MetricsLogged(1, 5, 1, {"loss": 1.3}), RunEnded(0, 21, "FINISHED"), AnswerAwaited()])
    assert writer.points == {0: [0.0, 0.1, 0.2], 1: [], 2: [2.0, 2.1, 2.2]}
    assert writer.status == {0: "FINISHED", 1: "FAILED", 2: "RUNNING"}
    assert writer.tags[1] == {tags.REASON: "recording failed"}
    assert str(writer.failure) == "no place for its files"
    assert (writer.has_failed, writer.missing, writer.lines) == (False, 0, [])
    writer.end_what_is_running("KILLED", "it died")
    assert writer.status[2] == "KILLED"


def test_a_run_that_was_deleted_is_left_out_with_a_line(tmp_path: Path) -> None:
    writer = Memory(tmp_path, {0: ValueError("not in the active state")}, (0,))
    writer.write([started(0), started(1), RunEnded(0, 20, "FINISHED"), RunEnded(1, 20, "FINISHED")])
    assert writer.status == {0: "RUNNING", 1: "FINISHED"}
    assert writer.failure is None
    assert writer.lines == [
        f"run 0 of {tmp_path.name} was deleted in the store; nothing more of it is recorded"
    ]


@pytest.mark.parametrize("error", [StoreAwayError("away"), OSError(28, "No space left on device")])
def test_what_concerns_all_runs_ends_the_recording(tmp_path: Path, error: Exception) -> None:
    writer = Memory(tmp_path, {0: error})
    with pytest.raises(type(error)):
        writer.write([started(0), RunEnded(0, 20, "FINISHED")])


def test_runs_that_go_on_where_lines_are_missing_are_marked(tmp_path: Path) -> None:
    writer = Memory(tmp_path, {})
    writer.write([started(0), started(1), RunEnded(0, 20, "FINISHED"), LinesMissing(2), started(2)])
    marked = [run for run, given in writer.tags.items() if tags.INCOMPLETE in given]
    assert (marked, writer.missing) == ([1], 2)


def test_what_is_of_a_run_whose_beginning_is_missing_is_counted(tmp_path: Path) -> None:
    writer = Memory(tmp_path, {})
    writer.write([started(1, parent=0), MetricsLogged(0, 1, 1, {"loss": 1.0}), TagsSet(0, {"a": "b"})])
    writer.write([StackMetricsLogged([0, 1], 1, 1, {"loss": [0.5, 0.25]}), RunEnded(0, 9, "FINISHED")])
    assert (writer.points, writer.parents, writer.missing) == ({1: [0.25]}, {1: None}, 4)
    assert writer.known == {1}


def test_no_run_ends_before_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 0)  # the clock was set back
    writer = Memory(tmp_path, {})
    ends: list[RunEnded] = []
    monkeypatch.setattr(writer, "end", ends.append)
    writer.write([started(5)])
    writer.running = {5}
    writer.end_what_is_running("KILLED", "it died")
    assert [event.time for event in ends] == [15]
