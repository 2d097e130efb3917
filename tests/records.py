"""Two recorded runs that quick tests share, and a run, a table and a composer without a store."""

import dataclasses
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.homes import copy_home

from micrograde.config.parsing import parse_train_config
from micrograde.config.recipe_versions import RECIPE_VERSION
from micrograde.runs.live_run import RunRequest
from micrograde.runs.train import PreparedSets, open_recorder, train_runs
from micrograde.store import StoredRun, StoreLocation, local_store
from micrograde.store.records import RunAbout

STOPPED: dict[str, Any] = {
    "recipe_version": RECIPE_VERSION,
    "data": {"name": "moons", "samples": 100},
    "model": {"hidden_size": 4},
    "optimizer": {"name": "adam"},
    "schedule": {"name": "cosine"},
    "training": {"num_epochs": 8, "label_noise": 0.1},
    "tracking": {"name": "local", "pictures": "light"},
    "experiment_name": "unit",
    "seed": 3,
}
"""The recipe of the run that is stopped after 4 epochs, as YAML has it."""

TREES: dict[str, Any] = {
    **STOPPED,
    "data": {"name": "csv", "path": "trees.csv", "target": "kind"},
    "training": {"num_epochs": 20},
}
"""That of the run that has finished."""


def trees(rows: int = 60) -> pd.DataFrame:
    """A table of a number, categories that look like numbers, a truth value, and the class."""
    random = np.random.default_rng(1)
    kinds = random.choice(["oak", "fir"], rows)
    return pd.DataFrame(
        {
            "height": np.where(kinds == "oak", 20.0, 35.0) + random.normal(size=rows),
            "leaf": np.where(random.random(rows) < 0.9, np.where(kinds == "oak", "broad", "01"), "broad"),
            "wild": random.choice([True, False], rows),
            "kind": kinds,
        }
    )


@dataclass(frozen=True)
class Records:
    """A home in which two runs are recorded: one that has finished and one that was stopped.

    Attributes
    ----------
    folder
        Where they were started; ``trees.csv``, which the finished one was trained on, lies there.
    finished, killed
        Their run ids. The killed one was stopped after 4 of 8 epochs, and left a checkpoint.
    """

    home: Path
    folder: Path
    finished: str
    killed: str

    @property
    def location(self) -> StoreLocation:
        return local_store(self.home)

    def files(self, run_id: str) -> Path:
        """The folder of a run's files."""
        (folder,) = (self.home / "mlruns" / "artifacts").glob(f"*/{run_id}/artifacts")
        return folder

    def execute(self, statement: str, *values: object) -> None:
        """Change the store's rows."""
        assert self.location.database
        with closing(sqlite3.connect(self.location.database)) as store, store:
            store.execute(statement, values)

    def tag(self, run_id: str, key: str, value: str) -> None:
        """Set a tag of a run."""
        self.execute(
            "insert or replace into tags (key, value, run_uuid) values (?, ?, ?)", key, value, run_id
        )

    def set_status(self, run_id: str, status: str) -> None:
        """As if the run had ended like this, or were going on."""
        self.execute("update runs set status = ? where run_uuid = ?", status, run_id)

    def copied_to(self, home: Path) -> "Records":
        """A copy that can be changed."""
        return dataclasses.replace(self, home=copy_home(self.home, home))


class Unwatched:
    """Shows nothing of runs that train."""

    def epoch_ended(self, *told: object) -> None:
        """Nobody looks."""

    def run_ended(self, *told: object) -> None:
        """Nobody looks."""


def record(home: Path) -> Records:
    """Train and record the two runs in a home that has an empty store."""
    folder = home.parent
    trees().to_csv(folder / "trees.csv", index=False)
    finished, stopped = parse_train_config(TREES), parse_train_config(STOPPED)
    prepared, watch = PreparedSets(), Unwatched()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MICROGRADE_HOME", str(home))
        with open_recorder(stopped.tracking, None) as recorder:
            train_runs([RunRequest(finished, "finished")], recorder, prepared, watch)
            train_runs(
                [RunRequest(stopped, "stopped")],
                recorder,
                prepared,
                watch,
                cancel=lambda place, epoch, metrics: epoch == 4,  # noqa: ARG005
            )
            runs = recorder.close()
    return Records(home, folder, *(run.run_id for run in runs))


def stored_run(status: str = "FINISHED", artifact_uri: str = "", **changes: Any) -> StoredRun:
    """A run as a store that is not there would have it."""
    about = RunAbout("0123456789abcdef" * 2, "name", "unit", status, 1, 2, None)
    empty: dict[str, Any] = {"params": {}, "tags": {}, "history": {}}
    return StoredRun(about, artifact_uri=artifact_uri, **{**empty, **changes})
