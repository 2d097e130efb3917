"""The local store as MLflow's client writes to it: values by SQL, files in ``mlruns/``.

They are there whatever address the run's experiment has: experiments that MLflow creates have their files in
the folder where it was called, or in a bucket.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from micrograde.core.atomic_files import synchronise_all
from micrograde.core.waiting import PATIENCE, holder_of
from micrograde.store.experiments import check_local_address
from micrograde.store.local_addresses import (
    experiment_folder,
    folder_here,
    lies_here,
    local_path,
    set_address,
)
from micrograde.store.location import StoreLocation, StoreLock
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.sql_writer import Param, Point, write_to_sqlite
from micrograde.store.turns import TURN_SECONDS, Turns

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, RunInfo

    from micrograde.store.calls import Caller
    from micrograde.store.entities import ModelRow, RunInfoRow

_ROWS = 5_000  # written at once: some 50 ms


class StoreLockedError(Exception):
    """Another process holds the store's lock, which passes."""


class WriterLock:
    """The store's lock as a writer enters it: as patient as with a store that is away, and said like that."""

    def __init__(self, location: StoreLocation, make: "Caller") -> None:
        self._lock, self._make = StoreLock(location), make

    def __enter__(self) -> Self:
        self._make(self._enter)
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.__exit__(*exception)

    def _enter(self) -> None:
        if not self._lock.enter_within(PATIENCE):
            raise StoreLockedError(f"is locked by {holder_of(self._lock.path) or 'another process'}")


class LocalStore(MlflowStore):
    """The project's own SQLite file and its folder of files."""

    def make_turns(self) -> Turns:
        """Return the turns in which the SQLite file's lock is held."""
        return Turns(WriterLock(self.location, self.make), TURN_SECONDS)

    def experiment_address(self, name: str) -> str:
        """Return the address of a folder in ``mlruns/``."""
        return self._folder_of(name).as_uri()

    def check_experiment(self, name: str, address: str) -> None:
        """Raise ``ValueError`` if MLflow cannot derive the address of a run from the experiment's."""
        check_local_address(name, address)

    def check_run(self, run: "RunInfo | RunInfoRow") -> None:
        """Return: the files are in ``mlruns/`` whatever the address is."""

    def write_rows(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write rows by SQL, some thousands at once, and give others their turn in between."""
        # Those of a run lie together in two of the indices.
        of_runs = sorted(points, key=attrgetter("run_id"))
        for start in range(0, len(params), _ROWS):
            self.insert(params[start : start + _ROWS], ())
            self.turns.pass_on()
        for start in range(0, len(of_runs), _ROWS):
            self.insert((), of_runs[start : start + _ROWS])
            self.turns.pass_on()

    def insert(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write rows by SQL, in a transaction of their own."""
        self.make(lambda: write_to_sqlite(self.location.database, params, points))

    def keep_files(self, folder: Path, run: "RunInfo | RunInfoRow") -> None:
        """Move the files, as they are on the same disk."""
        if folder.exists() and any(folder.iterdir()):
            self.move_files(folder, run)

    def move_files(self, folder: Path, run: "RunInfo | RunInfoRow") -> None:
        """Move a folder that has files to where the run's are."""
        target = self.make(lambda: self.place_of(run))
        target.parent.mkdir(parents=True, exist_ok=True)
        _move_into(folder, target)

    def keep_durable(self) -> None:
        """Put the files on the disk, by one call for all."""
        synchronise_all([self.location.folder])

    def place_of(self, run: "RunInfo | RunInfoRow") -> Path:
        """Return the folder in ``mlruns/`` for a run's files, and correct an address that leads elsewhere."""
        folder = folder_here(run.artifact_uri, self.location)
        if folder is None:
            folder = self._of_experiment(run.experiment_id) / run.run_id / "artifacts"
        if not self._leads_here(run.artifact_uri):
            self.set_address("run", run.run_id, folder)
        return folder

    def has_files(self, run: "RunInfo | RunInfoRow") -> bool:
        """Return whether they are in ``mlruns/``."""
        return folder_here(run.artifact_uri, self.location) is not None

    def copy_folder(self, run: "RunInfo | RunInfoRow", name: str, to: Path) -> Path:
        """Copy it on this disk."""
        source = folder_here(run.artifact_uri, self.location)
        assert source
        return Path(shutil.copytree(source / name, to / name))

    def place_model(self, model: "LoggedModel | ModelRow") -> None:
        """Set the address of a new logged model to a folder in ``mlruns/``."""
        if not self._leads_here(model.artifact_location):
            models = self._of_experiment(model.experiment_id) / "models"
            self.set_address("logged model", model.model_id, models / model.model_id / "artifacts")

    def set_address(self, kind: Literal["run", "logged model"], key: str, folder: Path) -> None:
        """Set the address of a run's or a logged model's files to this folder."""
        set_address(self.location, kind, key, folder)

    def keeps_model_file(self, model: "LoggedModel | ModelRow") -> Callable[[str], None]:
        """Return the client's own function."""
        return partial(self.client.log_model_artifact, str(model.model_id))

    def _of_experiment(self, experiment_id: str) -> Path:
        """Return the folder that micrograde would have given the experiment."""
        return self._folder_of(self.client.get_experiment(experiment_id).name)

    def _folder_of(self, experiment_name: str) -> Path:
        assert self.location.artifact_root
        return self.location.artifact_root / experiment_folder(experiment_name)

    def _leads_here(self, address: str) -> bool:
        path = local_path(address)
        return path is not None and os.path.isabs(path) and lies_here(path, self.location)


def _move_into(source: Path, target: Path) -> None:
    """Move a file or a folder: at once if nothing is there, else what is in it, over files of that name."""
    if source.is_dir() and target.is_dir():
        for each in sorted(source.iterdir()):
            _move_into(each, target / each.name)
    elif target.exists():
        source.replace(target)
    else:
        shutil.move(source, target)  # copies it if that is on another disk
