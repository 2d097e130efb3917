"""Runs as a data frame, read from the store in a few queries."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from micrograde.analysis.conditions import keep_where
from micrograde.analysis.joining import joined
from micrograde.analysis.kept_values import read_runs
from micrograde.store.readers import store_of
from micrograde.store.records import Selection
from micrograde.store.stored_sweeps import find_sweep

if TYPE_CHECKING:
    import pandas as pd


def load_runs(
    tracking_uri: str,
    *,
    experiment_name: str | None = None,
    status: str | None = None,
    where: Sequence[str] = (),
    sweep: str | None = None,
    retests: bool = False,
) -> "pd.DataFrame":
    """Return all runs of a store, newest first, one row for each run.

    The parent run of a sweep is not a row, and an attempt that was killed and run again is left out.

    Columns
    -------
    run_id, run_name, experiment_name, status
        Text.
    start_time
        UTC.
    duration
        Seconds; missing while a run is going on.
    parent_run_id
        The id of the sweep that the run belongs to; missing for a single run.
    optimizer.learning_rate and the other params
        Integer, float, boolean or text, whichever fits the values of all runs; missing where a run has none.
    kept/val/accuracy, val/accuracy and the other metrics
        The last value of each. ``kept/*`` are those of the model that is kept; see ``kept_values`` for runs
        that were recorded before these were.
    tags.micrograde.config_digest and the other tags of micrograde, tags.team and the other tags of a user
        Text; missing where a run has none. MLflow's own tags are left out.

    Parameters
    ----------
    tracking_uri
        A SQL store (``sqlite:///...``), which is read directly, or a tracking server (``http://...``), which
        is read through MLflow's client. Both give the same frame.
    where
        Conditions such as ``optimizer.learning_rate>=0.1``; see ``conditions``.
    sweep
        Only the runs of one sweep: ``latest``, a run id or the beginning of one, or a name; see
        ``find_sweep``.
    retests
        Whether the runs of ``sweep`` include those on fresh seeds, which repeat some of its settings when it
        is over (``sweep.retest``); their tag ``micrograde.retest`` is ``true``. Without ``sweep`` they always
        do.

    Raises
    ------
    InputError
        If a condition cannot be read or names a column that no run has, there is no such sweep, or the
        store cannot be read.
    """
    parent = None
    if sweep is not None:
        parent = find_sweep(tracking_uri, sweep, experiment_name=experiment_name).run_id
    # Select in the store, so that the columns and their types are those of the selected runs.
    selection = Selection(experiment_name, status, parent, retests=retests or sweep is None)
    runs = joined(read_runs(tracking_uri, selection))
    return keep_where(runs, where).reset_index(drop=True)


def list_run_ids(tracking_uri: str) -> list[str]:
    """Return the ids of all runs that ``load_runs`` reads from a store, in no particular order."""
    return [about.run_id for about in store_of(tracking_uri).read_about(tracking_uri, Selection())]
