"""``Dataset``, rows of features with what is to be learned of each, and the parts that it is split into."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.columns import number_text
from micrograde.data.encoding import TableEncoding
from micrograde.data.memory import check_size
from micrograde.data.messages import listed, quoted
from micrograde.data.table_summary import TableSummary
from micrograde.data.target_scaling import TargetScaling

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CLASSIFICATION, REGRESSION, MULTILABEL = "classification", "regression", "multilabel"
"""The names of what can be learned; see ``micrograde.tasks``."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of features and what is to be learned of them, checked on construction.

    Parameters
    ----------
    name
        The source, as in ``data.name``.
    features
        Shape (N, D). NaN stands for a missing value and is allowed only with ``fill_missing``.
    labels
        Shape (N,), the index of each row's class in ``class_names``; (N, K) of numbers to be predicted, or of
        several labels, 0 or 1.
    class_names, feature_names
        C and D names; no names of classes if what is to be learned are numbers.
    test_rows
        The number of rows at the end that are the source's own test part, as in MNIST; 0 if it has none.
    validation_rows
        The number of rows before these that are the source's own validation part; 0 if it has none.
    groups
        (N,), the number of each row's group, such as a customer, which is wholly in one part; None if rows
        are in no groups.
    times
        (N,), when each row was, as any number that is larger later; NaN if that is not known. The newest rows
        are then the test part. None if time does not matter.
    fill_missing
        Whether preprocessing fills missing values with the training part's means (``data.missing=mean``).
    encoding
        How a raw table's rows become features; None if the source is not a table.
    image_shape
        (rows, columns) if each row is an image, its D pixels in C order; used only to draw pictures.
    notes
        The decisions made in reading the source, one line each, to be shown to the user.
    filled_by
        With what of the training part missing numbers are filled.
    summary
        What is to be said about a table; None if the source is none, or of a recipe before version 3.
    numbers
        (N,), the number of each row in its source, from 1; None if all rows of the source are used.
    task
        What is to be learned, by its name: ``classification``, ``regression`` for numbers, or ``multilabel``
        for several labels of which each row has some.
    target_names
        K names, of the numbers to be predicted or of the labels; none if what is to be learned are classes.
    weights
        (N,), what each row counts in the loss, more than 0; None if all count the same.

    Raises
    ------
    InputError
        If there are no rows or no features, features and labels differ in length, the data do not fit
        into memory, values are infinite or missing (without ``fill_missing``), or all rows have one class, or
        one number;
        if there are no rows but the source's own validation and test part; if groups and times are given.
    """

    name: str
    features: FloatArray
    labels: NDArray[Any]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    test_rows: int = 0
    fill_missing: bool = False
    encoding: TableEncoding | ColumnEncoding | None = None
    image_shape: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    validation_rows: int = 0
    groups: IntArray | None = None
    times: FloatArray | None = None
    filled_by: Literal["mean", "median"] = "mean"
    summary: TableSummary | None = None
    numbers: IntArray | None = None
    task: str = CLASSIFICATION
    target_names: tuple[str, ...] = ()
    weights: FloatArray | None = None

    def __post_init__(self) -> None:
        rows, columns = self.features.shape
        if rows == 0 or columns == 0:
            raise InputError(
                f"data.name={self.name}: has {rows} rows of {columns} features; needs at least one of each"
            )
        of_each = (len(self.target_names),) if self.target_names else ()
        if self.labels.shape != (rows, *of_each):
            raise InputError(f"data.name={self.name}: has {rows} rows but {len(self.labels)} labels")
        check_size(f"data.name={self.name}", rows, columns, len(self.class_names) + len(self.target_names))
        if np.isinf(self.features).any():
            raise InputError(f"data.name={self.name}: holds infinite values")
        if not self.fill_missing and np.isnan(self.features).any():
            raise InputError(f"data.name={self.name}: holds missing values (NaN)")
        if self.target_names and not np.isfinite(self.labels).all():
            raise InputError(f"data.name={self.name}: targets are missing or infinite")
        if (self.labels == self.labels[0]).all():
            if self.target_names:
                raise InputError(
                    f"data.name={self.name}: every row has the target "
                    f"{listed(map(number_text, np.ravel(self.labels[0]).astype(float).tolist()))}; "
                    f"{self.task} needs two different ones"
                )
            only = self.class_names[self.labels[0]]
            raise InputError(
                f"data.name={self.name}: every row is of class {quoted(only)}; "
                "classification needs two or more"
            )
        if self.rows_to_split < 1:
            raise InputError(f"data.name={self.name}: has no rows to train on")
        of_rows = {"data.group": self.groups, "data.time": self.times, "data.weight": self.weights}
        for key, each in of_rows.items():
            if each is not None and each.shape != (rows,):
                raise InputError(f"{key}: has {len(each)} values for {rows} rows")
        if self.groups is not None and self.times is not None:
            raise InputError(
                "data.group and data.time: only one of them can say how rows are split; choose one"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def rows_to_split(self) -> int:
        """The number of rows that are in no part of the source's own; they come first."""
        return len(self) - self.validation_rows - self.test_rows

    @property
    def target_scaling(self) -> TargetScaling | None:
        """None: numbers are scaled by preprocessing, which is fitted to the training part."""
        return None

    def row_numbers(self, rows: IntArray) -> IntArray:
        """Return the numbers in the source, from 1, of rows (n,) that are counted from 0."""
        return rows + 1 if self.numbers is None else self.numbers[rows]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content. Training on two data sets with the same digest gives the same results.

        It covers the features and labels (shape, type, values), the class and feature names and
        ``test_rows``, but not the source or the memory layout. So a table has the same digest as
        CSV and as Parquet. ``validation_rows``, ``groups``, ``times`` and ``weights`` are covered where they
        are given; of groups, which rows are together, and of times, their order.
        """
        order: dict[str, FloatArray | IntArray] = {}
        if self.groups is not None:
            order["groups"] = numbered_by_appearance(self.groups)
        if self.times is not None:
            moments = np.unique(self.times, return_inverse=True)[1]
            order["times"] = np.where(np.isnan(self.times), -1, moments)
        kind = "float64" if self.labels.dtype.kind == "f" else "int64"
        header = {
            "features": [*self.features.shape, "float64"],
            "labels": [*self.labels.shape, kind],
            "class_names": self.class_names,
            "feature_names": self.feature_names,
            "test_rows": self.test_rows,
            **({"validation_rows": self.validation_rows} if self.validation_rows else {}),
            **({"target_names": self.target_names} if self.target_names else {}),
            **{name: list(numbers.shape) for name, numbers in order.items()},
            **({} if self.weights is None else {"weights": [*self.weights.shape, "float64"]}),
        }
        sha256 = hashlib.sha256(json.dumps(header).encode())
        sha256.update(np.ascontiguousarray(self.features, dtype="<f8").data)
        sha256.update(np.ascontiguousarray(self.labels, dtype="<f8" if kind == "float64" else "<i8").data)
        for numbers in order.values():
            sha256.update(np.ascontiguousarray(numbers, dtype="<i8").data)
        if self.weights is not None:
            sha256.update(np.ascontiguousarray(self.weights, dtype="<f8").data)
        return sha256.hexdigest()


def numbered_by_appearance(groups: IntArray) -> IntArray:
    """Return groups (N,) numbered from 0 in the order of their first rows."""
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a data set; their features are not copied until they are asked for.

    Attributes
    ----------
    source
        Shape (N, D), the features of the data set.
    labels
        Shape (n,); of numbers to be predicted (n, K).
    rows
        Shape (n,), their indices in the data set, in ascending order.
    """

    source: FloatArray
    labels: NDArray[Any]
    rows: IntArray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def features(self) -> FloatArray:
        """The features of all its rows, shape (n, D), as a new array."""
        return self.source[self.rows]

    def block(self, rows: slice, columns: slice = slice(None)) -> FloatArray:
        """Return some features of some of its rows, as a new array in C order."""
        return np.ascontiguousarray(self.source[self.rows[rows], columns])


@dataclass(frozen=True, eq=False)
class Split:
    """The parts of a data set; a part that was not requested is None.

    ``notes`` say, a line each, how groups or times have decided which rows are in which part; ``tested`` says
    which rows a fold holds out, if one does.
    """

    train: Part
    validation: Part | None
    test: Part | None
    notes: tuple[str, ...] = ()
    tested: str = ""
