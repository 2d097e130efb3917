"""Make a run's model one of MLflow's logged models, and a version of a registered model.

MLflow's *Models* page lists them. Both are made from the run's folder ``model`` in the store, once for each
run.
"""

import math
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from micrograde.metrics import KEPT
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.mlmodel import set_model_id

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run

    from micrograde.store.entities import ModelRow, RunRow

_FOLDER = "model"
_NAME = "classifier"  # not the folder's name: MLflow would list the folder twice, and look in another store
_READY: Final = "READY"
_PARAM_LENGTH = 5000  # characters that MLflow keeps of a logged model's param
_OF_MODEL = (KEPT,)  # the metrics that models are compared by
_OF_EARLIER = ("val/", "test/")  # of runs that recorded none of the kept model


def log_model(store: MlflowStore, run_id: str, *, shown_with: str) -> str | None:
    """Return the id of the run's logged model, which is created if there is none.

    None if a local store has the run's files outside ``mlruns/``, where files are not read.

    Parameters
    ----------
    shown_with
        The id of another run that lists the model among its outputs, such as the sweep; or ``run_id``.
    """
    client, make = store.client, store.make
    run = make(lambda: client.get_run(run_id))
    whole = [each for each in make(lambda: store.models_of(run.info)) if each.status == _READY]
    if not whole and not store.has_files(run.info):
        return None
    model_id = str(whole[0].model_id) if whole else _make_model(store, run)
    step = max((point.step for point in run.data._metric_objs), default=0)
    make(lambda: _show(store, run_id, model_id, step))  # last: an output cannot be removed again
    if shown_with != run_id:
        make(lambda: _show(store, shown_with, model_id, 0))
    return model_id


def register_model(store: MlflowStore, run_id: str, model_id: str, name: str) -> int:
    """Return this run's version of the registered model ``name``, which is created if there is none."""
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
        # The address, not models:/<id>, which MLflow would look up in its global tracking store.
        source = client.get_logged_model(model_id).artifact_location
        return int(client.create_model_version(name, source, run_id, model_id=model_id).version)

    with store.registry() as client:
        store.make(create_name)
        version: int = store.make(create_version)
    return version


def _make_model(store: MlflowStore, run: "Run | RunRow") -> str:
    make = store.make
    with tempfile.TemporaryDirectory() as folder:
        files = store.copy_folder(run.info, _FOLDER, Path(folder))
        model = make(lambda: _begin(store, run))
        model_id = str(model.model_id)
        set_model_id(files / "MLmodel", model_id)
        log = store.keeps_model_file(model)
        for path in sorted(files.iterdir()):
            make(partial(log, str(path)))
    make(lambda: _log_metrics(store, run, model_id))
    make(lambda: store.finalize_model(model_id))
    return model_id


def _begin(store: MlflowStore, run: "Run | RunRow") -> "LoggedModel | ModelRow":
    """Create the run's logged model, after deleting what an unfinished attempt has left."""
    client = store.client
    for left in store.models_of(run.info):
        client.delete_logged_model(left.model_id)
    params = {key: value[:_PARAM_LENGTH] for key, value in run.data.params.items()}
    model: LoggedModel | ModelRow = client.create_logged_model(
        run.info.experiment_id, _NAME, run.info.run_id, params=params
    )
    store.place_model(model)
    return model


def _show(store: MlflowStore, run_id: str, model_id: str, step: int) -> None:
    """Add the model to a run's outputs, unless it is there already."""
    outputs = store.client.get_run(run_id).outputs
    if model_id not in {each.model_id for each in (outputs.model_outputs if outputs else [])}:
        store.log_output(run_id, model_id, step)


def _log_metrics(store: MlflowStore, run: "Run | RunRow", model_id: str) -> None:
    """Give the model the last values of the run's metrics, as the same points that the run has.

    NaN is left out: MLflow lists it as 0.0 for a model, which would be the best possible loss.
    """
    recorded = run.data._metric_objs
    shown = _OF_MODEL if any(point.key.startswith(KEPT) for point in recorded) else _OF_EARLIER
    points = [point for point in recorded if point.key.startswith(shown) and not math.isnan(point.value)]
    if points:
        store.log_model_metrics(run.info.run_id, model_id, points)
