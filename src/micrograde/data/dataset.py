"""``Dataset``, rows of features with a class each, and the parts that it is split into."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.encoding import TableEncoding
from micrograde.data.memory import check_size
from micrograde.data.messages import quoted
from micrograde.data.table_summary import TableSummary

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of features and their classes, checked on construction.

    Parameters
    ----------
    name
        The source, as in ``data.name``.
    features
        Shape (N, D). NaN stands for a missing value and is allowed only with ``fill_missing``.
    labels
        Shape (N,), the index of each row's class in ``class_names``.
    class_names, feature_names
        C and D names.
    test_rows
        The number of rows at the end that are the source's own test part, as in MNIST; 0 if it has none.
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

    Raises
    ------
    InputError
        If there are no rows or no features, features and labels differ in length, the data do not fit
        into memory, values are infinite or missing (without ``fill_missing``), or all rows have one class.
    """

    name: str
    features: FloatArray
    labels: IntArray
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    test_rows: int = 0
    fill_missing: bool = False
    encoding: TableEncoding | ColumnEncoding | None = None
    image_shape: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    filled_by: Literal["mean", "median"] = "mean"
    summary: TableSummary | None = None

    def __post_init__(self) -> None:
        rows, columns = self.features.shape
        if rows == 0 or columns == 0:
            raise InputError(
                f"data.name={self.name}: has {rows} rows of {columns} features; needs at least one of each"
            )
        if self.labels.shape != (rows,):
            raise InputError(f"data.name={self.name}: has {rows} rows but {len(self.labels)} labels")
        check_size(f"data.name={self.name}", rows, columns, len(self.class_names))
        if np.isinf(self.features).any():
            raise InputError(f"data.name={self.name}: holds infinite values")
        if not self.fill_missing and np.isnan(self.features).any():
            raise InputError(f"data.name={self.name}: holds missing values (NaN)")
        if (self.labels == self.labels[0]).all():
            only = self.class_names[self.labels[0]]
            raise InputError(
                f"data.name={self.name}: every row is of class {quoted(only)}; "
                "classification needs two or more"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content. Training on two data sets with the same digest gives the same results.

        It covers the features and labels (shape, type, values), the class and feature names and
        ``test_rows``, but not the source or the memory layout. So a table has the same digest as
        CSV and as Parquet.
        """
        header = {
            "features": [*self.features.shape, "float64"],
            "labels": [*self.labels.shape, "int64"],
            "class_names": self.class_names,
            "feature_names": self.feature_names,
            "test_rows": self.test_rows,
        }
        sha256 = hashlib.sha256(json.dumps(header).encode())
        sha256.update(np.ascontiguousarray(self.features, dtype="<f8").data)
        sha256.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return sha256.hexdigest()


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a data set: ``features`` of shape (n, D) and ``labels`` of shape (n,)."""

    features: FloatArray
    labels: IntArray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Split:
    """The parts of a data set; a part that was not requested is None."""

    train: Part
    validation: Part | None
    test: Part | None
