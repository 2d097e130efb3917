"""Move a run's files from the launch's folder to the store.

The files of a local store are in ``mlruns/``, whatever address the run's experiment has: experiments that
MLflow creates have their files in the folder where it was called, or in a bucket.
"""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.store.calls import Caller
from micrograde.store.local_addresses import (
    experiment_folder,
    folder_here,
    lies_here,
    local_path,
    set_address,
)
from micrograde.store.location import StoreLocation
from micrograde.store.server_files import open_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo


def keep_files(
    folder: Path,
    run: "RunInfo",
    client: "MlflowClient",
    location: StoreLocation,
    make: Caller,
) -> None:
    """Store all files of a folder with a run; files that were stored before are not changed.

    For a local store they are moved, as they are on the same disk. To a server they are sent one at a time,
    so that a failure does not cause the others to be sent again.
    """
    if not folder.exists():
        return
    if location.database:
        if any(folder.iterdir()):
            target = make(lambda: place_of_run(run, client, location))
            shutil.copytree(folder, target, dirs_exist_ok=True, copy_function=shutil.move)
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        return
    store = open_files(run.artifact_uri, location, f"run {run.run_id}")
    for path in files:
        inner = path.relative_to(folder).parent.as_posix()
        make(partial(store.log_artifact, str(path), None if inner == "." else inner))


def place_of_run(run: "RunInfo", client: "MlflowClient", location: StoreLocation) -> Path:
    """Return the folder in ``mlruns/`` where a local store keeps a run's files.

    The run's address in the store is corrected if it leads elsewhere.
    """
    folder = folder_here(run.artifact_uri, location)
    if folder is None:
        folder = _of_experiment(run.experiment_id, client, location) / run.run_id / "artifacts"
    if not _leads_here(run.artifact_uri, location):
        set_address(location, "run", run.run_id, folder)
    return folder


def place_model(model: "LoggedModel", client: "MlflowClient", location: StoreLocation) -> None:
    """Set the address of a new logged model to a folder in ``mlruns/``, if the store is a local one."""
    if location.database and not _leads_here(model.artifact_location, location):
        models = _of_experiment(model.experiment_id, client, location) / "models"
        set_address(location, "logged model", model.model_id, models / model.model_id / "artifacts")


def _of_experiment(experiment_id: str, client: "MlflowClient", location: StoreLocation) -> Path:
    """Return the folder that micrograde would have given the experiment."""
    assert location.artifact_root
    return location.artifact_root / experiment_folder(client.get_experiment(experiment_id).name)


def _leads_here(address: str, location: StoreLocation) -> bool:
    path = local_path(address)
    return path is not None and os.path.isabs(path) and lies_here(path, location)
