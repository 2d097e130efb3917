"""Find the experiments of a store by name, and create those that do not exist."""

import shlex
import sys
from typing import TYPE_CHECKING

from micrograde.core.redaction import without_password
from micrograde.store.local_addresses import is_readable_by_mlflow
from micrograde.store.location import StoreLocation
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.server_files import check_address, shown_address

if TYPE_CHECKING:
    from mlflow.entities import Experiment

    from micrograde.store.entities import ExperimentRow


class Experiments:
    """The experiments that a launch writes to; the store is asked once for each."""

    def __init__(self, store: MlflowStore) -> None:
        self._store, self._client, self._make = store, store.client, store.make
        self._ids: dict[str, str] = {}

    def id_of(self, name: str) -> str:
        """Return the id of the experiment of this name, which is created if there is none.

        Raises
        ------
        ValueError
            If it takes no runs: it has been deleted, or its files would be where none are written.
        """
        if name not in self._ids:
            found = self._make(lambda: self._client.get_experiment_by_name(name))
            experiment: Experiment | ExperimentRow = found or self._make(lambda: self._create(name))
            check_stage(name, experiment.experiment_id, experiment.lifecycle_stage, self._store.location)
            self._store.check_experiment(name, experiment.artifact_location)
            self._ids[name] = experiment.experiment_id
        return self._ids[name]

    def _create(self, name: str) -> "Experiment | ExperimentRow":
        """Create an experiment, or return the one that another launch has created in the meantime."""
        kind = {"mlflow.experimentKind": "custom_model_development"}
        try:
            experiment_id = self._client.create_experiment(name, self._store.experiment_address(name), kind)
        except Exception as error:
            if getattr(error, "error_code", None) != "RESOURCE_ALREADY_EXISTS":
                raise
            existing: Experiment | None = self._client.get_experiment_by_name(name)
            if existing is None:
                raise
            return existing
        made: Experiment | ExperimentRow = self._client.get_experiment(experiment_id)
        return made


def check_stage(name: str, experiment_id: str, lifecycle_stage: str, location: StoreLocation) -> None:
    """Raise ``ValueError``, with a line for the user, if an experiment has been deleted."""
    if lifecycle_stage == "deleted":
        raise ValueError(deleted_message(name, experiment_id, location))


def check_server_address(name: str, address: str, location: StoreLocation) -> None:
    """Raise ``ForeignAddressError`` if an experiment's files would be where the config does not allow it."""
    if address:  # else the address of each run is checked
        check_address(address, location, f"experiment_name={name}")


def check_local_address(name: str, address: str) -> None:
    """Raise ``ValueError`` if MLflow cannot derive a run's address from that of an experiment.

    Otherwise it may be any: the files are in ``mlruns/`` nevertheless.
    """
    if not is_readable_by_mlflow(address):
        raise ValueError(
            f"experiment_name={name}: the store says that its files are at {shown_address(address)}, which "
            "is not an address; choose another name"
        )


def deleted_message(name: str, experiment_id: str, location: StoreLocation) -> str:
    """Return the line about a deleted experiment, with the command that restores it and all its runs."""
    store = shlex.quote(without_password(location.tracking_uri))
    command = f"{shlex.quote(sys.executable)} -m mlflow experiments restore --experiment-id {experiment_id}"
    return (
        f"experiment_name={name}: was deleted in the store; choose another name, or restore it with: "
        f"MLFLOW_TRACKING_URI={store} {command}"
    )
