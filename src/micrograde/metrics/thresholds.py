"""Thresholds from which on a row is taken for a class: what each of them finds, and the best one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVEN = 0.5
"""The threshold above which the second of two classes is the more probable one."""

_MOST_NAMED = 8

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The x (k,) and y (k,) of its points."""

Counts = NDArray[np.integer]
Worth = Callable[[Counts, Counts], NDArray[np.float64]]
"""What thresholds are worth, (k + 1,), given their hits and alarms; see ``Thresholds``."""


@dataclass(frozen=True)
class Thresholds:
    """How many rows are taken for a class at each threshold, from none to all; equal scores are one step.

    Attributes
    ----------
    hits, alarms
        How many of the rows that are of the class, and of the others, (k + 1,).
    scores
        The k different scores, the greatest first.
    """

    hits: Counts
    alarms: Counts
    scores: NDArray[np.floating]

    def roc(self) -> Curve | None:
        """Return the ROC curve, false alarms against recall; None unless there are rows of both kinds."""
        of_it, others = self.hits[-1], self.alarms[-1]
        return (self.alarms / others, self.hits / of_it) if of_it and others else None

    def precision_recall(self) -> Curve | None:
        """Return precision against recall, as steps under which the area is the average precision.

        None unless there are rows of the class.
        """
        if not self.hits[-1]:
            return None
        recall = self.hits / self.hits[-1]
        precision = self.hits[1:] / (self.hits[1:] + self.alarms[1:])
        return np.stack([recall[:-1], recall[1:]], axis=1).ravel(), precision.repeat(2)


def thresholds(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> Thresholds:
    """Return what is taken for a class at each of the scores (n,); ``positive`` (n,) says what is of it."""
    order = np.argsort(-scores, kind="stable")
    in_order = scores[order]
    ends = np.append(np.flatnonzero(np.diff(in_order)), len(order) - 1)
    hits = np.append(0, np.cumsum(positive[order])[ends])
    return Thresholds(hits, np.append(0, ends + 1) - hits, in_order[ends])


@dataclass(frozen=True)
class BestThreshold:
    """The threshold that is worth most.

    Attributes
    ----------
    threshold
        Between 0 and 1; a row whose score is greater is taken for the class.
    worth, at_even
        What it is worth, and what 0.5 is.
    """

    threshold: float
    worth: float
    at_even: float


def best_threshold(scores: NDArray[np.floating], positive: NDArray[np.bool_], worth: Worth) -> BestThreshold:
    """Return the threshold between 0 and 1 that is worth most for n rows.

    All thresholds between two neighbouring scores take the same rows; the one in the middle stands for them
    or, where it is among them, 0.5. Of those that are worth the same the nearest to 0.5 is returned, and of
    two that are equally near the smaller one.

    Parameters
    ----------
    scores
        Probabilities of the class, from 0 to 1, (n,).
    positive
        Which rows are of it, (n,).
    """
    counts = thresholds(scores, positive)
    values = worth(counts.hits, counts.alarms)
    low, high = np.append(counts.scores, 0.0), np.append(1.0, counts.scores)  # low <= threshold < high
    middle = low + (high - low) / 2
    middle = np.where(middle < high, middle, low)  # rounded, between two neighbouring floats
    even = (low <= EVEN) & (high > EVEN)
    middle[even] = EVEN
    there_are = (low < high) & (middle > 0)
    best = there_are & (values == values[there_are].max())
    place = np.lexsort([middle, np.abs(middle - EVEN), ~best])[0]
    return BestThreshold(float(middle[place]), float(values[place]), float(values[even][0]))


def f1_of(positives: int) -> Worth:
    """Return what gives the F1 of a class that has so many rows; rows that have no score are missed."""
    return lambda hits, alarms: 2 * hits / (hits + alarms + positives)


def saved_cost_of(positives: int, *, missed: float, alarm: float) -> Worth:
    """Return what gives minus the cost of all errors.

    Parameters
    ----------
    positives
        How many rows are of the class.
    missed, alarm
        The cost of taking one of them for the other class, and that of taking another row for this one.
    """
    return lambda hits, alarms: -(missed * (positives - hits) + alarm * alarms)


def threshold_text(threshold: float) -> str:
    """Return a threshold with three digits, or as many as it takes not to read 0 or 1."""
    texts = (f"{threshold:.{digits}g}" for digits in range(3, 18))
    return next((text for text in texts if 0 < float(text) < 1), repr(threshold))


def thresholds_text(thresholds: Sequence[float], names: Sequence[str]) -> str:
    """Return the threshold of each label: ``0.31 for red, 0.5 for ripe``, or ``0.3 for each label``."""
    if len(set(thresholds)) == 1 and len(thresholds) > 1:
        return f"{threshold_text(thresholds[0])} for each label"
    pairs = list(zip(thresholds, names, strict=True))
    more = f" and {len(pairs) - _MOST_NAMED} more" if len(pairs) > _MOST_NAMED else ""
    return ", ".join(f"{threshold_text(each)} for {name}" for each, name in pairs[:_MOST_NAMED]) + more
