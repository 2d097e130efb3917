"""Journals as a sweep's launch writes them, for the benchmarks of what carries them into the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from micrograde.store.events import DatasetInput, Event, LaunchEnded, RunEnded, RunStarted, StackMetricsLogged
from micrograde.store.location import StoreLocation
from micrograde.tracking.events import to_json_line
from micrograde.tracking.journal import JOURNAL
from micrograde.tracking.launches import begin_launch

_STARTED, _EPOCH = 1_790_000_000_000, 250  # milliseconds
_PARAMS, _TAGS = 60, 20
_FILE = b"0.5 " * 500


@dataclass(frozen=True)
class Sweep:
    """Runs that are trained in stacks; each has 60 params, 20 tags and a data set, as runs of tables do."""

    runs: int
    metrics: int = 20
    steps: int = 10
    together: int = 50
    files: int = 0

    @property
    def values(self) -> int:
        """How many values are recorded."""
        return self.runs * self.metrics * self.steps

    def events(self) -> Iterator[Event]:
        """Yield what happens."""
        dataset = DatasetInput("digits", "d" * 36, "{}", "{}", "{}")
        params = {f"group.param_{number}": str(number) for number in range(_PARAMS)}
        given = {f"micrograde.tag_{number}": "a value" for number in range(_TAGS)}
        now = _STARTED
        for first in range(0, self.runs, self.together):
            stack = range(first, min(first + self.together, self.runs))
            yield from (
                RunStarted(run, now, "writer", f"seed={run}", params, given, dataset) for run in stack
            )
            for step in range(1, self.steps + 1):
                now += _EPOCH
                values = {
                    f"metric_{number}": [(run + number / 7) / step for run in stack]
                    for number in range(self.metrics)
                }
                yield StackMetricsLogged(list(stack), now, step, values)
            yield from (RunEnded(run, now, "FINISHED") for run in stack)
        yield LaunchEnded()

    def launch(self, location: StoreLocation) -> Path:
        """Make a launch's folder with the whole journal and all files; return it."""
        folder, lock = begin_launch(location, "benchmark")
        lock.release()
        with (folder / JOURNAL).open("w") as journal:
            journal.writelines(f"{to_json_line(event)}\n" for event in self.events())
        for run in range(self.runs if self.files else 0):
            for number in range(self.files):
                path = folder / f"run-{run}" / f"part-{number % 3}" / f"file-{number}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_FILE)
        return folder
