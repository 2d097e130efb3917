"""How the columns of a raw table become numeric features: numbers as they are, categories one-hot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.data.messages import listed
from micrograde.errors import InputError

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class TableEncoding:
    """The feature columns of a table, and the categories of those that are not numeric.

    Parameters
    ----------
    columns
        The names of the table's feature columns, in the order of the features.
    categories
        For each column None if it is numeric, else its sorted categories, each of which becomes
        one feature that is 1 in the rows of that category and 0 elsewhere.
    """

    columns: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]

    @classmethod
    def fit(cls, table: "pandas.DataFrame", source: str) -> "TableEncoding":
        """The encoding for the columns of ``table``: strings, booleans and categories are categorical.

        Raises
        ------
        InputError
            A column holds neither numbers nor categories; the line starts with ``source``.
        """
        categories = tuple(
            tuple(sorted(set(_category_names(table[name]).dropna())))
            if is_categorical(table[name], source)
            else None
            for name in table.columns
        )
        return cls(tuple(str(name) for name in table.columns), categories)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The D features: a numeric column's name, or ``column=category``."""
        names: list[str] = []
        for column, categories in zip(self.columns, self.categories, strict=True):
            names += [column] if categories is None else [f"{column}={category}" for category in categories]
        return tuple(names)

    def encode(self, table: "pandas.DataFrame", source: str = "table") -> NDArray[np.float64]:
        """The rows of ``table`` as features (n, D); NaN where a number is missing.

        Columns are found by name; the table may hold others, which are not looked at.

        Raises
        ------
        InputError
            A column is missing or there twice, a numeric column holds something else, or a
            categorical one holds an unknown category or none.
        """
        absent = [name for name in self.columns if name not in table.columns]
        if absent:
            raise InputError(f"{source}: has no column {listed(absent)}; it has {listed(table.columns)}")
        twice = [name for name in self.columns if (table.columns == name).sum() > 1]
        if twice:
            raise InputError(f"{source}: has more than one column {listed(twice)}")
        blocks = [
            _numbers(table[name], source)[:, np.newaxis]
            if categories is None
            else _one_hot(table[name], categories, source)
            for name, categories in zip(self.columns, self.categories, strict=True)
        ]
        return np.concatenate(blocks, axis=1)

    def state(self) -> dict[str, Any]:
        """Plain lists, for JSON."""
        return {
            "columns": list(self.columns),
            "categories": [None if names is None else list(names) for names in self.categories],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "TableEncoding":
        """The encoding that ``state`` was taken from."""
        categories = tuple(None if names is None else tuple(names) for names in state["categories"])
        return cls(tuple(state["columns"]), categories)


def is_categorical(column: "pandas.Series[Any]", source: str) -> bool:
    """Whether a table's column holds categories; False: numbers. Raises ``InputError`` for anything else."""
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return types.is_bool_dtype(column.dtype)
    kind = types.infer_dtype(column, skipna=True)
    if kind in ("string", "boolean", "categorical"):
        return True
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "empty"):
        return False
    raise InputError(
        f"{source}: column {column.name!r} holds {kind} values ({column.dtype}); "
        "features must be numbers, strings, booleans or categories"
    )


def _numbers(column: "pandas.Series[Any]", source: str) -> NDArray[np.float64]:
    try:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(f"{source}: column {column.name!r} must hold numbers, as in training") from None
    if np.isinf(numbers).any():
        raise InputError(f"{source}: column {column.name!r} holds {np.isinf(numbers).sum()} infinite values")
    return numbers


def _one_hot(column: "pandas.Series[Any]", categories: Sequence[str], source: str) -> NDArray[np.float64]:
    import pandas

    names = _category_names(column)
    if names.isna().any():
        raise InputError(
            f"{source}: missing values in the categorical column {column.name!r} ({names.isna().sum()}); "
            "only numbers can be filled with a mean"
        )
    codes = pandas.Index(categories).get_indexer(pandas.Index(names))
    if (codes < 0).any():
        unknown = sorted(set(names[codes < 0]))
        raise InputError(
            f"{source}: column {column.name!r} holds the unknown category {listed(unknown)}; "
            f"known are {listed(categories)}"
        )
    return np.asarray(codes[:, np.newaxis] == np.arange(len(categories)), dtype=np.float64)


def _category_names(column: "pandas.Series[Any]") -> "pandas.Series[Any]":
    """The column's values as text, missing ones left as they are."""
    return column.astype(object).map(_category_name, na_action="ignore")


def _category_name(value: object) -> str:
    # pandas turns a column of integers into floats as soon as one of them is missing.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
