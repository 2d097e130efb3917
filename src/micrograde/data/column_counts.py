"""How often the values of a column stand in a table, as a picture of it shows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.data.columns import Column
from micrograde.data.roles import Axis, FloatArray, Role
from micrograde.data.roles.category import MISSING_MARK

IntArray = NDArray[np.int64]

_BINS = 30
_MOST_NAMES = 12
_TAILS = 0.005  # the share of the numbers that may lie outside a histogram, at each end
_HUGE = 1e300  # beyond which differences overflow
_EXACT = 2.0**50  # up to which the middle between two whole numbers is a float


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many numbers, dates or times lie between edges.

    Attributes
    ----------
    kind
        What the edges are; see the role's ``axis``.
    edges
        Shape (B + 1,), in rising order.
    counts
        Shape (B, C): the rows of each class.
    below, above
        How many rows lie outside.
    lowest, highest
        The lowest and the highest value of all.
    """

    kind: Axis
    edges: FloatArray
    counts: IntArray
    below: int
    above: int
    lowest: float
    highest: float


@dataclass(frozen=True, eq=False)
class Frequencies:
    """In how many rows the most frequent texts stand.

    Attributes
    ----------
    names
        The K texts, the most frequent first.
    counts
        Shape (K, C): the rows of each class.
    others
        How many texts more there are.
    other_rows
        In how many rows those stand.
    """

    names: tuple[str, ...]
    counts: IntArray
    others: int
    other_rows: int


def counts_of(column: Column, role: Role, labels: IntArray, classes: int) -> Histogram | Frequencies | None:
    """Return how often the values of a column stand there; None if it is left out, or holds none.

    Parameters
    ----------
    labels
        Shape (n,): the class of each row, from 0 on.
    classes
        The number C of classes; 1 to tell none apart.
    """
    if not role.used:
        return None
    if role.axis is not None:
        return _histogram(role.along_axis(column), role.axis, labels, classes)
    words = frozenset(getattr(role, "words", ())) | {MISSING_MARK}
    return _frequencies(column, words, role.nameable, labels, classes)


def counts_of_numbers(numbers: FloatArray) -> Histogram | None:
    """Return how often numbers (n,) stand there, of one class; None if none can be drawn."""
    return _histogram(numbers, "number", np.zeros(len(numbers), np.int64), 1)


def _frequencies(
    column: Column, words: frozenset[str], kept: frozenset[str] | None, labels: IntArray, classes: int
) -> Frequencies | None:
    """Return the most frequent texts of a column, without the spaces around them.

    ``words`` stand for missing values; only ``kept`` texts are named, for a rare one may be somebody's own.
    """
    column = column.as_texts
    assert column.codes is not None
    place: dict[str, int] = {}
    places = np.full(len(column.distinct), -1, np.int64)
    for index, text in enumerate(column.distinct):
        plain = text.strip()
        if plain and plain not in words:
            places[index] = place.setdefault(plain, len(place))
    of_rows = column.spread(places, -1)
    there = of_rows >= 0
    pairs = of_rows[there] * classes + labels[there]
    counts = np.bincount(pairs, minlength=len(place) * classes).reshape(len(place), classes)
    totals, names = counts.sum(axis=1), list(place)
    order = [each for each in range(len(names)) if kept is None or names[each] in kept]
    shown = sorted(order, key=lambda each: (-int(totals[each]), names[each]))[:_MOST_NAMES]
    if not shown:
        return None
    return Frequencies(
        tuple(names[each] for each in shown),
        counts[shown].astype(np.int64),
        len(names) - len(shown),
        int(totals.sum() - totals[shown].sum()),
    )


def _histogram(values: FloatArray, kind: Axis, labels: IntArray, classes: int) -> Histogram | None:
    there = np.abs(values) < _HUGE
    values, labels = values[there], labels[there]
    if not values.size:
        return None
    lowest, highest = float(values.min()), float(values.max())
    edges = _edges(values)
    inside = (values >= edges[0]) & (values <= edges[-1])
    places = np.clip(np.searchsorted(edges, values[inside], side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(places * classes + labels[inside], minlength=(len(edges) - 1) * classes)
    return Histogram(
        kind,
        edges,
        counts.reshape(-1, classes).astype(np.int64),
        int((values < edges[0]).sum()),
        int((values > edges[-1]).sum()),
        lowest,
        highest,
    )


def _edges(values: FloatArray) -> FloatArray:
    """Return the edges of bins of one width: around whole numbers if these are few, else between the ends."""
    low, high = float(values.min()), float(values.max())
    first, last = np.quantile(values, (_TAILS, 1 - _TAILS)).tolist()
    between = last / 2 - first / 2
    if between > 0:  # a tail that is wider than all that lies between is left outside
        low = first if first / 2 - low / 2 > between else low
        high = last if high / 2 - last / 2 > between else high
    width = max(1.0, np.ceil((high / 2 - low / 2) * 2 / _BINS))
    if max(-low, high) < _EXACT and (values == np.floor(values)).all():
        start = np.floor(low) - 0.5
        return np.asarray(start + width * np.arange(np.ceil((np.floor(high) + 0.5 - start) / width) + 1))
    room = 0.0 if high > low else max(abs(low) * 1e-3, 1e-3)
    shares = np.linspace(0, 1, _BINS + 1)
    edges = (low - room) * (1 - shares) + (high + room) * shares
    return np.asarray(np.unique(edges))
