"""What repeats a setting: the params of its seed, its split, its fold; and retests, which no mean counts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from micrograde.store import tags

if TYPE_CHECKING:
    import pandas as pd

SEED = "seed"
REPEATS = (SEED, "data.seed", "data.repeat", "data.fold")
"""The params that say which repetition of a setting a run is, and nothing about the setting.

``seed`` draws the initial weights and the batches, ``data.seed`` the split (and the rows of generated data),
``data.repeat`` and ``data.fold`` the rows that are held out. The mean of a setting is one over all of these.
"""

_RETEST = f"tags.{tags.RETEST}"
_PLURALS = {SEED: "seeds", "data.seed": "splits", "data.repeat": "folds", "data.fold": "folds"}


def in_plural(names: Iterable[str]) -> str:
    """Return what a mean over these repetitions is one over: ``seeds``, ``seeds and folds``."""
    found = list(dict.fromkeys(_PLURALS[name] for name in of_repeats(names)))
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else ""


def of_settings(names: Iterable[str]) -> list[str]:
    """Return the params that belong to a setting, in their order."""
    return [name for name in names if name not in REPEATS]


def of_repeats(names: Iterable[str]) -> list[str]:
    """Return the params that only repeat a setting, in the order of ``REPEATS``."""
    there_are = set(names)
    return [name for name in REPEATS if name in there_are]


def split_retests(runs: "pd.DataFrame") -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Return the runs that settings are chosen by, and the retests, each without the other's columns.

    A retest is a run on a fresh seed, of a setting that had already been found good (``sweep.retest``). In a
    mean beside the others it would give more weight to the settings that looked best.
    """
    if _RETEST not in runs:
        return runs, runs.iloc[:0]
    is_retest = (runs[_RETEST] == "true").fillna(False).to_numpy(bool)
    own, retests = runs[~is_retest].reset_index(drop=True), runs[is_retest].reset_index(drop=True)
    return own.drop(columns=_RETEST), retests


def counted(runs: "pd.DataFrame", by: Iterable[str] = ()) -> "pd.DataFrame":
    """Return the runs that a mean over a setting counts: all but retests.

    Where there are only retests, or ``by`` tells them apart, they are what was asked for, and all count.
    """
    if _RETEST in by:
        return runs
    own, retests = split_retests(runs)
    return retests if own.empty and len(retests) else own
