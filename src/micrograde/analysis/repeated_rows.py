"""How the runs of a setting repeat each other: by seeds on one split, by overlapping splits, on new data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.repeats import SEED, of_repeats
from micrograde.metrics import KEPT, part_of

if TYPE_CHECKING:
    import pandas as pd

_DATA_SEED = "data.seed"
_GENERATED = "data.samples"  # only data that are generated have it


@dataclass(frozen=True)
class Repetition:
    """Which runs repeat a setting in the same way.

    Attributes
    ----------
    block
        (N,) the number of each run's block: its seed, split and fold.
    cluster
        (B,) the number of each block's cluster: its split and fold, if these vary, of which the seeds share
        the rows; else its seed.
    overlap
        n_eval / n_train; see ``Blocks``.
    unit
        What there are several of, in the plural: ``seeds``, ``splits`` or ``folds``.
    """

    block: NDArray[np.intp]
    cluster: NDArray[np.intp]
    overlap: float
    unit: str


def repetition_of(runs: "pd.DataFrame", metric: str) -> Repetition:
    """Return how the runs repeat settings, and how many rows the metric was measured on for each trained on.

    Records do not hold the rows of a part, so this share is derived from the params ``data.folds``,
    ``data.test_fraction`` and ``data.validation_fraction``; the greatest if these vary. Of a part that
    comes from a file of its own, and of metrics of the training part, it is that of all rows to split that
    are not trained on. Data that are generated anew from ``data.seed`` do not overlap.
    """
    repeats = of_repeats(map(str, runs))
    block, firsts = _numbered(runs, repeats)
    of_rows = [name for name in repeats if name != SEED]
    generated = _GENERATED in runs and bool(runs[_GENERATED].notna().all())
    anew = generated and _DATA_SEED in runs and runs[_DATA_SEED].nunique(dropna=False) > 1
    split, _ = _numbered(runs, [_DATA_SEED] if anew else of_rows)
    if split.max(initial=0) == 0:
        return Repetition(block, np.arange(len(firsts)), 0.0, "seeds")
    cluster = split[firsts]
    if anew:
        return Repetition(block, cluster, 0.0, "data seeds")
    folds = "data.fold" in runs and runs["data.fold"].nunique() > 1 and bool(runs["data.fold"].notna().all())
    return Repetition(block, cluster, _overlap(runs, metric), "folds" if folds else "splits")


def _numbered(runs: "pd.DataFrame", names: list[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the number (N,) of each run's values, in their order, and the first run of each number."""
    if not names:
        return np.zeros(len(runs), np.intp), np.zeros(1, np.intp)
    number = runs.groupby(names, dropna=False).ngroup().to_numpy()
    _, firsts = np.unique(number, return_index=True)
    return number.astype(np.intp), firsts


def _overlap(runs: "pd.DataFrame", metric: str) -> float:
    """Return n_eval / n_train, the greatest of all runs."""
    part = part_of(metric).removeprefix(KEPT)
    if not part:
        return 0.0  # it is not measured on rows

    def share(name: str) -> NDArray[np.float64]:
        if name not in runs:
            return np.zeros(len(runs))
        values: NDArray[np.float64] = runs[name].to_numpy("float64", na_value=np.nan)
        return np.nan_to_num(values)

    def in_own_file(name: str) -> NDArray[np.bool_]:
        return runs[name].notna().to_numpy() if name in runs else np.zeros(len(runs), bool)

    folds = share("data.folds")
    tested = np.where(folds > 1, 1 / np.maximum(folds, 1), share("data.test_fraction"))
    own = {"val": in_own_file("data.validation_path"), "test": in_own_file("data.test_path")}
    validated = share("data.validation_fraction") * np.where(
        folds > 1, 1 - tested, 1
    )  # of a fold's other rows
    held_out = {"val": validated, "test": tested}
    held_out = {name: np.where(own[name], 0.0, rows) for name, rows in held_out.items()}
    trained = np.maximum(1 - held_out["val"] - held_out["test"], 1e-3)
    rest = 1 - trained
    measured = np.where(own[part], rest, held_out[part]) if part in own else rest
    return float((measured / trained).max())
