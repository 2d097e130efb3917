"""The ranking of runs that all parts share: by the metric, then by loss, then by seed, then by name."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograde.core.natural_order import natural_key
from micrograde.metrics import KEPT, part_of

if TYPE_CHECKING:
    import pandas as pd


class Standing(NamedTuple):
    """The values that a run is ranked by; the loss is NaN if unknown."""

    value: float
    loss: float
    seed: int
    name: str

    def key(self, *, ascending: bool) -> tuple[float, float, int, str]:
        """Return the sort key; the best run has the smallest."""
        loss = math.inf if math.isnan(self.loss) else self.loss
        return self.value if ascending else -self.value, loss, self.seed, self.name


def standing(metrics: Mapping[str, float], metric: str, seed: int, name: str) -> Standing | None:
    """Return the standing of a run with these last metrics, or None if it has no value of ``metric``."""
    value = metrics.get(metric, math.nan)
    beside = loss_beside(metric, metrics)
    return None if math.isnan(value) else Standing(value, metrics[beside] if beside else math.nan, seed, name)


def loss_beside(metric: str, there_are: Collection[str]) -> str | None:
    """Return the loss that breaks ties of a metric: of the same part of the data, else of another part."""
    kept = KEPT if metric.startswith(KEPT) else ""
    named = (f"{part_of(metric)}/loss", f"{kept}val/loss", f"{kept}train/loss")
    return next((name for name in named if name in there_are and name != metric), None)


def rank(runs: "pd.DataFrame", metric: str, *, ascending: bool) -> NDArray[np.intp]:
    """Return the row numbers of ``runs``, the best first and those without the metric last.

    Ties are broken by the lower loss, then the lower seed, then the name; otherwise the order is kept.
    """
    keys = [runs[metric].to_numpy("float64") * (1 if ascending else -1)]
    if beside := loss_beside(metric, [str(name) for name in runs]):
        keys.append(runs[beside].to_numpy("float64"))
    keys += [natural_ranks(runs[name]) for name in ("seed", "run_name") if name in runs]
    return np.lexsort(keys[::-1])  # NaN comes last


def natural_ranks(values: "pd.Series[Any]") -> NDArray[Any]:
    """Return the rank (N,) of each value among the distinct values, in natural order."""
    texts: Sequence[object] = values.tolist()
    keys = [natural_key(value) for value in texts]
    place = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([place[key] for key in keys], np.intp)
