"""Find the experiments of a store by name, and create those that do not exist."""

import shlex
import sys
from typing import TYPE_CHECKING

from micrograde.core.redaction import without_password
from micrograde.store.calls import Caller
from micrograde.store.local_addresses import experiment_folder, is_readable_by_mlflow
from micrograde.store.location import StoreLocation
from micrograde.store.server_files import check_address, shown_address

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


class Experiments:
    """The experiments that a launch writes to; the store is asked once for each."""

    def __init__(self, client: "MlflowClient", location: StoreLocation, make: Caller) -> None:
        self._client, self._location, self._make = client, location, make
        self._ids: dict[str, str] = {}

    def id_of(self, name: str) -> str:
        """Return the id of the experiment of this name, which is created if there is none.

        Raises
        ------
        ValueError
            If it takes no runs: see ``check_usable``.
        """
        if name not in self._ids:
            found = self._make(lambda: self._client.get_experiment_by_name(name))
            experiment: Experiment = found or self._make(lambda: self._create(name))
            about = (experiment.experiment_id, experiment.lifecycle_stage, experiment.artifact_location)
            check_usable(name, *about, self._location)
            self._ids[name] = experiment.experiment_id
        return self._ids[name]

    def _create(self, name: str) -> "Experiment":
        """Create an experiment, or return the one that another launch has created in the meantime."""
        from mlflow.exceptions import MlflowException

        kind = {"mlflow.experimentKind": "custom_model_development"}
        try:
            experiment_id = self._client.create_experiment(name, self._artifact_location(name), kind)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            existing = self._client.get_experiment_by_name(name)
            if existing is None:
                raise
            return existing
        return self._client.get_experiment(experiment_id)

    def _artifact_location(self, experiment_name: str) -> str | None:
        """Return the address of a folder in the local store; None for a server, which chooses its own."""
        root = self._location.artifact_root
        return (root / experiment_folder(experiment_name)).as_uri() if root else None


def check_usable(
    name: str, experiment_id: str, lifecycle_stage: str, artifact_location: str, location: StoreLocation
) -> None:
    """Raise ``ValueError``, with a line for the user, if an experiment takes no runs.

    That is so if it has been deleted, or if its files would be at an address where none are written. In a
    local store files are in ``mlruns/`` whatever the experiment's address is, as long as MLflow can derive
    the address of a run from it.
    """
    if lifecycle_stage == "deleted":
        raise ValueError(deleted_message(name, experiment_id, location))
    if not location.database:
        if artifact_location:  # else the address of each run is checked
            check_address(artifact_location, location, f"experiment_name={name}")
    elif not is_readable_by_mlflow(artifact_location):
        shown = shown_address(artifact_location)
        raise ValueError(
            f"experiment_name={name}: the store says that its files are at {shown}, which is not an address; "
            "choose another name"
        )


def deleted_message(name: str, experiment_id: str, location: StoreLocation) -> str:
    """Return the line about a deleted experiment, with the command that restores it and all its runs."""
    store = shlex.quote(without_password(location.tracking_uri))
    command = f"{shlex.quote(sys.executable)} -m mlflow experiments restore --experiment-id {experiment_id}"
    return (
        f"experiment_name={name}: was deleted in the store; choose another name, or restore it with: "
        f"MLFLOW_TRACKING_URI={store} {command}"
    )
