"""What MLflow's stores have in common while runs are written to them, and what each does in its way.

Runs are written by MLflow's client; ``sql_store`` has what the project's own store does by SQL instead.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.bounds import MOST_RUNS_OF_SERVER
from micrograde.store import tags
from micrograde.store.calls import Caller, at_once
from micrograde.store.events import DatasetInput
from micrograde.store.location import StoreLocation
from micrograde.store.sql_writer import Param, Point
from micrograde.store.turns import Turns

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Metric, Run, RunInfo

    from micrograde.store.entities import LatestMetric, ModelRow, RunInfoRow, RunRow
    from micrograde.store.sql_client import SqlClient

_PAGE = 1000  # runs that a server is asked for at once
_READY = "READY"


class MlflowStore(ABC):
    """A store that MLflow's client writes to, or what has its methods.

    Parameters
    ----------
    make
        Makes each call to the store, such as ``Retrying``.
    """

    def __init__(
        self, client: "MlflowClient | SqlClient", location: StoreLocation, make: Caller = at_once
    ) -> None:
        self.client: Any = client
        self.location, self.make = location, make
        self.turns = self.make_turns()
        """Held while the store is written; how much is written at a stretch is for it to say."""

    @abstractmethod
    def make_turns(self) -> Turns:
        """Return what is held while the store is written."""

    @abstractmethod
    def experiment_address(self, name: str) -> str | None:
        """Return the address of a new experiment's files; None if the store chooses its own."""

    @abstractmethod
    def check_experiment(self, name: str, address: str) -> None:
        """Raise ``ValueError`` if an experiment's files would be where none are written."""

    @abstractmethod
    def check_run(self, run: "RunInfo | RunInfoRow") -> None:
        """Raise ``ForeignAddressError`` if a run's files would be where none are written."""

    @abstractmethod
    def write_rows(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write params and values of metrics."""

    @abstractmethod
    def keep_files(self, folder: Path, run: "RunInfo | RunInfoRow") -> None:
        """Store all files of a folder, which may not exist, with a run; files stored before do not change."""

    def keep_durable(self) -> None:  # noqa: B027
        """Wait until all files that were stored are on the disk; by default the store sees to it."""

    # --- runs ------------------------------------------------------------------------------------

    def runs_of(self, experiment_id: str, origin: str) -> "list[Run] | list[RunRow]":
        """Return the runs with this origin, which may be a pattern for SQL's LIKE."""
        return self._select(experiment_id, f"tags.`{tags.ORIGIN}` LIKE '{origin}'")

    def finished_runs_of(self, experiment_id: str, sweep: str) -> "list[Run] | list[RunRow]":
        """Return the FINISHED runs of a sweep, which is given by the id of its run."""
        finished = f"tags.`{tags.PARENT}` = '{sweep}' and attributes.status = 'FINISHED'"
        return self._select(experiment_id, finished)

    def _select(self, experiment_id: str, condition: str) -> "list[Run]":
        """Return the runs of an experiment for which a condition of MLflow's holds."""
        found: list[Run] = []
        token: str | None = None
        before: set[str] = set()
        while token != "" and token not in before and len(before) < MOST_RUNS_OF_SERVER / _PAGE:
            before.add(token or "")
            page = self.client.search_runs([experiment_id], condition, max_results=_PAGE, page_token=token)
            found += page
            token = page.token or ""
        return found

    def set_tags(self, run_id: str, given: Mapping[str, str]) -> None:
        """Set tags on a run."""
        from mlflow.entities import RunTag

        self.client.log_batch(run_id, tags=[RunTag(*tag) for tag in given.items()])

    def log_dataset(self, run_id: str, dataset: DatasetInput) -> None:
        """Make a data set an input of a run."""
        from mlflow.entities import Dataset, InputTag
        from mlflow.entities import DatasetInput as Entity

        given = (dataset.name, dataset.digest, "local", dataset.source, dataset.schema, dataset.profile)
        context = InputTag("mlflow.data.context", "training")
        self.client.log_inputs(run_id, [Entity(Dataset(*given), [context])])

    # --- logged models ---------------------------------------------------------------------------

    def get_ready_to_register(self) -> None:  # noqa: B027
        """Do what takes long and needs no lock; by default there is nothing."""

    @contextmanager
    def registry(self) -> "Iterator[MlflowClient]":
        """Provide MLflow's client, for what is registered: that is MLflow's to write."""
        yield self.client

    def models_of(self, run: "RunInfo | RunInfoRow") -> "list[LoggedModel] | list[ModelRow]":
        """Return the logged models that a run has trained."""
        return list(self.client.search_logged_models([run.experiment_id], f"source_run_id = '{run.run_id}'"))

    def finalize_model(self, model_id: str) -> None:
        """Mark a logged model as ready."""
        self.client.finalize_logged_model(model_id, _READY)

    def log_output(self, run_id: str, model_id: str, step: int) -> None:
        """Add a logged model to a run's outputs."""
        from mlflow.entities import LoggedModelOutput

        self.client.log_outputs(run_id, [LoggedModelOutput(model_id, step)])

    def log_model_metrics(
        self, run_id: str, model_id: str, points: "Sequence[Metric | LatestMetric]"
    ) -> None:
        """Give a logged model points that its run has; those of a try whose answer was lost are there."""
        from mlflow.entities import Metric

        there = {(each.key, each.step) for each in self.client.get_logged_model(model_id).metrics or ()}
        metrics = [
            Metric(point.key, point.value, point.timestamp, point.step, model_id=model_id)
            for point in points
            if (point.key, point.step) not in there
        ]
        if metrics:
            self.client.log_batch(run_id, metrics=metrics)

    @abstractmethod
    def has_files(self, run: "RunInfo | RunInfoRow") -> bool:
        """Return whether the run's files are where they are read."""

    @abstractmethod
    def copy_folder(self, run: "RunInfo | RunInfoRow", name: str, to: Path) -> Path:
        """Copy one folder of the run's files into the folder ``to``; return the copy."""

    @abstractmethod
    def place_model(self, model: "LoggedModel | ModelRow") -> None:
        """Give a new logged model an address where its files may be; delete it if that cannot be."""

    @abstractmethod
    def keeps_model_file(self, model: "LoggedModel | ModelRow") -> Callable[[str], None]:
        """Return a function that adds a file, by its path, to a logged model."""
