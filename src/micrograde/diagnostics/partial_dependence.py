"""Partial dependence: the mean answer if all rows had the same value in one column.

An answer is the probabilities of the classes, or the numbers that are predicted in their own units.

After Friedman (2001), "Greedy function approximation: a gradient boosting machine", section 8.2. A column is
set as a whole, with all features that it becomes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.data import Preprocessing
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.roles import Role
from micrograde.data.roles.category import Category
from micrograde.data.roles.date import Date
from micrograde.data.roles.truth import Truth
from micrograde.diagnostics.points import cost_of_a_row, some_rows
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray, blocks_of_rows
from micrograde.tasks import Task
from micrograde.training import Samples

_POINTS = 20
_FROM, _TO = 0.05, 0.95  # quantiles; beyond them there are too few rows to say anything
_LEVELS = 12
_MOST_ROWS, _LEAST_ROWS = 500, 20
_BUDGET = 1e8  # multiplications for a column
_DATES = 3  # that are written below the axis


@dataclass(frozen=True)
class Values:
    """P values of a column, in rising order.

    Attributes
    ----------
    features
        (P, k), what each becomes, transformed.
    positions
        (P,), where they are on an axis: the numbers themselves, for dates days, for levels 0, 1, ...
    ticks
        Positions with their labels; none for numbers.
    are_levels
        Whether the column has levels, such as categories, and nothing between them.
    of_levels
        How many levels there are; the most frequent ones are among the values.
    missing
        (k,), what a missing value becomes; None if the network was not trained to see one.
    """

    features: FloatArray
    positions: FloatArray
    ticks: tuple[tuple[float, str], ...] = ()
    are_levels: bool = False
    of_levels: int = 0
    missing: FloatArray | None = None


@dataclass(frozen=True)
class PartialDependence:
    """Means at P values of a column, (P, C), and where it is missing, (C,).

    Of the probabilities of C classes, or of C numbers that are predicted.
    """

    column: str
    values: Values
    means: NDArray[np.float64]
    if_missing: NDArray[np.float64] | None


def values_to_try(preprocessing: Preprocessing, training: Samples, column: int) -> Values | None:
    """Return the values of a column to compute the dependence at; None if it has only one.

    Of numbers and dates, 20 quantiles from 5 % to 95 %, or all if there are no more; of categories the most
    frequent ones.
    """
    _, place = preprocessing.columns()[column]
    features = training.features[:, place]
    encoding = preprocessing.encoding
    role = encoding.roles[column] if isinstance(encoding, ColumnEncoding) else None
    found: Values | None
    if isinstance(role, Category):
        found = _levels(role, _transformed(preprocessing, place, np.eye(features.shape[1])), features)
    elif order_of(role, features.shape[1]) is not None:
        found = _in_order(preprocessing, place, role, features)
    else:
        return None  # a role of a plug-in, whose features may depend on each other
    return found if len(found.features) > 1 else None


def partial_dependence(
    model: MLP, samples: Samples, place: slice, values: Values, *, task: Task, column: str
) -> PartialDependence:
    """Set the features at ``place`` of some rows to each value, and average the answers.

    Parameters
    ----------
    model
        A stack of one; it is not changed.
    samples
        Rows, transformed, of which at most 500 are used.
    """
    rows = min(_MOST_ROWS, max(_LEAST_ROWS, int(_BUDGET / (cost_of_a_row(model) * len(values.features)))))
    features = some_rows(samples, rows).features
    tried = [*values.features, *([] if values.missing is None else [values.missing])]
    everywhere = np.tile(features, (len(tried), 1, 1))
    everywhere[:, :, place] = np.stack(tried)[:, None]
    flat = everywhere.reshape(-1, features.shape[1])
    with np.errstate(all="ignore"):  # rows may overflow
        blocks = [task.answers(model.predict_logits(flat[block])[0]) for block in blocks_of_rows(len(flat))]
        answers = np.concatenate(blocks).reshape(len(tried), len(features), -1)
    means = answers.mean(axis=1, dtype=np.float64)
    count = len(values.features)
    return PartialDependence(column, values, means[:count], None if values.missing is None else means[count])


def _levels(role: Category, features: FloatArray, training: FloatArray) -> Values:
    """Return the categories that stand in most rows of the training part, in the order of the features."""
    names = (*role.categories, *(["other"] if role.other else []), *(["missing"] if role.missing else []))
    middle = (features.max(axis=0) + features.min(axis=0)) / 2
    counts = (training > middle).sum(axis=0)
    there = np.flatnonzero(counts)
    most = np.sort(there[np.argsort(-counts[there], kind="stable")][:_LEVELS])
    ticks = tuple((float(place), names[level]) for place, level in enumerate(most.tolist()))
    return Values(features[most], np.arange(float(len(most))), ticks, True, len(there))


def _in_order(preprocessing: Preprocessing, place: slice, role: Role | None, features: FloatArray) -> Values:
    """Return the values of rows of the training part, by the one feature that orders them."""
    key = _key(role)
    missing = None
    if role and role.has_indicator:
        is_missing = features[:, -1] > (features[:, -1].max() + features[:, -1].min()) / 2
        if is_missing.any() and not is_missing.all():
            missing, features = features[np.argmax(is_missing)], features[~is_missing]
    chosen = features[_spread(features[:, key])]
    scale, mean = preprocessing.scales[place][key], preprocessing.means[place][key]
    positions = chosen[:, key].astype(np.float64) * scale + mean
    ticks: tuple[tuple[float, str], ...] = ()
    if isinstance(role, Truth):
        blocks = np.zeros((len(chosen), features.shape[1]))
        blocks[:, 0] = np.rint(positions)
        names = [str(name).lower() for name in role.decode(blocks)]
        ticks = tuple(zip(np.rint(positions).tolist(), names, strict=True))
        return Values(chosen, np.rint(positions), ticks, True, len(chosen), missing)
    if isinstance(role, Date):
        ticks = dates_between(role, float(positions[0]), float(positions[-1]), features.shape[1])
    return Values(chosen, positions, ticks, missing=missing)


def order_of(role: Role | None, width: int) -> int | None:
    """Return which of the features that a column becomes orders its values; None if none does.

    None is also returned of categories, and of a plug-in's role of several features.
    """
    if isinstance(role, Category):
        return None
    if role is None or isinstance(role, Date) or width - role.has_indicator == 1:
        return _key(role)
    return None


def _key(role: Role | None) -> int:
    """Return which feature orders the values: of a date the days since the first."""
    return (4 if role.hours else 3) if isinstance(role, Date) else 0


def _spread(numbers: FloatArray) -> IntArray:
    """Return the rows of the numbers (n,) that stand for all: one of each if they are few, or quantiles."""
    distinct, rows = np.unique(numbers, return_index=True)
    if len(distinct) <= _POINTS:
        return rows
    order = np.argsort(numbers, kind="stable")
    at = order[np.rint(np.linspace(_FROM, _TO, _POINTS) * (len(numbers) - 1)).astype(int)]
    quantiles: IntArray = at[np.unique(numbers[at], return_index=True)[1]]
    return quantiles


def dates_between(role: Date, low: float, high: float, width: int) -> tuple[tuple[float, str], ...]:
    """Return some days between two, evenly spaced, with their dates; none of them need stand in the table."""
    shares = (np.arange(_DATES) + 0.5) / _DATES
    days = np.unique(np.rint(low + shares * (high - low)))
    features = np.zeros((len(days), width))
    features[:, _key(role)] = days
    return tuple((float(day), str(date)[:10]) for day, date in zip(days, role.decode(features), strict=True))


def _transformed(preprocessing: Preprocessing, place: slice, features: FloatArray) -> FloatArray:
    transformed: FloatArray = (features - preprocessing.means[place]) / preprocessing.scales[place]
    return transformed
