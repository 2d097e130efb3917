"""Encoding of a raw table's columns as numeric features: numbers unchanged, categories one-hot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.dates import dates_as_text
from micrograde.data.decimals import shortest_decimals
from micrograde.data.memory import check_size
from micrograde.data.messages import listed, quoted, shortened

if TYPE_CHECKING:
    import pandas

_TRUTHS = {text: name for name in ("True", "False") for text in (name, name.upper(), name.lower())}
"""The texts that pandas reads as booleans in a CSV file, with the names of their categories."""


@dataclass(frozen=True)
class TableEncoding:
    """The feature columns of a table, and the categories of those that are not numeric.

    Parameters
    ----------
    columns
        The names of the table's feature columns, in the order of the features.
    categories
        For each column None if it is numeric, else its sorted categories. Each category becomes
        one feature, which is 1 in rows of that category and 0 elsewhere.
    """

    columns: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]

    @classmethod
    def fit(cls, table: "pandas.DataFrame", source: str) -> "TableEncoding":
        """Return the encoding for the columns of ``table``: strings, booleans and categories are categorical.

        Raises
        ------
        InputError
            If a column holds neither numbers nor categories, or more categories than fit into memory;
            the message starts with ``source``.
        """
        categorical = categorical_columns(table, source)
        categories: list[tuple[str, ...] | None] = []
        for name in table.columns:
            if name not in categorical:
                categories.append(None)
                continue
            values = table[name].dropna().unique()
            check_size(
                source, len(table), len(values), advice=f"column {quoted(name)} has that many categories"
            )
            categories.append(tuple(sorted({category_name(value) for value in values})))
        return cls(tuple(str(name) for name in table.columns), tuple(categories))

    @property
    def input_types(self) -> dict[str, str]:
        """How MLflow's signature calls the values of each column."""
        return {
            column: "double" if names is None else "boolean" if are_truths(names) else "string"
            for column, names in zip(self.columns, self.categories, strict=True)
        }

    @property
    def widths(self) -> list[int]:
        """How many features each column becomes."""
        return [1 if categories is None else len(categories) for categories in self.categories]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the D features, each a numeric column's name or ``column=category``."""
        names: list[str] = []
        for column, categories in zip(self.columns, self.categories, strict=True):
            names += [column] if categories is None else [f"{column}={category}" for category in categories]
        return tuple(names)

    def encode(self, table: "pandas.DataFrame", source: str = "table") -> NDArray[np.float64]:
        """Return the rows of ``table`` as features (n, D); NaN where a number is missing.

        Columns are found by name; other columns of the table are ignored. In a column of booleans the texts
        ``True``, ``TRUE`` and ``true``, and likewise for False, are booleans, as in a CSV file; no other
        text is.

        Raises
        ------
        InputError
            If a column is missing or duplicated, a numeric column holds something else, or a
            categorical one holds an unknown category or a missing value.
        """
        there, twice = set(table.columns), set(table.columns[table.columns.duplicated()])
        if absent := [name for name in self.columns if name not in there]:
            raise InputError(f"{source}: has no column {listed(absent)}; it has {listed(table.columns)}")
        if again := [name for name in self.columns if name in twice]:
            raise InputError(f"{source}: has more than one column {listed(again)}")
        widths = self.widths
        check_size(source, len(table), sum(widths))
        places = np.cumsum([0, *widths])
        features = np.zeros((len(table), sum(widths)))

        # Numeric columns are converted all at once: there can be very many, and pandas is slow by the column.
        plain = _plain_numbers(table)
        at_once = [
            index
            for index, (name, categories) in enumerate(zip(self.columns, self.categories, strict=True))
            if categories is None and name in plain
        ]
        features[:, places[at_once]] = _numbers(table[[self.columns[index] for index in at_once]], source)
        for index in set(range(len(self.columns))).difference(at_once):
            column, categories = table[self.columns[index]], self.categories[index]
            if categories is None:
                features[:, places[index]] = _numbers(column.to_frame(), source)[:, 0]
            else:
                features[np.arange(len(table)), places[index] + _codes(column, categories, source)] = 1.0
        return features

    def decode(self, features: NDArray[np.float64]) -> list[list[float | str | bool]]:
        """Return the values (n rows of the table's columns) that ``encode`` turns into ``features`` (n, D).

        A column with the categories True and False is returned as booleans.
        """
        pieces = np.split(features, np.cumsum(self.widths)[:-1], axis=1)
        columns: list[list[Any]] = []
        for piece, categories in zip(pieces, self.categories, strict=True):
            if categories is None:
                columns.append(piece[:, 0].tolist())
                continue
            names = [categories[place] for place in piece.argmax(axis=1).tolist()]
            columns.append([name == "True" for name in names] if are_truths(categories) else names)
        return [list(row) for row in zip(*columns, strict=True)]

    def state(self) -> dict[str, Any]:
        """Return the parameters as plain lists, for JSON."""
        return {
            "columns": list(self.columns),
            "categories": [None if names is None else list(names) for names in self.categories],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "TableEncoding":
        """Return the encoding that ``state()`` described."""
        categories = tuple(None if names is None else tuple(names) for names in state["categories"])
        return cls(tuple(state["columns"]), categories)


def are_truths(names: Iterable[str]) -> bool:
    """Return whether these names of categories or classes are ``True`` and ``False`` only."""
    return set(names) <= {"True", "False"}


def categorical_columns(table: "pandas.DataFrame", source: str) -> set[str]:
    """Return the columns that hold categories, not numbers; ``InputError`` if one holds neither."""
    plain = _plain_numbers(table)
    return {name for name in table.columns if name not in plain and _is_categorical(table[name], source)}


def _plain_numbers(table: "pandas.DataFrame") -> set[str]:
    """Return the columns that are NumPy arrays of integers or floats."""
    return {
        name
        for name, dtype in zip(table.columns, table.dtypes, strict=True)
        if isinstance(dtype, np.dtype) and dtype.kind in "iuf"
    }


def _is_categorical(column: "pandas.Series[Any]", source: str) -> bool:
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return types.is_bool_dtype(column.dtype)
    kind = types.infer_dtype(column, skipna=True)
    if kind in ("string", "boolean", "categorical"):
        return True
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "empty"):
        return False
    raise InputError(
        f"{source}: column {quoted(column.name)} holds {kind} values ({shortened(column.dtype)}); "
        "features must be numbers, strings, booleans or categories"
    )


def _numbers(columns: "pandas.DataFrame", source: str) -> NDArray[np.float64]:
    """Return the columns as floats (n, D), NaN where missing."""
    for name, dtype in columns.dtypes.items():
        # pandas would convert times to nanoseconds, and NumPy complex numbers to their real parts.
        if getattr(dtype, "kind", "") in ("m", "M", "c"):
            raise InputError(f"{source}: column {quoted(name)} must hold numbers, as in training")
    numbers: NDArray[np.float64]
    try:
        if any(getattr(dtype, "kind", "") == "O" for dtype in columns.dtypes):
            columns = columns.where(columns.notna(), np.nan)  # NumPy cannot convert pandas' NA
        numbers = columns.to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError:
        raise InputError(
            f"{source}: column {quoted(columns.columns[0])} holds a number that is too large for float64"
        ) from None
    except (TypeError, ValueError):
        raise InputError(
            f"{source}: column {quoted(columns.columns[0])} must hold numbers, as in training"
        ) from None
    kinds = [(getattr(dtype, "kind", ""), getattr(dtype, "itemsize", 8)) for dtype in columns.dtypes]
    if short := {place: size for place, (kind, size) in enumerate(kinds) if kind == "f" and size < 8}:
        numbers = numbers.copy()  # it may be a view of the table
        for place, size in short.items():  # as in a CSV file, which has the decimals
            numbers[:, place] = shortest_decimals(numbers[:, place].astype(f"f{size}"))
    infinite = np.isinf(numbers).sum(axis=0)
    if infinite.any():
        column = infinite.argmax()
        raise InputError(
            f"{source}: column {quoted(columns.columns[column])} holds {infinite[column]} infinite values"
        )
    return numbers


def _codes(column: "pandas.Series[Any]", categories: Sequence[str], source: str) -> NDArray[np.int64]:
    """Return the index of each row's category, shape (n,)."""
    if column.isna().any():
        raise InputError(
            f"{source}: missing values in the categorical column {quoted(column.name)} "
            f"({column.isna().sum()}); only numbers can be filled with a mean"
        )
    values_of: Any = column.cat.categories if hasattr(column, "cat") else column
    if getattr(values_of.dtype, "kind", "") == "M":
        column = dates_as_text(column)
    name_of = _truth_name if are_truths(categories) else category_name
    if getattr(column.dtype, "kind", "") == "O":  # here factorize would merge True and 1, and refuse lists
        column = column.map(name_of)
    codes, values = column.factorize()
    names = [name_of(value) for value in values]
    known = {category: index for index, category in enumerate(categories)}
    if unknown := sorted({name for name in names if name not in known}):
        raise InputError(
            f"{source}: column {quoted(column.name)} holds the unknown category {listed(unknown)}; "
            f"known are {listed(categories)}"
        )
    places = np.array([known[name] for name in names], np.int64)
    return np.asarray(places[codes])


def _truth_name(value: object) -> str:
    """Return the category of a boolean, or of a text that pandas would read as one in a CSV file."""
    return _TRUTHS.get(value, value) if isinstance(value, str) else category_name(value)


def category_name(value: object) -> str:
    """Return the name of a category, the same for every dtype of its column."""
    # pandas turns a column of integers into floats if one of them is missing.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
