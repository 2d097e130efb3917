"""Numbers, which are used unchanged."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from micrograde.data.columns import Column
from micrograde.data.number_texts import NumberStyle, has_leading_zeros, parse_numbers, style_of
from micrograde.data.roles import ROLES, Encoded, FloatArray, Mask, Role, RoleSettings

MISSING_SPELLINGS = frozenset(
    [
        "?",
        "-",
        "--",
        "---",
        ".",
        "..",
        "...",
        "*",
        "na",
        "n/a",
        "n.a.",
        "nan",
        "nil",
        "none",
        "null",
        "missing",
        "unknown",
        "unk",
        "#n/a",
        "#na",
        "#value!",
        "#div/0!",
        "inf",
        "-inf",
        "+inf",
        "infinity",
        "-infinity",
    ]
) | {"not available", "not known", "no data"}
"""What stands for a missing number, in small letters."""

_ODD_ROWS, _ODD_TEXTS = 0.05, 5
MANY_MISSING = 0.05
"""The share of missing values from which a column gets an indicator of them."""


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Number(Role):
    """Numbers: used unchanged; missing ones are filled, and get an indicator if they are many.

    Parameters
    ----------
    decimal, thousands
        How they are written; see ``NumberStyle``.
    odd
        Other texts that stood in several rows of the training table, and are missing values.
    words
        Texts that stand for missing values.
    indicator
        Whether a second feature is 1 where the number is missing.
    """

    name: ClassVar[str] = "number"
    plural: ClassVar[str] = "numbers"
    input_type: ClassVar[Literal["double", "boolean", "string"]] = "double"
    decimal: str = "."
    thousands: str = ""
    odd: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    indicator: bool = False

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return numbers, if at most one row in twenty holds something else, in at most five spellings."""
        words = settings.missing_words
        if not column.is_text:
            missing = column.is_missing(words).mean() if len(column) else 0.0
            return cls(indicator=bool(missing >= MANY_MISSING))
        assert column.texts is not None
        absent = np.array([_stands_for_missing(text, words) for text in column.distinct], np.bool_)
        if absent.all() or (has_leading_zeros(column.texts) and not settings.forced):
            return None
        import pyarrow as pa

        meant = column.texts.filter(pa.array(~absent))
        style, parsed = style_of(meant, settings.decimal)
        counts = column.counts[~absent]
        bad = np.isnan(parsed)
        if bad.all():
            return None
        too_many = counts[bad].sum() > max(_ODD_ROWS * counts.sum(), 1) or bad.sum() > _ODD_TEXTS
        if too_many and not settings.forced:
            return None
        spelled = [text.strip() for text, is_bad in zip(meant.to_pylist(), bad, strict=True) if is_bad]
        odd = tuple(text for text, count in zip(spelled, counts[bad].tolist(), strict=True) if count > 1)
        missing_rows = len(column) - counts[~bad].sum()
        return cls(
            decimal=style.decimal,
            thousands=style.thousands,
            odd=odd if not settings.forced else odd[:_ODD_TEXTS],
            words=tuple(sorted(words)),
            indicator=bool(missing_rows >= MANY_MISSING * len(column)),
        )

    def features(self, column: str) -> tuple[str, ...]:
        """Return the column's name, and that of the indicator."""
        return (column, f"{column} (missing)") if self.indicator else (column,)

    def encode(self, column: Column) -> Encoded:
        """Return the numbers (n, 1), or (n, 2) with the indicator."""
        numbers, unreadable = self._numbers(column)
        columns = [numbers, np.isnan(numbers).astype(np.float64)] if self.indicator else [numbers]
        return Encoded(np.column_stack(columns), _any(np.isnan(numbers)), unreadable)

    def decode(self, features: FloatArray) -> list[Any]:
        """Return the numbers."""
        if self.indicator:
            numbers: list[Any] = np.where(features[:, 1] > 0.5, np.nan, features[:, 0]).tolist()
            return numbers
        found: list[Any] = features[:, 0].tolist()
        return found

    def described(self) -> str:
        """Return how they are written, if it is not as usual."""
        style = NumberStyle(self.decimal, self.thousands)
        return "" if style == NumberStyle() else style.described()

    def read_as_missing(self, column: Column) -> tuple[tuple[str, int], ...]:
        """Return the texts of a column that are missing values by their spelling, with their rows.

        Left out are nothing at all, the words that every column has for missing values, and texts that stand in one
        row and are no usual spelling: those may be somebody's name.
        """
        if not column.is_text:
            return ()
        found = []
        parsed = parse_numbers(column.texts, NumberStyle(self.decimal, self.thousands))
        for text, count, number in zip(column.distinct, column.counts.tolist(), parsed.tolist(), strict=True):
            plain = text.strip()
            if number == number or plain in self.words or not text:
                continue
            if plain in self.odd or not plain or plain.lower() in MISSING_SPELLINGS:
                found.append((text, count))
        return tuple(sorted(found, key=lambda each: -each[1]))

    def _numbers(self, column: Column) -> tuple[FloatArray, Mask | None]:
        if column.numbers is not None:
            return column.numbers, None
        assert column.texts is not None
        parsed = parse_numbers(column.texts, NumberStyle(self.decimal, self.thousands))
        words = frozenset(self.words) | frozenset(self.odd)
        bad = (
            np.array(
                [
                    bool(nan) and not _stands_for_missing(text, words)
                    for nan, text in zip(np.isnan(parsed), column.distinct, strict=True)
                ],
                np.bool_,
            )
            if np.isnan(parsed).any()
            else np.zeros(len(parsed), np.bool_)
        )
        return column.spread(parsed, np.nan), column.spread(bad, False) if bad.any() else None


def _any(rows: Mask) -> Mask | None:
    return rows if rows.any() else None


def _stands_for_missing(text: str, words: frozenset[str]) -> bool:
    plain = text.strip()
    return not plain or plain in words or plain.lower() in MISSING_SPELLINGS
