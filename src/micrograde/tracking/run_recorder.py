"""What an experiment tells of its runs, and who listens: nobody, or the recorder of ``recorder.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol, Self

from micrograde.store.mlmodel import ModelDescription
from micrograde.tracking.events import DatasetInput, Status


@dataclass(frozen=True)
class RunIds:
    """A run as the store knows it; ``run`` is its number within the launch.

    ``registered`` is what its model has become in the registry, such as ``trees version 3``.
    """

    run: int
    run_id: str
    experiment_id: str
    registered: str | None = None


class RunRecorder(Protocol):
    """What the experiment tells of its runs."""

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
        """A run begins, under the run number ``parent``; its number, by which the other methods know it."""

    def adopt_run(self, run_id: str, *, goes_on: bool = True) -> int:
        """A run that the store has already goes on, or is only to be marked; its number."""

    @property
    def running(self) -> frozenset[int]:
        """The numbers of the runs that have begun and not ended."""

    def run_folder(self, run: int) -> Path | None:
        """What is in this folder when the run ends is kept with it; None where nothing is kept."""

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Values measured at a step."""

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Values of several runs at a step: each metric's in the order of ``runs``."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """More that is known of a run."""

    def end_run(
        self, run: int, status: Status, model: ModelDescription | None = None, time: int | None = None
    ) -> None:
        """A run is over, since ``time`` or now; ``model`` describes what is in its folder ``model``."""

    def log_model(
        self, run: int, *, source_run_id: str | None = None, registered_name: str | None = None
    ) -> None:
        """The model of a run that has ended is to be a logged model of MLflow's; see ``ModelLogged``."""

    def wait(self) -> tuple[RunIds, ...]:
        """Wait until everything told so far is in the store."""

    def close(self) -> tuple[RunIds, ...]:
        """As ``wait``, and nothing more will come."""


class NullRecorder:
    """Records nothing (``tracking=disabled``)."""

    def __init__(self) -> None:
        self._numbers = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None: ...

    def start_run(self, **description: object) -> int:  # noqa: ARG002
        """Numbers all the same, for whoever tells runs apart by them."""
        return next(self._numbers)

    def adopt_run(self, run_id: str, *, goes_on: bool = True) -> int:  # noqa: ARG002
        """There is none."""
        return next(self._numbers)

    @property
    def running(self) -> frozenset[int]:
        """None is known."""
        return frozenset()

    def run_folder(self, run: int) -> None:  # noqa: ARG002
        """Nothing is kept."""
        return

    def log_metrics(self, run: int, step: int, values: Mapping[str, float]) -> None:
        """Forget them."""

    def log_stack(self, runs: Sequence[int], step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Forget them."""

    def set_tags(self, run: int, tags: Mapping[str, str]) -> None:
        """Forget them."""

    def end_run(
        self, run: int, status: Status, model: ModelDescription | None = None, time: int | None = None
    ) -> None:
        """Forget it."""

    def log_model(
        self, run: int, *, source_run_id: str | None = None, registered_name: str | None = None
    ) -> None:
        """There is none."""

    def wait(self) -> tuple[RunIds, ...]:
        """Nothing has been recorded."""
        return ()

    def close(self) -> tuple[RunIds, ...]:
        """Nothing has been recorded."""
        return ()
