"""The column that says what each row counts (``data.weight``)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.columns import Column
from micrograde.data.messages import quoted
from micrograde.data.roles import RoleSettings
from micrograde.data.roles.number import Number


def row_weights(column: Column, settings: RoleSettings) -> NDArray[np.float64]:
    """Return the weight of each row, shape (n,), as it stands in a column; NaN where there is none.

    Raises
    ------
    InputError
        If the column holds no numbers.
    """
    number = Number.of(column, replace(settings, forced=True))
    if number is None:
        raise InputError(f"data.weight={column.name}: column {quoted(column.name)} holds no numbers")
    weights: NDArray[np.float64] = number.encode(column).values[:, 0]
    return weights


def check_weights(weights: NDArray[np.float64], numbers: NDArray[np.int64], source: str) -> None:
    """Raise ``InputError`` unless all weights (n,) are finite numbers from 0, and one is more than that.

    Parameters
    ----------
    numbers
        The number of each row, from 1, for messages.
    source
        What messages start with: ``data.weight=w``.
    """
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        weight, count = weights[first], int(wrong.sum())
        of = (
            f"row {numbers[first]} has no weight"
            if np.isnan(weight)
            else f"row {numbers[first]} weighs {weight:g}"
        )
        others = "" if count == 1 else f", and {count - 1} more {'is' if count == 2 else 'are'} like it"
        raise InputError(
            f"{source}: {of}{others}; give each row a finite number from 0 on, where 0 leaves it out"
        )
    if not weights.any():
        raise InputError(f"{source}: every row weighs 0; one needs a weight above that")


def scaled_weights(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights above 0, (n,), times a factor that makes their mean 1, however large they are."""
    shares = weights / weights.max()
    scaled: NDArray[np.float64] = shares / shares.mean()
    return scaled
