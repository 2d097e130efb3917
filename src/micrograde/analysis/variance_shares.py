"""What mattered in a sweep: how much of a metric's variance each key, each pair of keys and the seed has.

On a full grid this is the functional ANOVA (Hoeffding 1948; Sobol 1993; for hyperparameters Hutter, Hoos and
Leyton-Brown 2014) of the values themselves, under the uniform distribution on the grid: exact, nothing is
fitted. Where combinations are missing, as in a search, a random forest is fitted, and its prediction on a
grid of the values that were tried is decomposed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.analysis.repeats import SEED, of_repeats, of_settings
from micrograde.core.natural_order import natural_key

if TYPE_CHECKING:
    import pandas as pd

How = Literal["exact", "forest", "untold"]
Kind = Literal["key", "pair", "repeat", "rest"]

REST = "the rest"
"""What the shares of a sweep's variance call all that is of no key, no pair and no seed."""

_FEWEST = 20  # runs that a forest is fitted to
_POINTS = 20_000  # at which it is asked, at most
_TREES = 100
_SAME = 4 * np.finfo(np.float64).eps  # of the largest value: differences that are rounding


@dataclass(frozen=True)
class Share:
    """A part of a metric's variance.

    Attributes
    ----------
    of
        A key, such as ``optimizer.learning_rate``; two, ``a × b``; ``seed``; or ``the rest``.
    share
        From 0 to 1.
    kind
        ``key``; ``pair``, what two keys do together beyond what each does; ``repeat``, a seed, a split, a
        fold; ``rest``.
    keys
        The keys that it is of: one, two, or none.
    """

    of: str
    share: float
    kind: Kind
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class VarianceShares:
    """How a metric's variance is shared; the greatest share first, the rest last.

    Attributes
    ----------
    shares
        They add to one, unless all values are the same: then each is 0. Empty if it cannot be told.
    how
        ``exact``; ``forest`` if a forest was fitted; ``untold``.
    varied
        The keys that were varied, seeds, splits and folds last.
    runs
        How many runs have a value.
    note
        Why it cannot be told, or why all shares are 0; else empty.
    """

    shares: tuple[Share, ...]
    how: How
    varied: tuple[str, ...]
    runs: int
    note: str = ""

    @property
    def of_several(self) -> bool:
        """Whether there is something to compare: at least one key of settings, and another key or a seed."""
        return bool(of_settings(self.varied)) and len(self.varied) > 1

    def frame(self) -> "pd.DataFrame":
        """Return a row for each share: of, share, kind, how."""
        import pandas as pd

        return pd.DataFrame(
            {
                "of": pd.Series([each.of for each in self.shares], dtype="str"),
                "share": pd.Series([each.share for each in self.shares], dtype="float64"),
                "kind": pd.Series([each.kind for each in self.shares], dtype="str"),
                "how": pd.Series([self.how] * len(self.shares), dtype="str"),
            }
        )


def variance_shares(runs: "pd.DataFrame", keys: Sequence[str], metric: str) -> VarianceShares:
    """Return how much of the variance of ``metric`` each key, each pair of them and the seed accounts for.

    Only runs that finished with a finite value count. If these are a full grid, with as many runs of each
    setting, the shares are exact. A main effect is the variance of the means over all else; a pair's
    is that of the means over all but the two, less both main effects. Where all settings have the same seeds
    and splits, the seed is one more factor, and the split another, which is the data's seed, repeat and fold
    together; of these only the main effects are told. Otherwise their share is the mean variance within a
    setting. The rest is what three keys do together, or keys and a seed.

    Otherwise a random forest is fitted, and its prediction is decomposed likewise; the shares are multiplied
    by the forest's R² on runs that its trees have not seen, so that the rest is also what it cannot foresee.

    Parameters
    ----------
    runs
        As returned by ``load_runs``.
    keys
        The params that were varied, seeds among them; numbers and texts alike, a missing value is a value.
    """
    values = (
        runs[metric].to_numpy("float64", na_value=np.nan) if metric in runs else np.full(len(runs), np.nan)
    )
    counts = (runs["status"] == "FINISHED").to_numpy(bool) & np.isfinite(values)
    runs, values = runs[counts], values[counts]
    names = [name for name in dict.fromkeys(keys) if name in runs]
    settings, repeats = of_settings(names), of_repeats(names)
    varied = (*settings, *repeats)
    if len(values) < 2 or not names:
        why = "fewer than two runs have a value" if names else "nothing was varied"
        return VarianceShares((), "untold", varied, len(values), why)
    if np.ptp(values) <= _SAME * np.abs(values).max():
        return _nothing(settings, repeats, len(values))
    values = values - values.mean()
    values = values / np.abs(values).max()
    grid = _Grid.of(runs, settings, repeats, values)
    if grid is not None:
        return VarianceShares(_sorted(grid.shares()), "exact", varied, len(values))
    return _by_forest(runs, settings, repeats, values)


def _nothing(settings: Sequence[str], repeats: Sequence[str], runs: int) -> VarianceShares:
    shares = [
        *(Share(name, 0.0, "key", (name,)) for name in settings),
        *(_pair(one, other, 0.0) for one, other in combinations(settings, 2)),
        *(Share(", ".join(each.keys), 0.0, "repeat", each.keys) for each in _repeat_factors(repeats)),
        Share(REST, 0.0, "rest"),
    ]
    return VarianceShares(tuple(shares), "exact", (*settings, *repeats), runs, "all runs have the same value")


def _pair(one: str, other: str, share: float) -> Share:
    return Share(f"{one} × {other}", share, "pair", (one, other))


def _sorted(shares: Sequence[Share]) -> tuple[Share, ...]:
    """Return the shares, the greatest first and the rest last; the order of equal ones is kept."""
    return tuple(sorted(shares, key=lambda each: (each.kind == "rest", -each.share)))


# --- exactly ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Factor:
    """An axis of a grid: the keys that it is of, usually one."""

    keys: tuple[str, ...]
    kind: Kind


@dataclass(frozen=True)
class _Grid:
    """Values on a full grid, and the variance within its points.

    Attributes
    ----------
    values
        An axis for each factor; the mean where seeds are not shared.
    within
        The mean variance within a setting, of ``nested``; None where each setting has the same seeds.
    """

    values: NDArray[np.float64]
    factors: tuple[_Factor, ...]
    nested: tuple[str, ...] = ()
    within: float | None = None

    @classmethod
    def of(
        cls,
        runs: "pd.DataFrame",
        settings: Sequence[str],
        repeats: Sequence[str],
        values: NDArray[np.float64],
    ) -> "_Grid | None":
        """Return the runs as a grid; None if combinations are missing, or settings differ in their count."""
        codes, shape = _codes(runs, settings)
        cells = math.prod(shape)
        if len(values) % cells or cells > len(values):
            return None
        cell = _joined(codes, shape, len(values))
        each = len(values) // cells
        if (np.bincount(cell, minlength=cells) != each).any():
            return None
        factors = tuple(_Factor((name,), "key") for name in settings)
        by_cell = np.argsort(cell, kind="stable")
        if each == 1:
            return cls(values[by_cell].reshape(shape), factors)
        repeat_codes, repeat_shape = _codes(runs, repeats)
        repeat = _joined(repeat_codes, repeat_shape, len(values))
        distinct, repeat = np.unique(repeat, return_inverse=True)
        shared = len(distinct) == each and len(np.unique(cell * each + repeat)) == len(values)
        if not shared:
            table = values[by_cell].reshape(cells, each)
            within = float(table.var(axis=1).mean())
            return cls(table.mean(axis=1).reshape(shape), factors, tuple(repeats), within)
        ordered = values[np.lexsort([repeat, cell])]
        varying = [(name, size) for name, size in zip(repeats, repeat_shape, strict=True) if size > 1]
        if math.prod(repeat_shape) == each:
            of_each = _repeat_factors([name for name, _ in varying])
            sizes = dict(varying)
            lengths = [math.prod(sizes[name] for name in factor.keys) for factor in of_each]
            return cls(ordered.reshape(*shape, *lengths), (*factors, *of_each))
        # Seeds and splits go together, as where each split has a seed of its own: they are one factor.
        together = _Factor(tuple(name for name, _ in varying), "repeat")
        return cls(ordered.reshape(*shape, each), (*factors, together))

    def shares(self) -> list[Share]:
        """Return the shares, which add to one."""
        shares, left = _effects(self.values, self.factors)
        within = self.within or 0.0
        total = sum(each.share for each in shares) + left + within
        if self.within is not None:
            named = ", ".join(self.nested)
            own = Share(named, within, "repeat", self.nested) if named else None
            left, shares = (left, [*shares, own]) if own else (left + within, shares)
        shares.append(Share(REST, left, "rest"))
        return [Share(each.of, each.share / total, each.kind, each.keys) for each in shares]


def _repeat_factors(repeats: Sequence[str]) -> tuple[_Factor, ...]:
    """Return the seed and the split as a factor each.

    Only together do the seed of the data, the repeat and the fold say which rows are learned: the first folds
    of two repeats have nothing in common.
    """
    splits = tuple(name for name in repeats if name != SEED)
    seeds = tuple(name for name in repeats if name == SEED)
    return tuple(_Factor(keys, "repeat") for keys in (seeds, splits) if keys)


def _codes(runs: "pd.DataFrame", names: Sequence[str]) -> tuple[list[NDArray[np.int64]], tuple[int, ...]]:
    """Return for each param the number (N,) of each run's value, in natural order, and how many there are."""
    import pandas as pd

    codes, shape = list[NDArray[np.int64]](), list[int]()
    for name in names:
        found, distinct = pd.factorize(runs[name], use_na_sentinel=False)
        order = sorted(range(len(distinct)), key=lambda place: natural_key(distinct[place]))
        place = np.empty(len(distinct), np.int64)
        place[order] = np.arange(len(distinct))
        codes.append(place[found])
        shape.append(len(distinct))
    return codes, tuple(shape)


def _joined(codes: Sequence[NDArray[np.int64]], shape: Sequence[int], count: int) -> NDArray[np.int64]:
    """Return for each run one number of its codes together, the index into a flattened array of ``shape``."""
    joined: NDArray[Any] = np.zeros(count, np.int64)
    for code, size in zip(codes, shape, strict=True):
        joined = joined * size + code
    return joined


def _effects(values: NDArray[np.float64], factors: Sequence[_Factor]) -> tuple[list[Share], float]:
    """Return the variances of main effects and of pairs of keys, and the variance that is left.

    Effects are orthogonal, so that their variances and what is left add to the variance of all.
    """
    axes = range(values.ndim)
    left = values - values.mean()
    mains = [left.mean(axis=tuple(axis for axis in axes if axis != own), keepdims=True) for own in axes]
    pairs = [pair for pair in combinations(axes, 2) if all(factors[axis].kind == "key" for axis in pair)]
    shares = []
    joint = {
        (one, other): left.mean(axis=tuple(axis for axis in axes if axis not in (one, other)), keepdims=True)
        - mains[one]
        - mains[other]
        for one, other in pairs
    }
    for factor, main in zip(factors, mains, strict=True):
        shares.append(Share(", ".join(factor.keys), float((main**2).mean()), factor.kind, factor.keys))
        left = left - main
    for (one, other), effect in joint.items():
        (first,), (second,) = factors[one].keys, factors[other].keys
        shares.append(_pair(first, second, float((effect**2).mean())))
        left = left - effect
    return shares, float((left**2).mean())


# --- by a forest --------------------------------------------------------------------------------


def _by_forest(
    runs: "pd.DataFrame", settings: Sequence[str], repeats: Sequence[str], values: NDArray[np.float64]
) -> VarianceShares:
    count, columns = len(values), [*settings, *repeats]
    untold = partial(VarianceShares, (), "untold", tuple(columns), count)
    if count < _FEWEST:
        return untold(f"not a full grid, and a fitted forest needs {_FEWEST} runs with a value, not {count}")
    factors = [*(_Factor((name,), "key") for name in settings), *_repeat_factors(repeats)]
    codes, shape = _codes_of_factors(runs, factors)
    # A seed that hardly any two runs share tells nothing of another run.
    used = [place for place, each in enumerate(factors) if each.kind == "key" or 2 * shape[place] <= count]
    factors, codes, shape = (
        [factors[place] for place in used],
        [codes[place] for place in used],
        tuple(shape[place] for place in used),
    )
    sizes = _levels(shape)
    if sizes is None:
        return untold(f"{len(factors)} keys are too many for a fitted forest")

    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(_TREES, oob_score=True, random_state=0, n_jobs=1)
    forest.fit(np.stack(codes, axis=1).astype(np.float32), values)
    foreseen = float(forest.oob_score_)
    if foreseen <= 0:
        return untold(f"a forest fitted to {count} runs foresees other runs no better than their mean does")
    levels = [
        np.floor((np.arange(size) + 0.5) * whole / size) for whole, size in zip(shape, sizes, strict=True)
    ]
    points = np.stack([axis.ravel() for axis in np.meshgrid(*levels, indexing="ij")], axis=1)
    predicted = forest.predict(points.astype(np.float32)).reshape(sizes)
    shares, left = _effects(predicted, factors)
    total = sum(each.share for each in shares) + left
    if total <= 0:
        return untold(f"a forest fitted to {count} runs foresees the same for all")
    shares = [Share(each.of, foreseen * each.share / total, each.kind, each.keys) for each in shares]
    shares.append(Share(REST, 1 - sum(each.share for each in shares), "rest"))
    return VarianceShares(_sorted(shares), "forest", (*settings, *repeats), count)


def _codes_of_factors(
    runs: "pd.DataFrame", factors: Sequence[_Factor]
) -> tuple[list[NDArray[np.int64]], tuple[int, ...]]:
    """Return for each factor the number (N,) of each run's values, and how many there are."""
    codes, shape = list[NDArray[np.int64]](), list[int]()
    for factor in factors:
        own, sizes = _codes(runs, factor.keys)
        distinct, code = np.unique(_joined(own, sizes, len(runs)), return_inverse=True)
        codes.append(code.astype(np.int64))
        shape.append(len(distinct))
    return codes, tuple(shape)


def _levels(shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return at how many values of each key the forest is asked; None if two of each were too many."""
    sizes = list(shape)
    while math.prod(sizes) > _POINTS:
        largest = max(range(len(sizes)), key=lambda place: sizes[place])
        if sizes[largest] <= 2:
            return None
        sizes[largest] -= max(1, sizes[largest] // 8)
    return tuple(sizes)
