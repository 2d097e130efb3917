"""``Column``: the values of one column of a table, as its source has them: numbers or texts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.data.pandas_columns import arrow_of_series
from micrograde.data.plain_columns import plain_column

if TYPE_CHECKING:
    import pandas
    import pyarrow

FloatArray = NDArray[np.float64]
Codes = NDArray[np.int32]
"""Places of texts; a table of more than 2**31 rows fits into no memory."""

_FEW = 2**16
"""Up to so many texts are kept as Python's, which take several times the memory of Arrow's."""

MISSING_WORDS = frozenset(
    [
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)
"""Texts that are missing values in every column of features: those that pandas reads so."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column of n rows, which holds numbers or texts.

    Attributes
    ----------
    name
        The column's name.
    numbers
        Shape (n,), NaN where missing; None for a column of texts.
    codes
        Shape (n,): the place of each row's text in ``texts``, -1 where nothing stands; None for numbers.
    texts
        The texts that differ, in the order in which they come; None for numbers.
    are_truths
        Whether the texts are those of truth values, which the source holds as such.
    """

    name: str
    numbers: FloatArray | None
    codes: Codes | None = None
    texts: "pyarrow.Array | None" = None
    are_truths: bool = False

    def __len__(self) -> int:
        return len(self.codes if self.numbers is None else self.numbers)  # type: ignore[arg-type]

    @classmethod
    def of_array(cls, name: str, values: "pyarrow.Array") -> "Column":
        """Return a column of Arrow, of the types that ``RawTable`` has; truth values are texts."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = values.type
        if pa.types.is_boolean(kind):
            values = pc.if_else(values, "True", "False").cast(pa.large_string())
        elif pa.types.is_integer(kind) and _are_beyond_float64(values):
            values = values.cast(pa.large_string())
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            return cls(name, np.where(np.isfinite(numbers), numbers, np.nan) if _odd(numbers) else numbers)
        values = (
            pc.if_else(pc.equal(values, ""), None, values) if not pa.types.is_dictionary(kind) else values
        )
        encoded = values if pa.types.is_dictionary(kind) else values.dictionary_encode()
        codes = encoded.indices.cast(pa.int32()).fill_null(-1).to_numpy()
        return cls(name, None, codes, encoded.dictionary, pa.types.is_boolean(kind))

    @classmethod
    def joined(cls, columns: "Sequence[Column]") -> "Column":
        """Return columns one below the other; as texts, unless all of them are numbers."""
        if len(columns) == 1:
            return columns[0]
        name = columns[0].name
        numbers = [each.numbers for each in columns if each.numbers is not None]
        if len(numbers) == len(columns):
            return cls(name, np.concatenate(numbers))
        import pyarrow as pa

        pieces = []
        for each in (column.as_texts for column in columns):
            assert each.codes is not None
            codes = pa.array(each.codes, mask=each.codes < 0)
            pieces.append(pa.DictionaryArray.from_arrays(codes, each.texts).dictionary_decode())
        found = cls.of_array(name, pa.concat_arrays(pieces))
        return replace(found, are_truths=all(each.are_truths for each in columns))

    @classmethod
    def of_series(cls, name: str, values: "pandas.Series[Any]", what: str = "table") -> "Column":
        """Return a column of pandas.

        Raises
        ------
        InputError
            If it holds values that no table may; the message starts with ``what``.
        """
        return cls.of_array(name, plain_column(arrow_of_series(values, name, what), name, what))

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return self.numbers is None

    @property
    def distinct(self) -> list[str]:
        """The texts that differ; of numbers as ``number_text`` writes them, in rising order."""
        return self._few_texts if self.different <= _FEW else self._as_list()

    @cached_property
    def _few_texts(self) -> list[str]:
        return self._as_list()

    def _as_list(self) -> list[str]:
        if self.texts is not None:
            found: list[str] = self.texts.to_pylist()
            return found
        assert self.numbers is not None
        there = self.numbers[~np.isnan(self.numbers)]
        return [number_text(each) for each in np.unique(there).tolist()]

    def distinct_in_parts(self) -> Iterator[list[str]]:
        """Yield the texts that differ, some at a time; of texts only."""
        assert self.texts is not None
        for start in range(0, len(self.texts), _FEW):
            yield self.texts.slice(start, _FEW).to_pylist()

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """In how many rows each of ``distinct`` stands."""
        if self.codes is not None:
            return np.bincount(self.codes[self.codes >= 0], minlength=self.different).astype(np.int64)
        assert self.numbers is not None
        there = self.numbers[~np.isnan(self.numbers)]
        return np.unique(there, return_counts=True)[1].astype(np.int64)

    @cached_property
    def different(self) -> int:
        """How many values differ."""
        if self.texts is not None:
            return len(self.texts)
        assert self.numbers is not None
        return len(np.unique(self.numbers[~np.isnan(self.numbers)]))

    @cached_property
    def trimmed(self) -> "pyarrow.Array":
        """The texts that differ without the spaces around them; of texts only."""
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(self.texts)
        return self.texts if trimmed.equals(self.texts) else trimmed

    @cached_property
    def as_texts(self) -> "Column":
        """The same column with each number as its text."""
        if self.is_text:
            return self
        import pyarrow as pa

        assert self.numbers is not None
        there = ~np.isnan(self.numbers)
        codes = np.full(len(self), -1, np.int32)
        codes[there] = np.unique(self.numbers[there], return_inverse=True)[1]
        return Column(self.name, None, codes, pa.array(self.distinct, pa.large_string()))

    def spread(self, of_distinct: NDArray[Any], missing: Any) -> NDArray[Any]:
        """Return what ``of_distinct`` (one a text) says of each row's text; ``missing`` if it has none."""
        assert self.codes is not None
        return np.append(of_distinct, np.asarray([missing], of_distinct.dtype))[self.codes]

    def only(self, rows: NDArray[np.bool_]) -> "Column":
        """Return some of the rows, shape (n,) of truth values, and only the texts that stand in them."""
        if self.numbers is not None:
            return Column(self.name, self.numbers[rows])
        import pyarrow as pa

        assert self.codes is not None
        assert self.texts is not None
        codes = self.codes[rows]
        there = np.unique(codes[codes >= 0])
        place = np.full(len(self.texts) + 1, -1, np.int32)
        place[there] = np.arange(len(there))
        return Column(self.name, None, place[codes], self.texts.take(pa.array(there)))

    def is_missing(self, words: "frozenset[str]") -> NDArray[np.bool_]:
        """Return whether nothing, only spaces, or one of the ``words`` stands in each row, shape (n,)."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        found: NDArray[np.bool_] = self.spread(self.are_missing(words), True)
        return found

    def are_missing(self, words: "frozenset[str]") -> NDArray[np.bool_]:
        """Return whether each of the texts that differ is one of the ``words``, or only spaces."""
        return self.trimmed_in(("", *words))

    def rows_unread(self, lost: NDArray[np.bool_], words: "frozenset[str]") -> NDArray[np.bool_] | None:
        """Return the rows (n,) whose text could not be read and is no missing value; None if there are none.

        Parameters
        ----------
        lost
            Whether each of the texts that differ could not be read.
        words
            Texts that stand for missing values.
        """
        unread = lost & ~self.are_missing(words)
        return self.spread(unread, False) if unread.any() else None

    def trimmed_in(self, words: Iterable[str]) -> NDArray[np.bool_]:
        """Return whether each distinct text, without the spaces around it, is one of the ``words``."""
        import pyarrow as pa
        import pyarrow.compute as pc

        meant = pa.array(sorted(words), self.trimmed.type)
        found: NDArray[np.bool_] = pc.is_in(self.trimmed, meant).to_numpy(zero_copy_only=False)
        return found


def number_text(number: float) -> str:
    """Return a number as a text: whole ones without a point."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e16 else repr(number)


def _are_beyond_float64(whole: "pyarrow.Array") -> bool:
    """Return whether float64 may not hold all of some whole numbers."""
    import pyarrow.compute as pc

    least, most = (each.as_py() for each in pc.min_max(whole).values())
    return most is not None and max(abs(least), abs(most)) >= 2**53


def _odd(numbers: FloatArray) -> bool:
    return bool(np.isinf(numbers).any())
