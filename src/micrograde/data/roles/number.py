"""Numbers, which are used unchanged."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from micrograde.data.columns import Column
from micrograde.data.identifiers import is_code, why_identifier
from micrograde.data.number_texts import SPACES, NumberStyle, has_leading_zeros, parse_numbers, style_of
from micrograde.data.roles import ROLES, Axis, Encoded, FloatArray, Mask, Role, RoleSettings
from micrograde.data.units import NO_UNIT, Unit, unit_of

if TYPE_CHECKING:
    import pyarrow

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
_MOST_ODD, _FEWEST_NUMBERS = 20, 10  # texts that differ, in a column that is nearly of numbers
_SAMPLE = 200
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
    before, after
        Their unit.
    odd
        Other texts that stood in several rows of the training table, and are missing values.
    words
        Texts that stand for missing values.
    indicator
        Whether a second feature is 1 where the number is missing.
    """

    name: ClassVar[str] = "number"
    rank: ClassVar[int] = 30
    plural: ClassVar[str] = "numbers"
    input_type: ClassVar[Literal["double", "boolean", "string"]] = "double"
    axis: ClassVar[Axis | None] = "number"
    decimal: str = "."
    thousands: str = ""
    before: str = ""
    after: str = ""
    odd: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    indicator: bool = False

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return numbers, if at most one row in twenty holds something else, in at most five spellings."""
        words = settings.missing_words
        if not column.is_text:
            assert column.numbers is not None
            if _is_something_else(column.name, column.numbers, settings):
                return None
            missing = column.is_missing(words).mean() if len(column) else 0.0
            return cls(indicator=bool(missing >= MANY_MISSING))
        import pyarrow as pa

        absent = _stand_for_missing(column, words)
        meant = column.trimmed.filter(pa.array(~absent))
        if not len(meant) or (has_leading_zeros(meant) and not settings.forced):
            return None
        unit, sample = NO_UNIT, meant[:: max(1, len(meant) // _SAMPLE)]
        if not _may_be_numbers(sample):
            unit = unit_of(sample.to_pylist())
            if not unit and not settings.forced:
                return None
        style, parsed = style_of(meant, settings.decimal, unit)
        counts = column.counts[~absent]
        bad = np.isnan(parsed)
        if bad.all() or (_merge(meant, parsed) and not settings.forced):
            return None
        too_many = counts[bad].sum() > max(_ODD_ROWS * counts.sum(), 1) or bad.sum() > _ODD_TEXTS
        if too_many and not settings.forced:
            return None
        of_texts = np.full(len(absent), np.nan)
        of_texts[~absent] = parsed
        if _is_something_else(column.name, column.spread(of_texts, np.nan), settings):
            return None
        spelled = meant.filter(pa.array(bad)).to_pylist()
        odd = tuple(text for text, count in zip(spelled, counts[bad].tolist(), strict=True) if count > 1)
        missing_rows = len(column) - counts[~bad].sum()
        return cls(
            decimal=style.decimal,
            thousands=style.thousands,
            before=unit.before,
            after=unit.after,
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

    def read_values(self, features: FloatArray) -> NDArray[Any]:
        """Return the numbers."""
        return features[:, 0]

    def described(self) -> str:
        """Return how they are written, if it is not as usual."""
        return "" if self._style == NumberStyle() else self._style.described()

    def read_as_missing(self, column: Column) -> tuple[tuple[str, int], ...]:
        """Return the texts that are missing numbers; see ``Role``."""
        if not column.is_text:
            return ()
        import pyarrow as pa

        assert column.texts is not None
        lost = np.isnan(self.parsed(column)) & _stand_for_missing(
            column, frozenset(self.words) | frozenset(self.odd)
        )
        lost &= ~column.trimmed_in(self.words)
        texts = column.texts.filter(pa.array(lost)).to_pylist()
        return tuple(sorted(zip(texts, column.counts[lost].tolist(), strict=True), key=lambda each: -each[1]))

    @property
    def _style(self) -> NumberStyle:
        return NumberStyle(self.decimal, self.thousands, Unit(self.before, self.after))

    def parsed(self, column: Column) -> FloatArray:
        """Return the number of each text that differs, NaN for what is none."""
        return parse_numbers(column.trimmed, self._style)

    def _numbers(self, column: Column) -> tuple[FloatArray, Mask | None]:
        if column.numbers is not None:
            return column.numbers, None
        if column.are_truths:
            truths = np.array([float(text == "True") for text in column.distinct], np.float64)
            return column.spread(truths, np.nan), None
        parsed = self.parsed(column)
        bad = np.isnan(parsed)
        if bad.any():
            bad &= ~_stand_for_missing(column, frozenset(self.words) | frozenset(self.odd))
        return column.spread(parsed, np.nan), column.spread(bad, False) if bad.any() else None


def odd_among_numbers(column: Column, settings: RoleSettings) -> tuple[tuple[str, int], ...]:
    """Return the texts, with their rows, that keep a column of mostly numbers from being numbers.

    Numbers are most texts that differ and stand in most rows, but in fewer than the role asks for. Left out
    are texts that stand in one row, which may be somebody's own.
    """
    if not column.is_text or not _may_be_numbers(column.trimmed[:: max(1, column.different // _SAMPLE)]):
        return ()
    role = Number.of(column, replace(settings, forced=True))
    if role is None or Number.of(column, settings) is not None:
        return ()
    read = ~np.isnan(role.encode(column).values[:, 0])
    numbers = role.parsed(column)
    meant = ~_stand_for_missing(column, settings.missing_words)
    odd = np.isnan(numbers) & meant
    if 2 * read.sum() < column.counts[meant].sum() or odd.sum() > _MOST_ODD:
        return ()
    if (meant & ~odd).sum() < max(_FEWEST_NUMBERS, odd.sum()):
        return ()
    of_values = column.spread(numbers, np.nan)
    if has_leading_zeros(column.trimmed) or _is_something_else(column.name, of_values, settings):
        return ()
    texts, counts = np.array(column.distinct, object)[odd].tolist(), column.counts[odd].tolist()
    return tuple((text.strip(), count) for text, count in zip(texts, counts, strict=True) if count > 1)


def _is_something_else(name: str, numbers: FloatArray, settings: RoleSettings) -> bool:
    """Return whether numbers (n,) are identifiers or codes, and the user says nothing else."""
    if settings.forced or settings.kept:
        return False
    return why_identifier(name, numbers) is not None or is_code(name, numbers)


def _any(rows: Mask) -> Mask | None:
    return rows if rows.any() else None


def _stand_for_missing(column: Column, words: frozenset[str]) -> Mask:
    """Return whether each of the texts that differ is a missing number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    usual = pc.is_in(pc.utf8_lower(column.trimmed), pa.array(sorted(MISSING_SPELLINGS), column.trimmed.type))
    found: Mask = usual.to_numpy(zero_copy_only=False) | column.are_missing(words)
    return found


def _merge(texts: "pyarrow.Array", numbers: FloatArray) -> bool:
    """Return whether whole numbers are so large that some become the same float64."""
    large = np.abs(numbers) >= 2.0**53
    if not large.any():
        return False
    import pyarrow as pa

    whole = [text for text in texts.filter(pa.array(large)).to_pylist() if text.lstrip("+-").isdigit()]
    return len(set(map(float, whole))) < len(set(map(int, whole)))


def _may_be_numbers(texts: "pyarrow.Array") -> bool:
    """Return whether half of the texts look like numbers."""
    import pyarrow.compute as pc

    looks = pc.match_substring_regex(texts, rf"^[+-]?[.,]?\d[\d.,{SPACES}]*([eE][+-]?\d+)?$")
    return bool(pc.mean(looks).as_py() >= 0.5)
