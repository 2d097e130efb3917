"""A run's model as one of MLflow's logged models, and as a version of a registered one.

MLflow's *Models* page lists them. Both are made of what the run's folder ``model`` holds in the store, and
of a run each is made once.
"""

import math
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from micrograde.store.artifact_files import place_model
from micrograde.store.local_addresses import folder_here
from micrograde.store.location import StoreLocation
from micrograde.store.retrying import Caller
from micrograde.store.server_files import ForeignAddressError, check_address, open_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

_FOLDER = "model"
_NAME = "classifier"  # not as the folder, which MLflow would then list twice, and look for in another store
_READY: Final = "READY"
_PARAM_LENGTH = 5000  # characters that MLflow keeps of a logged model's param
_SHOWN = ("val/", "test/")  # metrics by which models are told apart


def log_model(
    client: "MlflowClient", location: StoreLocation, run_id: str, make: Caller, *, shown_with: str
) -> str | None:
    """The id of the run's logged model, which is made unless it is there.

    ``shown_with`` is a run that has it among its outputs, too. None if a local store has the run's files
    outside ``mlruns/``, where none are read.
    """
    run = make(lambda: client.get_run(run_id))
    whole = [each for each in make(lambda: _models_of(client, run)) if each.status == _READY]
    if not whole and location.database and folder_here(run.info.artifact_uri, location) is None:
        return None
    model_id = str(whole[0].model_id) if whole else _make_model(client, location, run, make)
    step = max((point.step for point in run.data._metric_objs), default=0)
    make(lambda: _show(client, run_id, model_id, step))  # last: an output cannot be taken back
    if shown_with != run_id:
        make(lambda: _show(client, shown_with, model_id, 0))
    return model_id


def register_model(client: "MlflowClient", run_id: str, model_id: str, name: str, make: Caller) -> int:
    """The version of the registered model ``name`` that is this run's; made unless it is there."""
    from mlflow.exceptions import MlflowException

    def create_name() -> None:
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def create_version() -> int:
        versions = client.search_model_versions(f"name='{name}' and run_id='{run_id}'")
        if versions:
            return int(versions[0].version)
        # Its place, not models:/<id>, which MLflow would look for in the store of its global variable.
        source = client.get_logged_model(model_id).artifact_location
        return int(client.create_model_version(name, source, run_id, model_id=model_id).version)

    make(create_name)
    version: int = make(create_version)
    return version


def _models_of(client: "MlflowClient", run: "Run") -> "list[LoggedModel]":
    return list(client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"))


def _make_model(client: "MlflowClient", location: StoreLocation, run: "Run", make: Caller) -> str:
    from mlflow.models import Model

    with tempfile.TemporaryDirectory() as folder:
        files = _copy_files(location, run, Path(folder), make)
        model = make(lambda: _begin(client, location, run))
        model_id = str(model.model_id)
        described = Model.load(files)
        described.model_id = model_id
        described.save(files / "MLmodel")
        log: Callable[[str], None] = partial(client.log_model_artifact, model_id)
        if not location.database:
            log = open_files(model.artifact_location, location, f"model {model_id}").log_artifact
        for path in sorted(files.iterdir()):
            make(partial(log, str(path)))
    make(lambda: _log_metrics(client, run, model_id))
    make(lambda: client.finalize_logged_model(model_id, _READY))
    return model_id


def _copy_files(location: StoreLocation, run: "Run", folder: Path, make: Caller) -> Path:
    """A copy of the run's folder ``model``.

    From a server file by file, so that one that fails is not a reason to ask for the others again, and not by
    the client, which takes every failure for a file that is not there.
    """
    if location.database:
        source = folder_here(run.info.artifact_uri, location)
        assert source
        return Path(shutil.copytree(source / _FOLDER, folder / _FOLDER))
    files = open_files(run.info.artifact_uri, location, f"run {run.info.run_id}")
    for file in make(lambda: files.list_artifacts(_FOLDER)):
        make(partial(files.download_artifacts, file.path, str(folder)))
    return folder / _FOLDER


def _begin(client: "MlflowClient", location: StoreLocation, run: "Run") -> "LoggedModel":
    """Make it, after what an attempt has left that came to no end."""
    for left in _models_of(client, run):
        client.delete_logged_model(left.model_id)
    params = {key: value[:_PARAM_LENGTH] for key, value in run.data.params.items()}
    model = client.create_logged_model(run.info.experiment_id, _NAME, run.info.run_id, params=params)
    if not location.database:
        try:
            check_address(model.artifact_location, location, f"model {model.model_id}")
        except ForeignAddressError:
            client.delete_logged_model(model.model_id)
            raise
    place_model(model, client, location)
    return model


def _show(client: "MlflowClient", run_id: str, model_id: str, step: int) -> None:
    """Have it among a run's outputs, unless it is."""
    from mlflow.entities import LoggedModelOutput

    outputs = client.get_run(run_id).outputs
    if model_id not in {each.model_id for each in (outputs.model_outputs if outputs else [])}:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, step)])


def _log_metrics(client: "MlflowClient", run: "Run", model_id: str) -> None:
    """Tell the model the run's last values: the same points, which the run has already.

    But for those that are NaN: of a model MLflow lists them as 0.0, which of a loss is the best there is.
    """
    from mlflow.entities import Metric

    points = [
        Metric(point.key, point.value, point.timestamp, point.step, model_id=model_id)
        for point in run.data._metric_objs
        if point.key.startswith(_SHOWN) and not math.isnan(point.value)
    ]
    if points:
        client.log_batch(run.info.run_id, metrics=points)
