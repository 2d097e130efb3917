"""What reads a store, whichever it is."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from micrograde.store.left_out import LeftOut
from micrograde.store.records import RawRuns, RunAbout, RunDetails, Selection, SweepAbout


class Reader(Protocol):
    """The functions that read a store, as rows; every backend's return the same for the same runs.

    ``uri`` is the store's address. Ids of runs are 32 characters of 0-9 and a-f. A run that cannot be read is
    left out, with a line that says why (``LeftOut``, ``sound_records``); a store that cannot be read is an
    ``InputError``. ``RunsReader`` has all functions for a backend that can list its runs.
    """

    def read_about(self, uri: str, selection: Selection) -> list[RunAbout]:
        """Return what every run has: id, name, experiment, status, times and parent."""

    def read_runs(self, uri: str, selection: Selection) -> RawRuns:
        """Return runs with their params, the last value of each metric, and their tags except MLflow's."""

    def read_points(
        self, uri: str, selection: Selection, metrics: Sequence[str] | None, left_out: LeftOut
    ) -> Iterator[Sequence[tuple[str, str, int, float | None]]]:
        """Yield every value of these metrics, as rows of run id, metric, step and value (None for NaN)."""

    def read_details(self, uri: str, run_id: str) -> RunDetails:
        """Return params, all tags and the file address of an existing run."""

    def read_sweeps(self, uri: str) -> list[SweepAbout]:
        """Return all sweeps."""

    def count_runs(self, uri: str) -> dict[str, int]:
        """Return the number of runs of each sweep, by the sweep's id."""
