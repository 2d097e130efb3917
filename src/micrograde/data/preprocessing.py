"""Preprocessing that is fitted on the training features and applied to all rows, new ones included.

Missing values are filled with the training part's means, then each feature is shifted and scaled
to mean 0 and standard deviation 1 on the training part. A model cannot be used without these numbers,
so they are saved with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.core.errors import InputError
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.dataset import Dataset, FloatArray, Part
from micrograde.data.encoding import TableEncoding
from micrograde.data.messages import counted, listed

if TYPE_CHECKING:
    import pandas

_NUMBERS = 2**20
"""How many are processed at a time, so that copies of them take little memory."""

_SMALL, _LARGE = 1e-150, 1e150  # outside this range the square of a number leaves float64's, or nearly


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """The fitted transformation from raw features to a network's inputs.

    Parameters
    ----------
    fill
        Shape (D,), the values that replace missing ones; None if missing values are refused.
    means, scales
        Shape (D,): a feature x becomes ``(x - mean) / scale``. Zeros and ones leave it unchanged.
    feature_names, class_names
        The D inputs and the C outputs of the network.
    encoding
        How a raw table's rows become features; None if the source was not a table.
    """

    fill: FloatArray | None
    means: FloatArray
    scales: FloatArray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    encoding: TableEncoding | ColumnEncoding | None = None

    @classmethod
    def fit(cls, dataset: Dataset, train: FloatArray | Part, *, standardize: bool) -> "Preprocessing":
        """Fit to the training part of ``dataset``, or to features (n, D) of it.

        Standard deviations divide by n, as ``numpy.std`` does. A constant feature has scale 1.

        Raises
        ------
        InputError
            If missing values are to be filled and a feature has no value in the training part.
        """
        part = train if isinstance(train, Part) else _as_part(train)
        width = part.source.shape[1]
        means, scales, fill = np.zeros(width), np.ones(width), np.zeros(width)
        without: list[int] = []
        for columns in _columns_at_a_time(len(part), width):
            if not (standardize or dataset.fill_missing):
                break
            features = part.block(slice(None), columns)
            if dataset.fill_missing:
                empty = np.isnan(features).all(axis=0)
                without += (columns.start + np.flatnonzero(empty)).tolist()
                if without:
                    continue
                fill[columns] = _fill_values(dataset, features)
                features = _filled(features, fill[columns])
            if standardize:
                means[columns] = _column_means(features)
                deviations = _deviations(features)
                # Rounding can give a constant column a tiny deviation; dividing by it would amplify noise.
                differ = features.min(axis=0) < features.max(axis=0)
                scales[columns] = np.where(differ & (deviations > 0), deviations, 1.0)
        if without:
            raise InputError(_nothing_to_fill_with(dataset, without))
        return cls(
            fill if dataset.fill_missing else None,
            means,
            scales,
            dataset.feature_names,
            dataset.class_names,
            dataset.encoding,
        )

    def transform(self, features: FloatArray) -> FloatArray:
        """Return the network's inputs (n, D) for raw features (n, D).

        Raises
        ------
        InputError
            If the number of features differs, or values are infinite, or missing and ``fill`` is None.
        """
        if features.ndim != 2 or features.shape[1] != len(self.means):
            raise InputError(f"features: have the shape {features.shape}; needs (n, {len(self.means)})")
        inputs: FloatArray = self.inputs(_as_part(np.asarray(features, dtype=np.float64)), np.float64)
        return inputs

    def inputs(self, part: Part, dtype: DTypeLike) -> NDArray[Any]:
        """Return the network's inputs (n, D) for the rows of a part of a data set, computed in float64.

        Raises
        ------
        InputError
            As ``transform``.
        """
        width = len(self.means)
        inputs = np.empty((len(part), width), dtype)
        bad = np.zeros(width, np.int64)
        for start in range(0, len(part), rows := max(1, _NUMBERS // max(1, width))):
            features = _filled(part.block(slice(start, start + rows)), self.fill)
            finite = np.isfinite(features)
            if not finite.all():
                bad += (~finite).sum(axis=0)
            inputs[start : start + rows] = (features - self.means) / self.scales
        if bad.any():
            counts = counted(zip(self.feature_names, bad.tolist(), strict=True))
            raise InputError(f"features: missing or infinite values in {counts}; needs numbers")
        return inputs

    def transform_table(self, table: "pandas.DataFrame") -> FloatArray:
        """Return the network's inputs (n, D) for n rows of a table with the columns of the training data.

        The target column may be absent; columns that are not features are ignored.

        Raises
        ------
        InputError
            If a column is missing or a category is unknown, and as in ``transform``.
        """
        if self.encoding is None:
            raise InputError(
                "table: the model was trained on arrays, not on a table; "
                f"give an array of its {len(self.means)} features: {listed(self.feature_names, limit=5)}"
            )
        return self.transform(self.encoding.encode(table))

    def state(self) -> dict[str, Any]:
        """Return all parameters as plain values for JSON, from which ``from_state`` restores them exactly."""
        return {
            "fill": None if self.fill is None else self.fill.tolist(),
            "means": self.means.tolist(),
            "scales": self.scales.tolist(),
            "feature_names": list(self.feature_names),
            "class_names": list(self.class_names),
            "encoding": None if self.encoding is None else self.encoding.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Preprocessing":
        """Return the preprocessing that ``state()`` described, equal bit for bit."""
        return cls(
            fill=None if state["fill"] is None else np.array(state["fill"], dtype=np.float64),
            means=np.array(state["means"], dtype=np.float64),
            scales=np.array(state["scales"], dtype=np.float64),
            feature_names=tuple(state["feature_names"]),
            class_names=tuple(state["class_names"]),
            encoding=_encoding_from_state(state["encoding"]),
        )

    def check(self) -> None:
        """Raise ``ValueError`` unless the parameters fit each other, which those of a file may not."""
        columns = self.encoding.columns if self.encoding else ()
        names = [*self.feature_names, *self.class_names, *columns]
        if isinstance(self.encoding, TableEncoding):
            names += chain(*(each for each in self.encoding.categories if each))
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a name is not a string")
        for unlike in (columns, self.class_names):
            if len(set(unlike)) < len(unlike):
                raise ValueError("a name occurs twice")
        features = len(self.feature_names)
        if self.encoding and len(self.encoding.feature_names) != features:
            raise ValueError(f"the columns do not encode to {features} features")
        for numbers in (self.means, self.scales, self.means if self.fill is None else self.fill):
            if numbers.shape != (features,) or not np.isfinite(numbers).all():
                raise ValueError(f"means, scales and fill must be {features} finite numbers each")


def _encoding_from_state(state: dict[str, Any] | None) -> TableEncoding | ColumnEncoding | None:
    if state is None:
        return None
    return ColumnEncoding.from_state(state) if "roles" in state else TableEncoding.from_state(state)


def _as_part(features: FloatArray) -> Part:
    return Part(features, np.zeros(len(features), np.int64), np.arange(len(features)))


def _columns_at_a_time(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of columns that take little memory together; none but that of a single column has one.

    NumPy adds the rows of several columns one after the other, but those of one column in pairs: how columns
    are grouped, rounding would depend on it.
    """
    width = max(2, _NUMBERS // max(1, rows))
    starts = [*range(0, max(1, columns - 1), width), columns]
    yield from (slice(start, end) for start, end in pairwise(starts))


def _nothing_to_fill_with(dataset: Dataset, without: list[int]) -> str:
    names = listed(dataset.feature_names[column] for column in without)
    by = f"a {dataset.filled_by} from in {names}"
    if isinstance(dataset.encoding, ColumnEncoding):
        return (
            f"data.missing: the training part has no value to take {by}; data.drop leaves such a column out"
        )
    return f"data.missing=mean: the training part has no value to take {by}"


def _fill_values(dataset: Dataset, features: FloatArray) -> FloatArray:
    if dataset.filled_by == "median":
        medians: FloatArray = np.nanmedian(features, axis=0)
        return medians
    return _column_means(features)


def _filled(features: FloatArray, fill: FloatArray | None) -> FloatArray:
    return features if fill is None else np.where(np.isnan(features), fill, features)


def _column_means(features: FloatArray) -> FloatArray:
    """Return means (D,) without missing values; exact for a constant column, where a sum would round."""
    low, high = np.nanmin(features, axis=0), np.nanmax(features, axis=0)
    with np.errstate(over="ignore"):
        means: FloatArray = np.where(low == high, low, np.nanmean(features, axis=0))
    for column in np.flatnonzero(~np.isfinite(means)):  # the sum overflows
        size = max(abs(low[column]), abs(high[column]))
        means[column] = np.nanmean(features[:, column] / size) * size
    return means


def _deviations(features: FloatArray) -> FloatArray:
    """Return standard deviations (D,), dividing by n, also where squares would over- or underflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        deviations: FloatArray = features.std(axis=0)
    low, high = features.min(axis=0), features.max(axis=0)
    odd = (low < high) & ~((deviations > _SMALL) & (deviations < _LARGE))
    for column in np.flatnonzero(odd):
        size = max(abs(low[column]), abs(high[column]))
        deviations[column] = (features[:, column] / size).std() * size
    return deviations
