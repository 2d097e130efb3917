"""Preprocessing that is fitted on the training features and applied to all rows, new ones included.

Missing values are filled with the training part's means, then each feature is shifted and scaled
to mean 0 and standard deviation 1 on the training part. A model cannot be used without these numbers,
so they are saved with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from micrograde.core.errors import InputError
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.dataset import CLASSIFICATION, REGRESSION, Dataset, FloatArray, Part
from micrograde.data.encoding import TableEncoding
from micrograde.data.messages import counted, listed
from micrograde.data.target_scaling import TargetScaling

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
    task, target_names
        What is to be learned, and the names of numbers to be predicted; see ``Dataset``.
    target_scaling
        How these numbers are scaled for the network; None if there are none.
    """

    fill: FloatArray | None
    means: FloatArray
    scales: FloatArray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    encoding: TableEncoding | ColumnEncoding | None = None
    task: str = CLASSIFICATION
    target_names: tuple[str, ...] = ()
    target_scaling: TargetScaling | None = None

    @classmethod
    def fit(cls, dataset: Dataset, train: FloatArray | Part, *, standardize: bool) -> "Preprocessing":
        """Fit to the training part of ``dataset``, or to features (n, D) of it if it has classes.

        Standard deviations divide by n, as ``numpy.std`` does. A constant feature has scale 1. If the rows of
        the data set have weights, all of this is weighted by them: a weight of 2 is the row twice.

        Raises
        ------
        InputError
            If missing values are to be filled and a feature has no value in the training part.
        """
        part = train if isinstance(train, Part) else _as_part(train)
        width = part.source.shape[1]
        means, scales, fill, rows_weigh = np.zeros(width), np.ones(width), None, None
        if dataset.weights is not None:
            of_rows = dataset.weights[part.rows]
            rows_weigh = np.ldexp(of_rows, -np.frexp(of_rows.max())[1])  # so that they can be added up
        if rows_weigh is not None and (standardize or dataset.fill_missing):
            fill, means, scales = _weighted_fit(dataset, part, rows_weigh, standardize=standardize)
        elif standardize or dataset.fill_missing:
            found = _Moments.of(part)
            if dataset.fill_missing:
                fill = _fill_values(dataset, part, found)
                found = _Moments.of(part, fill) if found.missing else found
            if standardize:
                means = _column_means(part, found, fill)
                deviations = _deviations(part, found, fill)
                # Rounding can give a constant column a tiny deviation; dividing by it would amplify noise.
                scales = np.where((found.low < found.high) & (deviations > 0), deviations, 1.0)
        scaling = TargetScaling.fit(part.labels, rows_weigh) if dataset.task == REGRESSION else None
        return cls(
            fill,
            means,
            scales,
            dataset.feature_names,
            dataset.class_names,
            dataset.encoding,
            dataset.task,
            dataset.target_names,
            scaling,
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
        for rows in _rows_at_a_time(part):
            features = _filled(part.block(rows), self.fill)
            finite = np.isfinite(features)
            if not finite.all():
                bad += (~finite).sum(axis=0)
            inputs[rows] = (features - self.means) / self.scales
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

    def columns(self) -> list[tuple[str, slice]]:
        """Return the columns of the source, each with the features that it becomes.

        Those are a category's zeros and ones, a date's numbers, or a number and the indicator of its missing
        values. Of arrays each feature is a column.
        """
        if self.encoding is None:
            names, widths = self.feature_names, [1] * len(self.feature_names)
        else:
            names, widths = self.encoding.columns, self.encoding.widths
        ends = np.cumsum(widths).tolist()
        return [(name, slice(end - width, end)) for name, width, end in zip(names, widths, ends, strict=True)]

    def state(self) -> dict[str, Any]:
        """Return all parameters as plain values for JSON, from which ``from_state`` restores them exactly."""
        return {
            "fill": None if self.fill is None else self.fill.tolist(),
            "means": self.means.tolist(),
            "scales": self.scales.tolist(),
            "feature_names": list(self.feature_names),
            "class_names": list(self.class_names),
            "encoding": None if self.encoding is None else self.encoding.state(),
            **({"target": self._target_state()} if self.task != CLASSIFICATION else {}),
        }

    def _target_state(self) -> dict[str, Any]:
        scaling = self.target_scaling
        return {
            "task": self.task,
            "names": list(self.target_names),
            "means": None if scaling is None else scaling.means.tolist(),
            "scales": None if scaling is None else scaling.scales.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Preprocessing":
        """Return the preprocessing that ``state()`` described, equal bit for bit."""
        target = state.get("target") or {"task": CLASSIFICATION, "names": (), "means": None}
        scaling = None
        if target["means"] is not None:
            scaling = TargetScaling(
                np.array(target["means"], dtype=np.float64), np.array(target["scales"], dtype=np.float64)
            )
        return cls(
            fill=None if state["fill"] is None else np.array(state["fill"], dtype=np.float64),
            means=np.array(state["means"], dtype=np.float64),
            scales=np.array(state["scales"], dtype=np.float64),
            feature_names=tuple(state["feature_names"]),
            class_names=tuple(state["class_names"]),
            encoding=_encoding_from_state(state["encoding"]),
            task=target["task"],
            target_names=tuple(target["names"]),
            target_scaling=scaling,
        )

    def check(self) -> None:
        """Raise ``ValueError`` unless the parameters fit each other, which those of a file may not."""
        columns = self.encoding.columns if self.encoding else ()
        names = [*self.feature_names, *self.class_names, *self.target_names, *columns]
        if isinstance(self.encoding, TableEncoding):
            names += chain(*(each for each in self.encoding.categories if each))
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a name is not a string")
        for unlike in (columns, self.class_names, self.target_names):
            if len(set(unlike)) < len(unlike):
                raise ValueError("a name occurs twice")
        features = len(self.feature_names)
        if self.encoding and len(self.encoding.feature_names) != features:
            raise ValueError(f"the columns do not encode to {features} features")
        for numbers in (self.means, self.scales, self.means if self.fill is None else self.fill):
            if numbers.shape != (features,) or not np.isfinite(numbers).all():
                raise ValueError(f"means, scales and fill must be {features} finite numbers each")
        scaling, targets = self.target_scaling, len(self.target_names)
        for numbers in (scaling.means, scaling.scales) if scaling else ():
            if numbers.shape != (targets,) or not np.isfinite(numbers).all():
                raise ValueError(f"means and scales of the target must be {targets} finite numbers each")
        if scaling and not (scaling.scales > 0).all():
            raise ValueError("scales of the target must be above 0")
        if (self.task == REGRESSION) != bool(scaling):
            raise ValueError("numbers that are predicted have a scale, and nothing else has")
        if scaling and (self.class_names or isinstance(self.encoding, TableEncoding)):
            raise ValueError("what predicts numbers has no classes, and no table of recipe version 1 or 2")
        if self.task == CLASSIFICATION and self.target_names:
            raise ValueError("classes have no targets beside them")


def _encoding_from_state(state: dict[str, Any] | None) -> TableEncoding | ColumnEncoding | None:
    if state is None:
        return None
    return ColumnEncoding.from_state(state) if "roles" in state else TableEncoding.from_state(state)


def _as_part(features: FloatArray) -> Part:
    return Part(features, np.zeros(len(features), np.int64), np.arange(len(features)))


def _rows_at_a_time(part: Part) -> Iterator[slice]:
    """Yield slices of rows that take little memory together; of a single feature, all rows.

    NumPy adds the rows of several columns one after the other, which can be interrupted anywhere, but those
    of a single column in pairs: how they are cut, rounding would depend on it.
    """
    width = part.source.shape[1]
    rows = max(1, _NUMBERS // width if width > 1 else len(part))
    yield from (slice(start, start + rows) for start in range(0, len(part), rows))


@dataclass(frozen=True, eq=False)
class _Moments:
    """What is known of the columns (D,) of a part, without missing values.

    Attributes
    ----------
    low, high
        The smallest and the largest value; NaN if a column has none.
    sums
        Of all values, rounded as ``numpy.sum`` of whole columns is.
    counts
        How many values there are.
    missing
        Whether any are missing.
    """

    low: FloatArray
    high: FloatArray
    sums: FloatArray
    counts: NDArray[np.int64]
    missing: bool

    @classmethod
    def of(cls, part: Part, fill: FloatArray | None = None) -> "_Moments":
        """Return the moments of a part, of which missing values are filled."""
        width = part.source.shape[1]
        low, high, counts = np.full(width, np.nan), np.full(width, np.nan), np.full(width, len(part))
        sums = None
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in _rows_at_a_time(part):
                block = _filled(part.block(rows), fill)
                low, high = np.fmin(low, np.fmin.reduce(block)), np.fmax(high, np.fmax.reduce(block))
                absent = np.isnan(block)
                if absent.any():
                    counts -= absent.sum(axis=0)
                    block[absent] = 0
                sums = _added(sums, block)
        assert sums is not None
        return cls(low, high, sums, counts, bool((counts < len(part)).any()))


def _added(sums: FloatArray | None, block: FloatArray) -> FloatArray:
    """Return sums of columns, (D,) or None to begin, with more rows added, as one sum of all would do it."""
    rows = block if sums is None else np.concatenate([sums[None], block])
    found: FloatArray = np.add.reduce(rows, axis=0)
    return found


def _fill_values(
    dataset: Dataset, part: Part, found: _Moments, weights: FloatArray | None = None
) -> FloatArray:
    """Return what fills the missing values of each column (D,); rows may have weights (n,)."""
    if not found.counts.all():
        names = listed(dataset.feature_names[column] for column in np.flatnonzero(found.counts == 0))
        by = f"a {dataset.filled_by} from in {names}"
        if isinstance(dataset.encoding, ColumnEncoding):
            raise InputError(
                f"data.missing: the training part has no value to take {by}; "
                "data.drop leaves such a column out"
            )
        raise InputError(f"data.missing=mean: the training part has no value to take {by}")
    if weights is not None:
        average = _weighted_median if dataset.filled_by == "median" else _weighted_mean
        columns = (_column(part, place) for place in range(part.source.shape[1]))
        return np.array(
            [average(each[there], weights[there]) for each in columns for there in [~np.isnan(each)]]
        )
    if dataset.filled_by == "median":
        return np.array([np.nanmedian(_column(part, place)) for place in range(part.source.shape[1])])
    return _column_means(part, found)


def _weighted_fit(
    dataset: Dataset, part: Part, weights: FloatArray, *, standardize: bool
) -> tuple[FloatArray | None, FloatArray, FloatArray]:
    """Return fill, means and scales of a part whose rows have weights (n,), column by column."""
    width = part.source.shape[1]
    means, scales = np.zeros(width), np.ones(width)
    fill = _fill_values(dataset, part, _Moments.of(part), weights) if dataset.fill_missing else None
    for place in range(width if standardize else 0):
        values = _column(part, place, fill)
        if values.min() == values.max():
            means[place] = values[0]
            continue
        means[place] = _weighted_mean(values, weights)
        size = np.abs(values - means[place]).max()
        deviation = np.sqrt(np.average(np.square((values - means[place]) / size), weights=weights)) * size
        scales[place] = deviation if deviation > 0 else 1.0
    return fill, means, scales


def _weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the weighted mean of values (n,), in which none is missing, also of large ones."""
    size = np.abs(values).max() or 1.0
    return float(np.average(values / size, weights=weights) * size)


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Return the median of values (n,), as it is if each stands there as often as it weighs."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    place = int(np.searchsorted(below, below[-1] / 2))
    at = values[order[place]]
    on_the_edge = below[place] == below[-1] / 2 and place + 1 < len(order)
    return float((at + values[order[place + 1]]) / 2 if on_the_edge else at)


def _filled(features: FloatArray, fill: FloatArray | float | None) -> FloatArray:
    return features if fill is None else np.where(np.isnan(features), fill, features)


def _column(part: Part, place: int, fill: FloatArray | None = None) -> FloatArray:
    """Return the values (n,) of a column."""
    values = part.block(slice(None), slice(place, place + 1))[:, 0]
    return _filled(values, None if fill is None else float(fill[place]))


def _column_means(part: Part, found: _Moments, fill: FloatArray | None = None) -> FloatArray:
    """Return means (D,) without missing values; exact for a constant column, where a sum would round."""
    means: FloatArray = np.where(found.low == found.high, found.low, found.sums / found.counts)
    for place in np.flatnonzero(~np.isfinite(means)).tolist():  # the sum overflows
        size = max(abs(found.low[place]), abs(found.high[place]))
        means[place] = np.nanmean(_column(part, place, fill) / size) * size
    return means


def _deviations(part: Part, found: _Moments, fill: FloatArray | None) -> FloatArray:
    """Return standard deviations (D,), dividing by n, also where squares would over- or underflow."""
    squares = None
    with np.errstate(over="ignore", invalid="ignore"):
        means = found.sums / len(part)
        for rows in _rows_at_a_time(part):
            centred = _filled(part.block(rows), fill) - means
            squares = _added(squares, np.multiply(centred, centred, out=centred))
        assert squares is not None
        deviations: FloatArray = np.sqrt(squares / len(part))
    odd = (found.low < found.high) & ~((deviations > _SMALL) & (deviations < _LARGE))
    for place in np.flatnonzero(odd).tolist():
        size = max(abs(found.low[place]), abs(found.high[place]))
        deviations[place] = (_column(part, place, fill) / size).std() * size
    return deviations
