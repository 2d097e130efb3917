"""Every value of every metric of many runs, as one long data frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from micrograde.analysis.joining import infinities
from micrograde.core.errors import InputError
from micrograde.store.left_out import LeftOut
from micrograde.store.readers import store_of
from micrograde.store.records import Selection
from micrograde.store.run_ids import BEGINNING, find_run_ids
from micrograde.store.stored_sweeps import LATEST, find_sweep

if TYPE_CHECKING:
    import pandas as pd


def load_history(
    tracking_uri: str,
    *,
    run_ids: Sequence[str] | None = None,
    experiment_name: str | None = None,
    sweep: str | None = None,
    metrics: Sequence[str] | None = None,
) -> "pd.DataFrame":
    """Return all values of all metrics of the runs, one row for each value.

    Rows are sorted by run (in the order they started), metric and step; several values of one step by value.
    Runs that ``load_runs`` leaves out are left out here, too, unless ``run_ids`` names them.

    Columns
    -------
    run_id
        Categorical; the categories are all selected runs, in the order they started.
    metric
        Categorical, such as ``val/loss``.
    step
        int64; the epoch, or of ``step/train/loss`` and so on, which ``training.log_every`` logs, the step of
        the optimizer.
    value
        float64; NaN and infinities as they were measured.

    Parameters
    ----------
    tracking_uri
        As for ``load_runs``. A SQL store is read with one query; a server is asked for each metric of each
        run, which takes a few milliseconds each.
    run_ids
        Only these runs: their ids, the beginnings of ids, or ``latest``; see ``find_run_ids``.
    sweep
        Only the runs of one sweep; see ``find_sweep``.
    metrics
        Only these metrics.

    Raises
    ------
    InputError
        If there is no such run or sweep, or the store cannot be read.
    ValueError
        If ``run_ids`` is given together with ``experiment_name`` or ``sweep``.
    """
    import pandas as pd

    if run_ids is not None and (experiment_name is not None or sweep is not None):
        raise ValueError("run_ids choose the runs already; leave out experiment_name and sweep")
    parent = None
    if sweep is not None:
        parent = find_sweep(tracking_uri, sweep, experiment_name=experiment_name).run_id
    named = None
    if run_ids is not None:
        for run_id in run_ids:
            if run_id != LATEST and not BEGINNING.fullmatch(run_id):
                raise InputError(f"run_ids: there is no run {run_id}")
        named = tuple(dict.fromkeys(find_run_ids(tracking_uri, list(run_ids), "run_ids")))
    selection = Selection(experiment_name, None, parent, named, retests=sweep is None)
    store = store_of(tracking_uri)
    about = store.read_about(tracking_uri, selection)
    about.sort(key=lambda run: (run.start_time or 0, run.run_id))
    run_codes = {run.run_id: code for code, run in enumerate(about)}
    for run_id in named or ():
        if run_id not in run_codes:
            raise InputError(f"run_ids: there is no run {run_id}")

    metric_codes: dict[str, int] = {}
    parts: tuple[list[np.ndarray], ...] = ([], [], [], [])
    left_out = LeftOut(named=named is not None)
    for rows in store.read_points(tracking_uri, selection, metrics, left_out):
        if not rows:
            continue
        ids, names, steps, values = zip(*rows, strict=True)
        codes = [metric_codes.setdefault(name, len(metric_codes)) for name in names]
        # -1: a run that has started since the runs were read
        parts[0].append(np.array([run_codes.get(run_id, -1) for run_id in ids], np.int32))
        parts[1].append(np.array(codes, np.int32))
        parts[2].append(np.array(steps, np.int64))
        parts[3].append(np.array(values, np.float64))  # None becomes NaN
    left_out.say()
    types = (np.int32, np.int32, np.int64, np.float64)
    run, metric, step, value = (
        np.concatenate([np.array([], dtype), *part]) for part, dtype in zip(parts, types, strict=True)
    )
    gone = [run_codes.pop(run_id) for run_id in left_out.reasons if run_id in run_codes]
    if gone:  # drop these runs and renumber the others without gaps
        code_of = np.full(len(about) + 1, -1, np.int32)  # the last entry maps the code -1 to itself
        code_of[list(run_codes.values())] = np.arange(len(run_codes))
        run = code_of[run]
    infinities(value)
    ordered = sorted(metric_codes)
    rank = np.empty(len(ordered), np.int32)
    rank[[metric_codes[name] for name in ordered]] = np.arange(len(ordered), dtype=np.int32)
    metric = rank[metric]
    order = np.lexsort((value, step, metric, run))
    order = order[np.searchsorted(run[order], 0) :]
    return pd.DataFrame(
        {
            "run_id": pd.Categorical.from_codes(run[order], pd.Index(list(run_codes), dtype="str")),
            "metric": pd.Categorical.from_codes(metric[order], pd.Index(ordered, dtype="str")),
            "step": step[order],
            "value": value[order],
        }
    )
