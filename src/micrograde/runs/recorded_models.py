"""Find and read the model of a recorded run, by the id that a user types.

Only weights, preprocessing and recipe are read from the store, as data. MLmodel is not read, as it names
modules to import.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from micrograde.config.locations import store_location
from micrograde.core.errors import InputError
from micrograde.core.working import working
from micrograde.data.sets.tables import Table
from micrograde.models.ensemble import MANIFEST, Ensemble, read_model
from micrograde.models.trained_network import PREPROCESSING, WEIGHTS, TrainedNetwork
from micrograde.runs.files import contained, files_of, stored_recipe
from micrograde.store import Backend, StoredRun, find_run, load_run, tags
from micrograde.tracking import recover

MODEL = "model"
"""The folder of a run's model among its files."""


@dataclass(frozen=True)
class RecordedModel:
    """A recorded run and its trained model.

    Attributes
    ----------
    targets
        The columns of the run's table with what it learned; none if it was not trained on a table.
    notes
        What to know before relying on the model, a line each.
    header
        Whether the first row of the table held the names of its columns; None if that was found out.
    """

    run: StoredRun
    network: TrainedNetwork
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()
    header: bool | int | None = None

    @property
    def target(self) -> str | None:
        """The column that held the classes; None if there was none."""
        return self.targets[0] if self.targets else None


def find_model(run_id: str, where: Backend, *, ensembles: bool = False) -> RecordedModel:
    """Find a run and read its model.

    Parameters
    ----------
    run_id
        As in ``find_run``: the id of a run or its beginning, a sweep's id for the run in the middle of its
        best setting, or ``latest``.

    ensembles
        Whether the model of a sweep is its ensemble, if it has one.

    Raises
    ------
    InputError
        If there is no such run, or it has no model, or a damaged one; the message is one line.
    """
    location = store_location(where)
    with working("looking for the run", "nowhere"):
        recover(location)
        run = load_run(location.tracking_uri, run_id)
        if not (ensembles and tags.ENSEMBLE in run.tags):
            run = find_run(location.tracking_uri, run_id)
    status = run.about.status
    with files_of(run, location, (MODEL, "config")) as files:
        network = read_model_of(files, run)
        notes = () if status == "FINISHED" else (f"the run is {status}: the model is what it had learned",)
        if isinstance(network, Ensemble):
            said = f"an ensemble of {len(network.members)} runs, whose answers are averaged"
            return RecordedModel(run, network, network.facts.targets, (said,), network.facts.header)
        try:
            data = stored_recipe(files, run).data
        except InputError as error:
            return RecordedModel(run, network, (), (*notes, str(error)))
    header = data.header if isinstance(data, Table) else None
    return RecordedModel(run, network, data.target_columns, notes, header)


def read_model_of(files: Path, run: StoredRun, key: str = "run_id") -> TrainedNetwork:
    """Read the model among a run's files.

    Raises
    ------
    InputError
        If there is none, it is damaged, or its weights are not finite; the message is one line and begins
        with ``key``, which is what the user typed.
    """
    name, status = f"{key}={run.about.run_id}", run.about.status
    lacks_network = any(contained(files, f"{MODEL}/{each}") is None for each in (WEIGHTS, PREPROCESSING))
    if lacks_network and contained(files, f"{MODEL}/{MANIFEST}") is None:
        why = "is going on" if status == "RUNNING" else f"is {status}"
        raise InputError(f"{name}: has left no model; the run {why}")
    try:
        network = read_model(files / MODEL)
    except InputError as error:  # whose message names a folder that may be temporary
        reason = str(error).removeprefix(f"{files / MODEL}: ")
        raise InputError(f"{name}: its {MODEL}/ {reason}") from None
    networks = network.members if isinstance(network, Ensemble) else (network,)
    if not all(np.isfinite([*each.model.parameters, *each.model.statistics]).all() for each in networks):
        raise InputError(f"{name}: its weights are not all finite numbers; the run is {status}")
    return network
