"""Where the rows of a column are on an axis, in the units that its source has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.data import Preprocessing
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.roles.category import Category
from micrograde.data.roles.date import Date
from micrograde.data.roles.truth import Truth
from micrograde.diagnostics.partial_dependence import dates_between, order_of
from micrograde.nn.arrays import FloatArray


@dataclass(frozen=True)
class ColumnAxis:
    """The n rows of a column on an axis.

    Attributes
    ----------
    positions
        (n,): numbers, of dates days, of levels 0, 1, ...; NaN where a value is missing.
    levels
        The names of levels, in the order of their positions; none for numbers and dates.
    ticks
        Some positions with their dates; none for numbers and levels.
    """

    positions: NDArray[np.float64]
    levels: tuple[str, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()


def column_axis(preprocessing: Preprocessing, features: FloatArray, place: slice) -> ColumnAxis | None:
    """Return the rows of features (n, D), as a network gets them, on the axis of the column at ``place``.

    None for a column of several numbers that have no order, which a plug-in may have.
    """
    places = [each for _, each in preprocessing.columns()]
    encoding = preprocessing.encoding
    role = encoding.roles[places.index(place)] if isinstance(encoding, ColumnEncoding) else None
    given = features[:, place].astype(np.float64) * preprocessing.scales[place] + preprocessing.means[place]
    if isinstance(role, Category):
        names = (*role.categories, *(["other"] if role.other else []), *(["missing"] if role.missing else []))
        return ColumnAxis(given.argmax(axis=1).astype(np.float64), names)
    key = order_of(role, given.shape[1])
    if key is None:
        return None
    positions = given[:, key].copy()
    if role and role.has_indicator:
        positions[given[:, -1] > 0.5] = np.nan
    if isinstance(role, Truth):
        return ColumnAxis(np.rint(positions), ("false", "true") if role.plain else ("no", "yes"))
    known = positions[np.isfinite(positions)]
    if isinstance(role, Date) and len(known):
        return ColumnAxis(
            positions, ticks=dates_between(role, float(known.min()), float(known.max()), given.shape[1])
        )
    return ColumnAxis(positions)
