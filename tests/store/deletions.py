"""A local store in which MLflow's own client makes and deletes what `micrograde gc` is to remove."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from micrograde.store import StoreLocation
from micrograde.store.garbage import Garbage, find_garbage
from micrograde.store.given_tables import table_file
from micrograde.store.removing import Removed, remove

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass
class Deletions:
    """What a test does in MLflow's pages, and what `gc` does then."""

    location: StoreLocation
    names: dict[str, str] = field(default_factory=dict)

    @cached_property
    def client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient(self.location.tracking_uri)

    def experiment(self, name: str) -> str:
        """The id of an experiment that has its files in mlruns."""
        if name not in self.names:
            assert self.location.artifact_root
            self.names[name] = self.client.create_experiment(
                name, (self.location.artifact_root / name).as_uri()
            )
        return self.names[name]

    def run(
        self,
        experiment: str = "digits",
        params: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        metrics: dict[str, float] | None = None,
        status: str = "FINISHED",
        deleted: bool = False,
    ) -> str:
        """The id of a run with a file."""
        run = self.client.create_run(self.experiment(experiment), tags=tags or {})
        run_id: str = run.info.run_id
        for key, value in (params or {}).items():
            self.client.log_param(run_id, key, value)
        for key, number in (metrics or {}).items():
            self.client.log_metric(run_id, key, number)
        self.files(run_id).mkdir(parents=True)
        (self.files(run_id) / "config.yaml").write_text("seed: 1")
        if status != "RUNNING":
            self.client.set_terminated(run_id, status)
        if deleted:
            self.client.delete_run(run_id)
        return run_id

    def model(self, run: str, experiment: str = "digits") -> str:
        """The id of a logged model of a run."""
        model = self.client.create_logged_model(self.experiment(experiment), "classifier", run)
        folder = Path(unquote(model.artifact_location.removeprefix("file://")))
        folder.mkdir(parents=True)
        (folder / "MLmodel").write_text("flavors: {}")
        return str(model.model_id)

    def files(self, run: str) -> Path:
        return Path(unquote(self.client.get_run(run).info.artifact_uri.removeprefix("file://")))

    def table(self, letter: str) -> str:
        """The digest of a table in mlruns/data."""
        file = table_file(self.location, letter * 64)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"PAR1")
        return letter * 64

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.location.database)) as store, store:
            return store.execute(statement, values).fetchall()

    def address(self, run: str, address: str) -> None:
        self.execute("update runs set artifact_uri = ? where run_uuid = ?", address, run)

    def find(self, *given: Any) -> Garbage:
        return find_garbage(self.location, *given)

    def going(self, *given: Any) -> set[str]:
        return {run.key for run in self.find(*given).runs}

    def remove(self) -> Removed:
        return remove(self.location, self.find(), self.find)

    def left(self) -> dict[str, Any]:
        """All rows that name a run, a model or an experiment, and all files but the database."""
        rows = {
            table: sorted(map(repr, self.execute(f"select * from {table}")))
            for table in (
                "experiments", "runs", "tags", "params", "metrics", "latest_metrics", "inputs", "logged_models",
                "logged_model_metrics", "logged_model_params", "model_versions", "trace_info", "trace_tags",
            )
        }  # fmt: skip
        folder = self.location.folder
        files = sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.name[:6] != "mlflow"
        )
        return {**rows, "files": [name for name in files if not os.fspath(folder / name).endswith(".lock")]}
