"""Rank the columns of a table of runs, for a terminal that has no room for all of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from micrograde.analysis.comparing import METRICS, varying_parameters
from micrograde.analysis.repeats import REPEATS, of_settings

if TYPE_CHECKING:
    import pandas as pd

VERDICT = "verdict"
"""The column of a table of settings that says in words how each stands to the best."""
_FIRST = 4  # params that come before the other metrics
_EXPERIMENT = "experiment_name"


def by_importance(runs: "pd.DataFrame", metric: str) -> list[str]:
    """Return the names of the columns, the most important first.

    The order: the id, the metric that orders the runs, and a setting's verdict; the status, if some did not
    finish; the params that were set, the one that differs in most runs first and seeds and folds last; other
    metrics; then what follows from a column shown already, as ``data.noise`` does from ``data.name``, or a
    run's name from its params.
    """
    names = of_settings(varying_parameters(runs))
    names += [_EXPERIMENT] if runs[_EXPERIMENT].nunique() > 1 else []
    choices = [name for name in names if name.endswith(".name")]
    follows = {name for name in names if name not in choices and _follows(runs, name, choices)}
    own = sorted((name for name in names if name not in follows), key=lambda name: -_rare(runs, name))
    own += REPEATS
    unfinished = ["status"] if (runs["status"] != "FINISHED").any() else []
    named = ["run_name"] if _are_named(runs) else []
    return [
        *("run_id", metric, VERDICT, *unfinished, "unfinished"),
        *(*named, *own[:_FIRST], "runs"),
        *(*METRICS, *own[_FIRST:], "run_name"),
        *(name for name in names if name in follows),
    ]


def _follows(runs: "pd.DataFrame", name: str, choices: Sequence[str]) -> bool:
    """Return whether the param's value follows from one of the choices that differ."""
    values = runs[name].astype(str)
    return any(
        values.groupby(runs[choice].astype(str)).nunique(dropna=False).max() <= 1 for choice in choices
    )


def _rare(runs: "pd.DataFrame", name: str) -> float:
    """Return the share of runs in which the param does not have its most frequent value."""
    return 1 - float(runs[name].astype(str).value_counts(normalize=True).max())


def _are_named(runs: "pd.DataFrame") -> bool:
    """Return whether a user named any run: a default name is ``defaults`` or the overrides typed."""
    words = {word for name in runs["run_name"].dropna() for word in name.split()}
    return any("=" not in word and word != "defaults" for word in words)
