"""A swept parameter on an axis: the position of each run, and the ticks.

Geometrically spaced numbers are placed by their logarithm, and categories at 0, 1, 2..., so that every axis
is linear, both in charts and in parallel coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.core.natural_order import is_missing, natural_key
from micrograde.drawing.panel import round_ticks
from micrograde.drawing.run.confusion import shorten

TICKS = 12
"""The most values that are written along an axis; of more, round numbers in their range."""

_FEW = 20  # with at most so many different numbers and a missing one, all are categories
_HUGE = 1e307  # numbers beyond are categories: their differences might overflow
_WIDE = 8.0  # the least ratio of the largest to the smallest number for a logarithmic axis


@dataclass(frozen=True)
class Scale:
    """The positions of runs on an axis.

    Attributes
    ----------
    kind
        ``category`` places the different values at 0, 1, 2...; ``log`` takes decimal logarithms.
    positions
        (N,), NaN for a run that cannot be placed.
    ticks, labels
        The positions of ticks, and their texts.
    """

    kind: Literal["linear", "log", "category"]
    positions: NDArray[np.float64]
    ticks: NDArray[np.float64]
    labels: tuple[str, ...]

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis, with a margin beside the outermost runs."""
        if self.kind == "category":
            return -0.5, max(len(self.ticks), int(np.nanmax(self.positions, initial=0)) + 1) - 0.5
        low, high = np.nanmin(self.positions), np.nanmax(self.positions)
        room = 0.06 * (high - low) or 0.5
        return float(low - room), float(high + room)


def scale_of(values: Sequence[object]) -> Scale:
    """Return the axis for these values, one for each run."""
    missing = [is_missing(value) for value in values]
    given = [value for value, gone in zip(values, missing, strict=True) if not gone]
    numbers = all(_is_number(value) for value in given)
    if not given or not numbers or (any(missing) and len(set(given)) <= _FEW):
        return _categories(values)
    positions = np.array(
        [np.nan if gone else float(value) for value, gone in zip(values, missing, strict=True)]  # type: ignore[arg-type]
    )
    distinct = np.unique(positions[~np.isnan(positions)])
    kind: Literal["linear", "log"] = "log" if _is_geometric(distinct) else "linear"
    ticks = distinct if len(distinct) <= TICKS else _round_ticks(distinct, kind)
    if kind == "log":
        with np.errstate(divide="ignore"):
            positions, places = np.log10(positions), np.log10(ticks)
    else:
        places = ticks
    labels = tuple(f"{tick:.6g}" for tick in ticks)
    kept = _apart(places, labels)
    return Scale(kind, positions, places[kept], tuple(labels[tick] for tick in kept))


def shown(value: object) -> str:
    """Return a value as it is written in a picture."""
    if is_missing(value):
        return "null"
    if _is_truth(value):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return shorten(" ".join(str(value).split()))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not _is_truth(value) and abs(float(value)) < _HUGE


def _is_truth(value: object) -> bool:
    return isinstance(value, bool | np.bool_)


def _categories(values: Sequence[object]) -> Scale:
    """Return an axis of categories: numbers and lists of numbers by size, then text, missing values last."""
    keys = [natural_key(value) for value in values]
    distinct = sorted(set(keys))
    place = {each: position for position, each in enumerate(distinct)}
    names = {place[each]: shown(value) for each, value in zip(keys, values, strict=True)}
    step = -(-len(distinct) // (2 * TICKS))  # of very many values only every second, third... is written
    ticks = np.arange(0, len(distinct), step)
    positions = np.array([place[each] for each in keys], float)
    return Scale("category", positions, ticks.astype(float), tuple(names[tick] for tick in ticks.tolist()))


def _is_geometric(distinct: NDArray[np.float64]) -> bool:
    """Return whether the numbers are positive and more evenly spaced by ratios than by differences."""
    if len(distinct) < 2 or distinct[0] <= 0 or distinct[-1] / _WIDE < distinct[0]:
        return False
    gaps, ratios = np.diff(distinct), np.diff(np.log(distinct))
    return bool(np.std(ratios) / np.mean(ratios) <= np.std(gaps) / np.mean(gaps) + 1e-9)


def _round_ticks(distinct: NDArray[np.float64], kind: Literal["linear", "log"]) -> NDArray[np.float64]:
    """Return round numbers within the range."""
    low, high = distinct[0], distinct[-1]
    if kind == "linear":
        ticks = np.array([tick for tick, _ in round_ticks(float(low), float(high))])
    else:
        powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        every = -(-len(powers) // TICKS)
        ticks = 10.0 ** powers[::every]
        if high / low < 100:
            ticks = np.sort(np.concatenate([ticks, 2 * ticks, 5 * ticks]))
    room = 1e-9 * (high - low)  # 0.1 and 10 ** -1.0 need not be the same
    inside: NDArray[np.float64] = ticks[(ticks >= low - room) & (ticks <= high + room)]
    return inside


def _apart(places: ArrayLike, labels: Sequence[str]) -> list[int]:
    """Return the indices of the ticks whose labels do not overlap the label before."""
    where = np.asarray(places, float)
    kept: list[int] = []
    width = 0.018 * (where[-1] - where[0]) if len(where) else 0.0
    for tick in range(len(where)):
        half = (len(labels[kept[-1]]) + len(labels[tick])) / 2 + 1 if kept else 0
        if not kept or where[tick] - where[kept[-1]] >= width * half:
            kept.append(tick)
    return kept
