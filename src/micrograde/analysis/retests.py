"""Retests: the best settings of a sweep on fresh seeds, beside what the sweep itself said of them.

What a sweep says of its best is too good: the best was chosen because it looked best, luck included. Runs on
seeds that took no part have no such luck, so that their mean on the test part is what may be reported.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from micrograde.analysis.comparing import best_run, known_metric, told_apart, usual_metric
from micrograde.analysis.loading import load_runs
from micrograde.analysis.repeats import of_settings, split_retests
from micrograde.analysis.summary import best_first, summarize
from micrograde.core.errors import InputError
from micrograde.metrics import KEPT, part_of
from micrograde.store.stored_sweeps import find_sweep

if TYPE_CHECKING:
    import pandas as pd

FILE = "retest.csv"
"""The table of retests in a sweep's report."""


def load_retest(tracking_uri: str, sweep: str = "latest", *, metric: str | None = None) -> "pd.DataFrame":
    """Return the retests of a sweep that was run with ``sweep.retest``, a row for each setting.

    The setting that the sweep ranked best comes first; no order is by a value of the test part.

    Columns
    -------
    the params that were varied
        But for seeds, splits and folds.
    metric
        The metric of the test part, such as ``kept/test/accuracy``.
    count, failed
        int64: the runs on fresh seeds that finished, and the others.
    mean, std, ci_low, ci_high
        float64: of these, with the 95 % interval of the mean by Student's t.
    sweep_mean, sweep_count
        The same mean over the sweep's own runs of the setting, and how many these are.
    winner
        The value of the one of these that the sweep ranked best, of any seed the luckiest.

    Parameters
    ----------
    sweep
        ``latest``, a run id or the beginning of one, or a name; see ``find_sweep``.
    metric
        What the sweep was ranked by; None for the accuracy or the RMSE of the kept models.

    Raises
    ------
    InputError
        If there is no such sweep, it has no retests, or they have no test part.
    """
    found = find_sweep(tracking_uri, sweep)
    runs, retests = split_retests(load_runs(tracking_uri, sweep=found.run_id, retests=True))
    return retests_of(runs, retests, found.varies, metric or usual_metric(runs))


def retests_of(
    runs: "pd.DataFrame", retests: "pd.DataFrame", varies: Sequence[str], metric: str, order: str = "auto"
) -> "pd.DataFrame":
    """Return the frame of ``load_retest`` for runs that have been read, parted by ``split_retests``.

    Raises
    ------
    InputError
        If there are no retests, no run has the metric, or none has it of a test part.
    """
    if retests.empty:
        raise InputError("the sweep has no runs on fresh seeds; give its command again with sweep.retest=20")
    known_metric(runs, metric)
    test = metric_of_test_part(runs, metric)
    if test is None:
        raise InputError(no_test_part(metric))
    by = of_settings(told_apart(runs, varies))
    ranked = summarize(runs, by, metric, order)
    ranked = ranked.iloc[best_first(ranked)].reset_index(drop=True)
    own, fresh = summarize(runs, by, test, order), summarize(retests, by, test, order)
    fresh_of = {_key(row): number for number, row in enumerate(fresh[by].to_numpy(object).tolist())}
    own_of = {_key(row): number for number, row in enumerate(own[by].to_numpy(object).tolist())}
    keys = [_key(row) for row in ranked[by].to_numpy(object).tolist()]
    rows = [row for row, key in enumerate(keys) if key in fresh_of]
    fresh = fresh.iloc[[fresh_of[keys[row]] for row in rows]].reset_index(drop=True)
    own = own.iloc[[own_of[keys[row]] for row in rows]].reset_index(drop=True)
    ranked = ranked.iloc[rows].reset_index(drop=True)
    table = ranked[by].copy()
    table["metric"] = test
    for name in ("count", "failed", "mean", "std", "ci_low", "ci_high"):
        table[name] = fresh[name]
    table["sweep_mean"], table["sweep_count"] = own["mean"], own["count"]
    values = runs.set_index("run_id")[test]
    table["winner"] = [
        np.nan if run_id is None or run_id != run_id else float(values[run_id])
        for run_id in ranked["best_run_id"].tolist()
    ]
    return table


def metric_of_test_part(runs: "pd.DataFrame", metric: str) -> str | None:
    """Return the metric of the kept model's test part that belongs to ``metric``; None if no run has one."""
    short = metric.removeprefix(f"{part_of(metric)}/") if part_of(metric) else metric
    named = (f"{KEPT}test/{short}", f"test/{short}")
    return next((name for name in named if name in runs and runs[name].notna().any()), None)


def no_test_part(metric: str) -> str:
    """Return why there is nothing to retest by."""
    return f"no run has the metric {metric} on a test part; data.test_fraction=0.1 keeps one"


def winner_of(runs: "pd.DataFrame", metric: str, order: str) -> float | None:
    """Return the test part's value of the run that the sweep ranked best; None if there is none."""
    test, run_id = metric_of_test_part(runs, metric), best_run(runs, metric, order)
    if test is None or run_id is None:
        return None
    value = float(runs.set_index("run_id").loc[run_id, test])  # type: ignore[arg-type]
    return None if np.isnan(value) else value


def _key(values: Sequence[object]) -> tuple[str, ...]:
    """Return what tells a setting from others; missing values are equal to each other."""
    return tuple("null" if value is None or value != value else repr(value) for value in values)
