"""What a comparison of runs needs: which parameters differ, which run is best, means over seeds."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.joining import ABOUT
from micrograde.analysis.ranking import loss_beside, natural_ranks, rank
from micrograde.analysis.short_ids import short_ids
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.store import tags
from micrograde.store.metric_names import plain_name

if TYPE_CHECKING:
    import pandas as pd

SEED = "seed"
_NOTE = f"tags.{tags.NOTE}"
_MANY = "gradient_norm/"  # one for each parameter; not listed
METRICS = ("val/accuracy", "val/loss", "test/accuracy", "test/loss", "train/accuracy", "train/loss")
"""What a table shows of the metrics, besides the one it is ordered by."""


def parameters(runs: "pd.DataFrame") -> list[str]:
    """The names of the params among the columns."""
    names = map(str, runs)
    return [name for name in names if not ("/" in name or name in ABOUT or name.startswith("tags."))]


def own_words(runs: "pd.DataFrame") -> list[str]:
    """The columns of tags and notes that users have given to any of the runs."""
    names = [name for name in map(str, runs) if name.startswith("tags.")]
    return [name for name in names if name == _NOTE or not name.startswith(f"tags.{tags.OWN}")]


def varying_parameters(runs: "pd.DataFrame") -> list[str]:
    """The params that are not the same in all runs; one that some runs lack differs too.

    Where a choice explains what is lacking, its name is enough: runs on moons have ``data.noise``, runs
    on digits have not, and ``data.name`` says so already.
    """
    return [name for name in parameters(runs) if _differs(runs, name)]


def _differs(runs: "pd.DataFrame", name: str) -> bool:
    if runs[name].nunique(dropna=False) <= 1:
        return False
    values, choice = runs[name].astype(str), f"{name.rpartition('.')[0]}.name"
    if choice == name or choice not in runs:
        return values.nunique(dropna=False) > 1
    given = values[runs[name].notna()].nunique() > 1
    return bool(given or (values.groupby(runs[choice].astype(str)).nunique() > 1).any())


def ascending(metric: str, order: str) -> bool:
    """Whether the best comes first by going up: ``auto`` takes losses, errors and norms for small."""
    if order == "auto":
        return any(word in metric for word in ("loss", "error", "norm", "duration"))
    return order == "ascending"


def usual_metric(runs: "pd.DataFrame") -> str:
    """What runs are compared by where nothing else is said: without a validation part by training's."""
    validated = "val/accuracy" in runs and runs["val/accuracy"].notna().any()
    return "val/accuracy" if validated or "train/accuracy" not in runs else "train/accuracy"


def known_metric(runs: "pd.DataFrame", metric: str) -> str:
    """The metric's column (or ``duration``), or ``InputError`` that names the metrics there are."""
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
    """The runs, best first by ``metric``; those without it last.

    Among equals the lower loss comes first, then the lower seed, then the name (``ranking``). With
    ``finished_first`` those that did not finish come after all that did.

    Raises
    ------
    InputError
        If no run has the metric; the message names those there are.
    """
    if runs.empty:
        return runs
    column = known_metric(runs, metric)
    runs = runs.iloc[rank(runs, column, ascending=ascending(metric, order))]
    if finished_first:
        runs = runs.iloc[(runs["status"] != "FINISHED").argsort(kind="stable")]
    return runs


def best_run(runs: "pd.DataFrame", metric: str, order: str = "auto") -> str | None:
    """The id of the best run that finished and has the metric; None if there is none."""
    if runs.empty or metric not in runs:
        return None
    finished = runs[(runs["status"] == "FINISHED") & runs[metric].notna()]
    return None if finished.empty else str(order_runs(finished, metric, order)["run_id"].iloc[0])


def group_over_seeds(runs: "pd.DataFrame", metric: str, order: str = "auto") -> "pd.DataFrame":
    """Runs that differ in ``seed`` alone as one row: mean and standard deviation of each metric, count.

    Columns: the other params that differ, ``runs`` (how many finished), ``unfinished`` where there are
    any, then ``<metric> mean`` and ``<metric> std`` (sample standard deviation; missing for a single
    run) over those that finished: the last values of a run that diverged are no result. Best mean first;
    among equals the lower mean of the loss, then by the params.
    """
    import pandas as pd

    if runs.empty:
        return runs
    column = known_metric(runs, metric)
    by = [name for name in varying_parameters(runs) if name != SEED] or ["experiment_name"]
    shown = [column, *(name for name in METRICS if name in runs and name != column)]
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
    beside = loss_beside(column, shown)
    loss = table[f"{beside} mean"].to_numpy() if beside else None
    rows = order_settings(table, by, table[f"{column} mean"].to_numpy(), loss, ascending(metric, order))
    return table.iloc[rows].reset_index(drop=True)


def order_settings(
    settings: "pd.DataFrame",
    by: Sequence[str],
    means: NDArray[np.float64],
    losses: NDArray[np.float64] | None,
    up: bool,
) -> NDArray[np.intp]:
    """The rows, best mean first; among equals the lower mean of the loss, then by the params ``by``."""
    keys = [means if up else -means]
    if losses is not None:
        keys.append(losses)
    keys += [natural_ranks(settings[name]) for name in by]
    return np.lexsort(keys[::-1])


def table_of_runs(runs: "pd.DataFrame", metric: str, others: Iterable[str] = ()) -> "pd.DataFrame":
    """What the command shows of each run: its name, what differs, the metrics, status and duration.

    Tags and notes that users have given are shown, too, if any run has them. Ids are
    as short as can be told apart from each other and from those of ``others``.
    """
    metrics = [name for name in dict.fromkeys((metric, *METRICS)) if name in runs]
    table = runs[["run_id", "run_name", *varying_parameters(runs), *metrics, "status", "duration"]].copy()
    table["run_id"] = short_ids(table["run_id"].tolist(), others)
    for name in reversed(own_words(runs)):
        table.insert(2, "note" if name == _NOTE else name, runs[name])
    if runs["experiment_name"].nunique() > 1:
        table.insert(1, "experiment_name", runs["experiment_name"])
    return table
