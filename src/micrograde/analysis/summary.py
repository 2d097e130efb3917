"""Summarize runs grouped by some of their parameters: mean, spread, confidence interval, best run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.comparing import ascending, known_metric, order_settings
from micrograde.analysis.paired_differences import step_of
from micrograde.analysis.ranking import loss_beside, rank
from micrograde.analysis.repeated_rows import Repetition, repetition_of
from micrograde.analysis.repeats import counted
from micrograde.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def summarize(runs: "pd.DataFrame", by: Sequence[str], metric: str, order: str = "auto") -> "pd.DataFrame":
    """Group the runs by equal values of ``by`` and return one row for each group, best mean first.

    Ties are broken by the lower mean of the loss, then by the parameters. Only runs that finished and have
    the metric are measured: the last values of a run that diverged are not a result; of these, retests
    (``sweep.retest``) only where there are no other runs. A missing parameter is a value like any other.

    Columns
    -------
    the parameters ``by``
        As they are in ``runs``.
    count, failed
        int64: the finished runs with a value, and all others.
    mean, std
        float64; std is the sample standard deviation, NaN for a single run.
    ci_low, ci_high
        The 95 % confidence interval of the mean, by Student's t; NaN for a single run, and for runs that
        are all alike: that a few small parts came out the same is no proof that the next one does. Of values
        that come in steps the deviation counts for half a step at least, as in ``paired_differences``. Where
        splits or folds vary, each of them is one observation, and as their training sets overlap the
        variance is that of Nadeau and Bengio, see ``paired_differences``; of data that are drawn anew it is
        the usual one.
    best, best_run_id
        The best value and its run (ties: the lower loss, then the lower seed); missing if no run of the
        group has a value.
    run_ids
        A list: the ids of all runs of the group, in the order of ``runs``.

    Parameters
    ----------
    runs
        As returned by ``load_runs``.
    by
        Names of columns; if empty, all runs are one group.
    order
        ``ascending``, ``descending``, or ``auto``: ascending for losses and errors, descending
        for accuracies.

    Raises
    ------
    InputError
        If no run has the metric, or a column of ``by`` is missing.
    """
    import pandas as pd

    runs = counted(runs, by)
    for name in by:
        if name not in runs:
            raise InputError(f"by={name}: no run has it")
    column = known_metric(runs, metric)
    group, first = _groups(runs, by)
    groups = len(first)
    values = np.where(runs["status"] == "FINISHED", runs[column].astype("float64"), np.nan)
    has = ~np.isnan(values)
    count = np.bincount(group[has], minlength=groups)
    with np.errstate(divide="ignore", invalid="ignore"):  # groups of none or one, and infinite values
        mean = _means(values, has, group, groups)
        squares = np.bincount(group[has], (values[has] - mean[group[has]]) ** 2, groups)
        std = np.sqrt(squares / (count - 1.0))
        std[count < 2] = np.nan
        margin = _margin(values, has, group, groups, repetition_of(runs, column))
    up = ascending(metric, order)
    best = _best_of_each(rank(runs, column, ascending=up), ~np.isnan(values), group, groups)
    ids = runs["run_id"].astype("object").to_numpy()
    by_group = np.argsort(group, kind="stable")
    table = pd.DataFrame({name: runs[name].take(first).reset_index(drop=True) for name in by})
    table["count"] = count
    table["failed"] = np.bincount(group, minlength=groups) - count
    table["mean"], table["std"] = mean, std
    table["ci_low"], table["ci_high"] = mean - margin, mean + margin
    table["best"] = np.where(best < 0, np.nan, values[best] if len(values) else np.nan)
    table["best_run_id"] = pd.Series([ids[row] if row >= 0 else None for row in best], dtype="str")
    sizes = np.bincount(group, minlength=groups)
    cut = np.split(ids[by_group], np.cumsum(sizes)[:-1]) if groups else []
    table["run_ids"] = pd.Series([list(part) for part in cut], dtype="object")
    beside = loss_beside(column, [str(name) for name in runs])
    losses = _means(runs[beside].to_numpy("float64"), has, group, groups) if beside else None
    return table.iloc[order_settings(table, by, mean, losses, up)].reset_index(drop=True)


def place_of_best(settings: "pd.DataFrame") -> int | None:
    """Return the place of the best row of ``summarize``; None if no run has a value.

    A setting whose seeds have mostly failed, or not been run, would win by the few that are left. So it
    counts only if more than half as many runs have a value as the setting with most runs has in all; unless
    none has, then all do.
    """
    has = settings["count"].to_numpy()
    if not has.any():
        return None
    most = int((settings["count"] + settings["failed"]).max())
    enough = 2 * has > most
    return int(np.argmax(enough if enough.any() else has > 0))


def best_first(settings: "pd.DataFrame") -> list[int]:
    """Return the places of the rows of ``summarize``, the best one first and then the others in order."""
    best, places = place_of_best(settings), list(range(len(settings)))
    return places if best is None else [best, *(place for place in places if place != best)]


def _groups(runs: "pd.DataFrame", by: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the group of each run (N,), numbered in order of appearance, and each group's first run (G,)."""
    import pandas as pd

    group = np.zeros(len(runs), np.int64)
    for name in by:
        codes, distinct = pd.factorize(runs[name], use_na_sentinel=True)
        group, _ = pd.factorize(group * (len(distinct) + 1) + (codes + 1))
    _, first = np.unique(group, return_index=True)
    return group.astype(np.intp), first


def _margin(
    values: NDArray[np.float64],
    has: NDArray[np.bool_],
    group: NDArray[np.intp],
    groups: int,
    repetition: Repetition,
) -> NDArray[np.float64]:
    """Return half of the 95 % interval of each group's mean (G,); NaN of one observation, or of equal ones.

    An observation is the mean over the seeds of a split or fold; in a group that has but one of these, a run.
    Of values that come in steps, as an accuracy does, no standard deviation counts for less than half of one:
    where nineteen seeds agree and one is a row off, Student's interval would be too narrow.
    """
    cluster = repetition.cluster[repetition.block]
    pairs, observation = np.unique(
        np.stack([group[has], cluster[has]], axis=1).reshape(-1, 2), axis=0, return_inverse=True
    )
    several = np.bincount(pairs[:, 0], minlength=groups) > 1
    alone = ~several[group[has]]
    observation = observation.ravel()
    observation[alone] = len(pairs) + np.flatnonzero(alone)
    _, observation = np.unique(observation, return_inverse=True)
    every, observations = np.ones(len(observation), bool), observation.max(initial=-1) + 1
    observed = _means(values[has], every, observation, observations)
    of_group = np.zeros(len(observed), np.intp)
    of_group[observation] = group[has]
    count = np.bincount(of_group, minlength=groups)
    mean = _means(observed, np.ones(len(observed), bool), of_group, groups)
    squares = np.bincount(of_group, (observed - mean[of_group]) ** 2, groups)
    overlap = np.where(several, repetition.overlap, 0.0)
    # A mean over seeds has finer steps than a run.
    step = step_of(values) * count / np.bincount(group[has], minlength=groups)
    std = np.maximum(np.sqrt(squares / (count - 1.0)), step / 2)
    error = std * np.sqrt(1 / count + overlap)
    least, most = _ends(observed, of_group, groups)
    return np.where((count > 1) & (least != most), _t_quantiles(count - 1) * error, np.nan)


def _t_quantiles(freedom: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return for each number of degrees of freedom the standard errors within which a mean lies at 95 %."""
    from scipy.special import stdtrit

    quantiles: NDArray[np.float64] = stdtrit(np.maximum(freedom, 1), 0.975)
    return np.where(freedom < 1, np.nan, quantiles)


def _means(
    values: NDArray[np.float64], has: NDArray[np.bool_], group: NDArray[np.intp], groups: int
) -> NDArray[np.float64]:
    """Return the mean (G,) of each group's values where ``has`` is true; NaN for a group without any."""
    # Ties of means are frequent, and a sum is rounded by the order of its terms, which is therefore fixed.
    rows = np.flatnonzero(has)
    rows = rows[np.argsort(values[rows], kind="stable")]
    least, most = _ends(values[rows], group[rows], groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = np.bincount(group[rows], values[rows], groups)
        means = sums / np.bincount(group[rows], minlength=groups)
    # A rounded sum may lead beyond them, and equal values would seem to differ.
    return np.where(least <= most, np.clip(means, least, most), means)


def _ends(
    values: NDArray[np.float64], group: NDArray[np.intp], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest value of each group (G,), infinite for one without any number."""
    least, most = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.fmin.at(least, group, values)
    np.fmax.at(most, group, values)
    return least, most


def _best_of_each(
    ranked: NDArray[np.intp], has: NDArray[np.bool_], group: NDArray[np.intp], groups: int
) -> NDArray[Any]:
    """Return each group's first row in ``ranked`` that has a value; -1 for a group without any."""
    best = np.full(groups, -1)
    rows = ranked[has[ranked]]
    found, first = np.unique(group[rows], return_index=True)
    best[found] = rows[first]
    return best
