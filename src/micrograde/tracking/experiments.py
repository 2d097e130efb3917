"""Experiments of a store by their names, made where there are none."""

from typing import TYPE_CHECKING

from micrograde.tracking.addresses import experiment_folder
from micrograde.tracking.deleted_experiments import deleted_message
from micrograde.tracking.retrying import Caller
from micrograde.tracking.store import StoreLocation

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


class Experiments:
    """The experiments that a launch writes to; each is asked for once."""

    def __init__(self, client: "MlflowClient", location: StoreLocation, make: Caller) -> None:
        self._client, self._location, self._make = client, location, make
        self._ids: dict[str, str] = {}

    def id_of(self, name: str) -> str:
        """The experiment of this name, made if there is none.

        Raises
        ------
        ValueError
            If it has been deleted.
        """
        if name not in self._ids:
            found = self._make(lambda: self._client.get_experiment_by_name(name))
            experiment: Experiment = found or self._make(lambda: self._create(name))
            if experiment.lifecycle_stage == "deleted":
                raise ValueError(deleted_message(name, experiment.experiment_id, self._location))
            self._ids[name] = experiment.experiment_id
        return self._ids[name]

    def _create(self, name: str) -> "Experiment":
        """A new experiment, or the one that another launch has made in the meantime."""
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
        """Of a local store; a server has a place of its own."""
        root = self._location.artifact_root
        return (root / experiment_folder(experiment_name)).as_uri() if root else None
