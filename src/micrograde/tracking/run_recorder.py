"""The interface for recording runs, and an implementation that records nothing; see also ``recorder.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol, Self

from micrograde.store.mlmodel import ModelDescription
from micrograde.tracking.events import DatasetInput, Status


@dataclass(frozen=True)
class RunIds:
    """The ids of a run in the store.

    Attributes
    ----------
    run
        The run's number within the launch.
    registered
        The name and version of its model in the registry, such as ``trees version 3``; None without one.
    """

    run: int
    run_id: str
    experiment_id: str
    registered: str | None = None


class RunRecorder(Protocol):
    """The methods that training calls to record runs; ``Recorder`` describes them in full."""

    def start_run(
        self,
        *,
        experiment_name: str,
        run_name: str,
        params: Mapping[str, str],
        tags: Mapping[str, str],
        dataset: DatasetInput | None = None,
        parent: int | None = None,
    ) -> int:
        """Begin a run, nested under the run number ``parent`` if given; return the number of the new run."""

    def adopt_run(self, run_id: str, *, goes_on: bool = True) -> int:
        """Continue a run that is already in the store, or only add to it; return its number."""

    @property
    def running(self) -> frozenset[int]:
        """The numbers of the runs that have begun and have not ended."""

    def run_folder(self, run: int) -> Path | None:
        """Return the folder for the files to be stored with the run when it ends; None if none are stored."""

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Log the values of metrics at a step."""

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Log the values of several runs at a step; those of each metric are in the order of ``runs``."""

    def log_steps(
        self, runs: Sequence[int], steps: Sequence[int], values: Mapping[str, Sequence[Sequence[float]]]
    ) -> None:
        """Log the values of several runs at several steps; those of each metric are a list for each step."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """Set tags on a run."""

    def end_run(
        self, run: int, status: Status, model: ModelDescription | None = None, time: int | None = None
    ) -> None:
        """End a run, at ``time`` or now; ``model`` describes the model in its folder ``model``."""

    def log_model(
        self, run: int, *, source_run_id: str | None = None, registered_name: str | None = None
    ) -> None:
        """Make the model of an ended run one of MLflow's logged models; see ``ModelLogged``."""

    def wait(self) -> tuple[RunIds, ...]:
        """Wait until everything logged so far is in the store; return the runs' ids."""

    def close(self) -> tuple[RunIds, ...]:
        """End the launch; otherwise as ``wait``."""


class NullRecorder:
    """Records nothing (``tracking=disabled``)."""

    def __init__(self) -> None:
        self._numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None: ...

    def start_run(self, **description: object) -> int:  # noqa: ARG002
        """Return a new number, as callers identify runs by their numbers."""
        return next(self._numbers)

    def adopt_run(self, run_id: str, *, goes_on: bool = True) -> int:  # noqa: ARG002
        """Return a new number."""
        return next(self._numbers)

    @property
    def running(self) -> frozenset[int]:
        """Always empty."""
        return frozenset()

    def run_folder(self, run: int) -> Path | None:  # noqa: ARG002
        """Return None: no files are stored."""
        return None

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Do nothing."""

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Do nothing."""

    def log_steps(
        self, runs: Sequence[int], steps: Sequence[int], values: Mapping[str, Sequence[Sequence[float]]]
    ) -> None:
        """Do nothing."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """Do nothing."""

    def end_run(
        self, run: int, status: Status, model: ModelDescription | None = None, time: int | None = None
    ) -> None:
        """Do nothing."""

    def log_model(
        self, run: int, *, source_run_id: str | None = None, registered_name: str | None = None
    ) -> None:
        """Do nothing."""

    def wait(self) -> tuple[RunIds, ...]:
        """Return no ids, as nothing has been recorded."""
        return ()

    def close(self) -> tuple[RunIds, ...]:
        """Return no ids, as nothing has been recorded."""
        return ()
