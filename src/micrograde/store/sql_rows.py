"""What a store does whose rows are written by SQL, whichever database has them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from micrograde.store.entities import LatestMetric, ModelRow, RunInfoRow, RunRow
from micrograde.store.events import DatasetInput
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.sql_connection import Batch
from micrograde.store.sql_models import SqlModels
from micrograde.store.sql_writer import Param, Point

if TYPE_CHECKING:
    from mlflow.entities import Metric, RunInfo

KNOWN_SCHEMAS: tuple[str, ...] = ("b7e2c1a4d9f3", "75868b020152", "dc11669786a5")
"""The schemas whose rows are written here: of MLflow 3.16, and of 3.17 on the way to it and there."""


class BatchLock:
    """The store's lock, and a batch of changes: what was written while it was held is durable at its end."""

    def __init__(self, lock: AbstractContextManager[object], batch: Batch) -> None:
        self._lock, self._batch = lock, batch

    def __enter__(self) -> Self:
        self._lock.__enter__()
        self._batch.open()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._batch.close()
        finally:
            self._lock.__exit__(None, None, None)


class SqlRows(MlflowStore):
    """A store of MLflow's whose rows are written by SQL; ``sql`` has the statements."""

    sql: SqlModels

    def runs_of(self, experiment_id: str, origin: str) -> list[RunRow]:
        """Return the runs with this origin, which may be a pattern for SQL's LIKE."""
        return self.sql.runs_of(experiment_id, origin)

    def finished_runs_of(self, experiment_id: str, sweep: str) -> list[RunRow]:
        """Return the FINISHED runs of a sweep, which is given by the id of its run."""
        return self.sql.finished_runs_of(experiment_id, sweep)

    def set_tags(self, run_id: str, given: Mapping[str, str]) -> None:
        """Set tags on a run."""
        self.sql.set_tags(run_id, given)

    def log_dataset(self, run_id: str, dataset: DatasetInput) -> None:
        """Make a data set an input of a run."""
        self.sql.log_dataset(run_id, dataset)

    def insert(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write params and values of metrics, as a part of the batch."""
        self.make(lambda: self.sql.write_rows(params, points))

    def models_of(self, run: "RunInfo | RunInfoRow") -> list[ModelRow]:
        """Return the logged models that a run has trained."""
        return self.sql.models_of(run.run_id, run.experiment_id)

    def log_output(self, run_id: str, model_id: str, step: int) -> None:
        """Add a logged model to a run's outputs."""
        self.sql.log_output(run_id, model_id, step)

    def finalize_model(self, model_id: str) -> None:
        """Mark a logged model as ready, once its files are on the disk."""
        self.keep_durable()
        self.sql.finalize_logged_model(model_id)

    def log_model_metrics(
        self, run_id: str, model_id: str, points: "Sequence[Metric | LatestMetric]"
    ) -> None:
        """Give a logged model points that its run has."""
        self.sql.log_metrics(run_id, model_id, points)
