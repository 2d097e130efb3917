"""Logged models in MLflow's SQLite file, as MLflow's client writes them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Metric

from micrograde.store.entities import LatestMetric, ModelRow, ModelStatus
from micrograde.store.errors import NotInStoreError
from micrograde.store.sql_client import SqlClient, below, new_id, now
from micrograde.store.sql_writer import LARGEST

_STATUS: dict[int, ModelStatus] = {0: "UNSPECIFIED", 1: "PENDING", 2: "READY", 3: "FAILED"}
_PENDING, _READY = 1, 2

_MODEL = "select model_id, experiment_id, artifact_location, status from logged_models"
_CREATE = """
    insert into logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
        last_updated_timestamp_ms, status, lifecycle_stage, source_run_id)
    values (?, ?, ?, ?, ?, ?, ?, 'active', ?)
    on conflict do nothing
"""
_CREATE_METRIC = """
    insert into logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step,
        metric_value, experiment_id, run_id)
    values (?, ?, ?, ?, ?, ?, ?)
    on conflict do nothing
"""
_CREATE_OUTPUT = """
    insert into inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
    values (?, 'RUN_OUTPUT', ?, 'MODEL_OUTPUT', ?, ?)
    on conflict do nothing
"""


class SqlModels(SqlClient):
    """Writes runs, experiments and logged models to MLflow's SQLite file."""

    def models_of(self, run_id: str, experiment_id: str) -> list[ModelRow]:
        """Return the models, not deleted, that a run has trained; the newest first."""
        with self._batch.change() as connection:
            found = connection.execute(
                f"{_MODEL} where source_run_id = ? and experiment_id = ? and lifecycle_stage != 'deleted' "
                "order by creation_timestamp_ms desc, model_id",
                (run_id, int(experiment_id)),
            ).fetchall()
        return [_model(row) for row in found]

    def get_logged_model(self, model_id: str) -> ModelRow:
        """Return a model that is not deleted."""
        with self._batch.change() as connection:
            found = connection.execute(
                f"{_MODEL} where model_id = ? and lifecycle_stage != 'deleted'", (model_id,)
            ).fetchone()
        if not found:
            raise NotInStoreError(f"there is no logged model {model_id}")
        return _model(found)

    def create_logged_model(
        self, experiment_id: str, name: str, source_run_id: str, *, params: Mapping[str, str]
    ) -> ModelRow:
        """Create a model whose files are still to come."""
        model_id, made_at = f"m-{new_id()}", now()
        experiment = self.get_experiment(experiment_id)
        address = below(experiment.artifact_location, "models", model_id, "artifacts")
        number = int(experiment_id)
        with self._batch.change() as connection:
            connection.execute(
                _CREATE, (model_id, number, name, address, made_at, made_at, _PENDING, source_run_id)
            )
            connection.executemany(
                "insert into logged_model_params (model_id, experiment_id, param_key, param_value) "
                "values (?, ?, ?, ?) on conflict do nothing",
                [(model_id, number, *param) for param in params.items()],
            )
        return ModelRow(model_id, experiment_id, address, "PENDING")

    def finalize_logged_model(self, model_id: str) -> None:
        """Mark a model as ready, when all its files are there."""
        with self._batch.change() as connection:
            connection.execute(
                "update logged_models set status = ?, last_updated_timestamp_ms = ? where model_id = ?",
                (_READY, now(), model_id),
            )

    def delete_logged_model(self, model_id: str) -> None:
        """Mark a model as deleted."""
        with self._batch.change() as connection:
            connection.execute(
                "update logged_models set lifecycle_stage = 'deleted', last_updated_timestamp_ms = ? "
                "where model_id = ?",
                (now(), model_id),
            )

    def log_output(self, run_id: str, model_id: str, step: int) -> None:
        """Add a model to the outputs of a run."""
        with self.active(run_id) as connection:
            connection.execute(_CREATE_OUTPUT, (new_id(), run_id, model_id, step))

    def log_metrics(self, run_id: str, model_id: str, points: "Sequence[Metric | LatestMetric]") -> None:
        """Give a model points that its run has; none of them is NaN."""
        with self.active(run_id) as connection:
            (experiment_id,) = connection.execute(
                "select experiment_id from runs where run_uuid = ?", (run_id,)
            ).fetchone()
            connection.executemany(
                _CREATE_METRIC,
                [
                    (model_id, point.key, point.timestamp, point.step,
                     max(-LARGEST, min(LARGEST, point.value)), experiment_id, run_id)
                    for point in points
                ],
            )  # fmt: skip


def _model(row: tuple[str, int, str, int]) -> ModelRow:
    model_id, experiment_id, address, status = row
    return ModelRow(model_id, str(experiment_id), address, _STATUS[status])
