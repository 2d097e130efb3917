"""Which columns of a table of runs matter most, where a terminal has no room for all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from micrograde.analysis.comparing import METRICS, SEED, varying_parameters

if TYPE_CHECKING:
    import pandas as pd

_FIRST = 4  # params that come before what else was measured
_EXPERIMENT = "experiment_name"


def by_importance(runs: "pd.DataFrame", metric: str) -> list[str]:
    """The columns that tell most of the runs, the most important first.

    The id and the metric that orders them; the status, if some did not finish; the params that were set, the
    one that differs in most runs first and the seed last; other metrics; then what follows from a choice
    that is shown already: ``data.noise`` from ``data.name``, a run's name from the params it is made of.
    """
    names = [name for name in varying_parameters(runs) if name != SEED]
    names += [_EXPERIMENT] if runs[_EXPERIMENT].nunique() > 1 else []
    choices = [name for name in names if name.endswith(".name")]
    follows = {name for name in names if name not in choices and _follows(runs, name, choices)}
    own = sorted((name for name in names if name not in follows), key=lambda name: -_rare(runs, name))
    own.append(SEED)
    unfinished = ["status"] if (runs["status"] != "FINISHED").any() else []
    named = ["run_name"] if _are_named(runs) else []
    return [
        *("run_id", metric, *unfinished, "unfinished"),
        *(*named, *own[:_FIRST], "runs"),
        *(*METRICS, *own[_FIRST:], "run_name"),
        *(name for name in names if name in follows),
    ]


def _follows(runs: "pd.DataFrame", name: str, choices: Sequence[str]) -> bool:
    """Whether a choice that differs says already what the param is."""
    values = runs[name].astype(str)
    return any(values.groupby(runs[choice].astype(str)).nunique().max() <= 1 for choice in choices)


def _rare(runs: "pd.DataFrame", name: str) -> float:
    """In how many of the runs it is not what it is in most."""
    return 1 - float(runs[name].astype(str).value_counts(normalize=True).max())


def _are_named(runs: "pd.DataFrame") -> bool:
    """Whether somebody gave them names: by themselves they are called by their data or what was typed."""
    words = {word for name in runs["run_name"].dropna() for word in name.split()}
    return any("=" not in word and word != "defaults" for word in words)
