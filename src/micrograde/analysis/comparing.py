"""Compare runs: which parameters differ, which run is best, and the means over seeds."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.joining import ABOUT
from micrograde.analysis.ranking import loss_beside, natural_ranks, rank
from micrograde.analysis.repeats import counted, of_settings
from micrograde.analysis.short_ids import short_ids
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.metrics import KEPT, lower_is_better, ranking_metrics
from micrograde.store import tags
from micrograde.store.metric_names import plain_name

if TYPE_CHECKING:
    import pandas as pd

_NOTE = f"tags.{tags.NOTE}"
_MANY = "gradient_norm/"  # one for each parameter; not listed
METRICS = tuple(
    name
    for part in (f"{KEPT}val", f"{KEPT}test", f"{KEPT}train")
    for name in (*ranking_metrics(part), f"{part}/loss")
)
"""The metrics that a table shows besides the one that it is ordered by: those of the models that are kept."""
_USUAL = tuple(ranking_metrics(part) for part in (f"{KEPT}val", f"{KEPT}train", "val", "train"))


def parameters(runs: "pd.DataFrame") -> list[str]:
    """Return the names of the columns that are params."""
    names = map(str, runs)
    return [name for name in names if not ("/" in name or name in ABOUT or name.startswith("tags."))]


def own_words(runs: "pd.DataFrame") -> list[str]:
    """Return the names of the columns that hold tags and notes given by users."""
    names = [name for name in map(str, runs) if name.startswith("tags.")]
    return [name for name in names if name == _NOTE or not name.startswith(f"tags.{tags.OWN}")]


def varying_parameters(runs: "pd.DataFrame") -> list[str]:
    """Return the params that are not the same in all runs; a param that some runs lack differs, too.

    A param that is missing only because of another choice is not listed: runs on moons have ``data.noise``,
    runs on digits do not, and ``data.name`` already says so.
    """
    return [name for name in parameters(runs) if _differs(runs, name)]


def _differs(runs: "pd.DataFrame", name: str) -> bool:
    if runs[name].nunique(dropna=False) <= 1:
        return False
    values, choice = runs[name].astype(str), f"{name.rpartition('.')[0]}.name"
    if choice == name or choice not in runs:
        return values.nunique(dropna=False) > 1
    given = values[runs[name].notna()].nunique() > 1
    return bool(given or (values.groupby(runs[choice].astype(str)).nunique(dropna=False) > 1).any())


def told_apart(runs: "pd.DataFrame", varies: Sequence[str]) -> list[str]:
    """Return the params that vary, without those that follow from a choice of their group.

    For example, ``data.noise`` is left out if all moons have the same and ``data.name`` varies.
    """
    differing = set(varying_parameters(runs))
    names = [name for name in dict.fromkeys(varies) if name in runs]
    explained = {
        name
        for name in names
        if name not in differing and f"{name.rpartition('.')[0]}.name" in set(names) - {name}
    }
    return [name for name in names if name not in explained]


def ascending(metric: str, order: str) -> bool:
    """Return whether a lower value is better; ``auto`` asks the metric."""
    if order == "auto":
        return lower_is_better(metric)
    return order == "ascending"


def usual_metric(runs: "pd.DataFrame") -> str:
    """Return the metric that runs are compared by unless another is given.

    It is the accuracy of the kept model, or of runs that predict numbers its RMSE, on the validation part, or
    on the training part if no run has a validation part; as long as no run has finished, the last epoch's. Of
    runs of several tasks it is the metric that most of them have.
    """
    for names in _USUAL:
        counts = {name: int(runs[name].notna().sum()) for name in names if name in runs}
        if any(counts.values()):
            return max(counts, key=lambda name: counts[name])
    return _USUAL[0][0]


def without_metric(runs: "pd.DataFrame", metric: str) -> str:
    """Return a line about runs that lack ``metric`` because they learned another task; empty if none does.

    It names the metric that these are ranked by.
    """
    others = next((names for names in _USUAL if metric in names), ())
    lacking = runs[metric].isna() if metric in runs else runs.index == runs.index
    found = [
        f"{count} run{'s have' if count > 1 else ' has'} {name} in its place"
        for name in others
        if name != metric and name in runs and (count := int((lacking & runs[name].notna()).sum()))
    ]
    return f"{'; '.join(found)}: such runs come last" if found else ""


def known_metric(runs: "pd.DataFrame", metric: str) -> str:
    """Return the metric if it is a column or ``duration``; else raise ``InputError`` with the known ones."""
    metrics = [name for name in map(str, runs) if "/" in name and not name.startswith("tags.")]
    if metric in (*metrics, "duration"):
        return metric
    there_are = [name for name in metrics if not plain_name(name).startswith(_MANY)]
    raise InputError(
        f"metric={metric}: no run has it; there are {printable(', '.join(there_are) or 'none yet')}"
    )


def order_runs(
    runs: "pd.DataFrame", metric: str, order: str = "auto", *, finished_first: bool = False
) -> "pd.DataFrame":
    """Return the runs ordered by ``metric``, the best first and those without it last.

    Ties are broken by the lower loss, then the lower seed, then the name (see ``ranking``). With
    ``finished_first`` all runs that finished come before those that did not.

    Raises
    ------
    InputError
        If no run has the metric; the message names the metrics that runs have.
    """
    if runs.empty:
        return runs
    column = known_metric(runs, metric)
    runs = runs.iloc[rank(runs, column, ascending=ascending(metric, order))]
    if finished_first:
        runs = runs.iloc[(runs["status"] != "FINISHED").argsort(kind="stable")]
    return runs


def best_run(runs: "pd.DataFrame", metric: str, order: str = "auto") -> str | None:
    """Return the id of the best finished run that has the metric, or None if there is none."""
    if runs.empty or metric not in runs:
        return None
    finished = runs[(runs["status"] == "FINISHED") & runs[metric].notna()]
    return None if finished.empty else str(order_runs(finished, metric, order)["run_id"].iloc[0])


def group_over_seeds(runs: "pd.DataFrame", metric: str, order: str = "auto") -> "pd.DataFrame":
    """Merge runs of one setting into one row, with mean and standard deviation of each metric.

    Runs of one setting differ at most in ``seed``, ``data.seed`` and their folds; see ``REPEATS``.

    The columns are the other params that differ, ``runs`` (how many finished), ``unfinished`` if there are
    any, then ``<metric> mean`` and ``<metric> std`` (sample standard deviation; missing for a single run).
    Only finished runs count: the last values of a run that diverged are not a result. Retests
    (``sweep.retest``) count only where there is nothing else. The best mean comes first;
    ties are broken by the lower mean of the loss, then by the params.
    """
    import pandas as pd

    if runs.empty:
        return runs
    runs = counted(runs)
    column = known_metric(runs, metric)
    by = of_settings(varying_parameters(runs)) or ["experiment_name"]
    beside = loss_beside(column, list(map(str, runs)))
    shown = [name for name in dict.fromkeys((column, *_had(runs), beside)) if name in runs]
    finished = runs["status"] == "FINISHED"
    values = runs[shown].where(finished)
    keys = [runs[name] for name in by]
    table = finished.groupby(keys, dropna=False).agg(["sum", "size"])
    table.columns = pd.Index(["runs", "unfinished"])
    table["unfinished"] -= table["runs"]
    if not table["unfinished"].any():
        table = table.drop(columns="unfinished")
    spread = values.groupby(keys, dropna=False).agg(["mean", "std"])
    spread.columns = pd.Index([" ".join(pair) for pair in spread.columns.to_flat_index()])
    table = table.join(spread).reset_index()
    loss = table[f"{beside} mean"].to_numpy() if beside else None
    rows = order_settings(table, by, table[f"{column} mean"].to_numpy(), loss, ascending(metric, order))
    return table.iloc[rows].reset_index(drop=True)


def _had(runs: "pd.DataFrame") -> list[str]:
    """Return those of ``METRICS`` that any of these runs has."""
    return [name for name in METRICS if name in runs and runs[name].notna().any()]


def order_settings(
    settings: "pd.DataFrame",
    by: Sequence[str],
    means: NDArray[np.float64],
    losses: NDArray[np.float64] | None,
    up: bool,
) -> NDArray[np.intp]:
    """Return the row numbers, best mean first; ties go by the lower mean loss, then by the params ``by``."""
    keys = [means if up else -means]
    if losses is not None:
        keys.append(losses)
    keys += [natural_ranks(settings[name]) for name in by]
    return np.lexsort(keys[::-1])


def table_of_runs(runs: "pd.DataFrame", metric: str, others: Iterable[str] = ()) -> "pd.DataFrame":
    """Return the columns that ``compare`` shows: name, params that differ, metrics, status and duration.

    Tags and notes given by users are included if any run has them. Ids are shortened as far as they still
    differ from each other and from the ids in ``others``.
    """
    metrics = [name for name in dict.fromkeys((metric, *_had(runs))) if name in runs]
    table = runs[["run_id", "run_name", *varying_parameters(runs), *metrics, "status", "duration"]].copy()
    table["run_id"] = short_ids(table["run_id"].tolist(), others)
    for name in reversed(own_words(runs)):
        table.insert(2, "note" if name == _NOTE else name, runs[name])
    if runs["experiment_name"].nunique() > 1:
        table.insert(1, "experiment_name", runs["experiment_name"])
    return table
