"""The model of a recorded run, found by what somebody types.

Of what the store has, only weights, preprocessing and recipe are read, as data; MLmodel, which names modules
to import, is not.
"""

from dataclasses import dataclass

import numpy as np

from micrograde import tags
from micrograde.analysis import StoredRun, load_run, load_sweeps
from micrograde.analysis.selection import Selection
from micrograde.analysis.stores import store_of
from micrograde.classifier import PREPROCESSING, WEIGHTS, Classifier, read_classifier
from micrograde.command_configs import AnyStore
from micrograde.config import TableData
from micrograde.errors import InputError
from micrograde.locations import store_location
from micrograde.run_files import contained, files_of, stored_recipe
from micrograde.tracking import recover

LATEST = "latest"
_FOLDER = "model"
_SHORTEST = 6  # signs of a run id


@dataclass(frozen=True)
class RecordedModel:
    """A run and the model that it has left.

    Attributes
    ----------
    target
        The column of the run's table that held the classes; None if it was trained on no table.
    notes
        A line for each thing to know before relying on it.
    """

    run: StoredRun
    classifier: Classifier
    target: str | None
    notes: tuple[str, ...] = ()


def find_model(run_id: str, where: AnyStore) -> RecordedModel:
    """The model of the run that is meant.

    Parameters
    ----------
    run_id
        Of a run, or the beginning of one (six signs or more); of a sweep, which means its best run; or
        ``latest``, the run that began last of those that have finished.

    Raises
    ------
    InputError
        If there is no such run, it has left no model, or none that is sound; in one line.
    """
    location = store_location(where)
    recover(location)
    run = _find_run(location.tracking_uri, run_id)
    name, status = f"run_id={run.about.run_id}", run.about.status
    with files_of(run, location, (_FOLDER, "config")) as files:
        if any(contained(files, f"{_FOLDER}/{each}") is None for each in (WEIGHTS, PREPROCESSING)):
            why = "is going on" if status == "RUNNING" else f"is {status}"
            raise InputError(f"{name}: has left no model; the run {why}")
        try:
            classifier = read_classifier(files / _FOLDER)
        except InputError as error:  # which names a folder that may be gone in a moment
            reason = str(error).removeprefix(f"{files / _FOLDER}: ")
            raise InputError(f"{name}: its {_FOLDER}/ {reason}") from None
        if not np.isfinite([*classifier.model.parameters, *classifier.model.statistics]).all():
            raise InputError(f"{name}: its weights are not all finite numbers; the run is {status}")
        notes = () if status == "FINISHED" else (f"the run is {status}: the model is what it had learned",)
        try:
            data = stored_recipe(files, run).data
        except InputError as error:
            return RecordedModel(run, classifier, None, (*notes, str(error)))
    return RecordedModel(run, classifier, data.target if isinstance(data, TableData) else None, notes)


def _find_run(uri: str, run_id: str) -> StoredRun:
    if run_id == LATEST:
        finished = store_of(uri).read_about(uri, Selection(status="FINISHED"))
        if not finished:
            raise InputError(f"run_id={LATEST}: no run has finished yet; make one with: make train")
        run_id = max(finished, key=lambda about: (about.start_time or 0, about.run_id)).run_id
    try:
        run = load_run(uri, run_id)
    except InputError:
        # Sweeps are not listed with runs; load_run finds them by their whole id only.
        if len(run_id) < _SHORTEST:
            raise
        sweeps = [each for each in load_sweeps(uri)["run_id"] if each.startswith(run_id)]
        if len(sweeps) != 1:
            raise
        run = load_run(uri, sweeps[0])
    if tags.SWEEP_DIGEST not in run.tags:
        return run
    if tags.BEST_RUN_ID not in run.tags:
        raise InputError(f"run_id={run.about.run_id}: is a sweep that has no best run; none has finished")
    return load_run(uri, run.tags[tags.BEST_RUN_ID], "best run of the sweep")
