"""The params that repeat a setting: its seed, its split, its fold."""

from collections.abc import Iterable

SEED = "seed"
REPEATS = (SEED, "data.seed", "data.repeat", "data.fold")
"""The params that say which repetition of a setting a run is, and nothing about the setting.

``seed`` draws the initial weights and the batches, ``data.seed`` the split (and the rows of generated data),
``data.repeat`` and ``data.fold`` the rows that are held out. The mean of a setting is one over all of these.
"""


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
