"""Identifiers, which are left out: a network that learns them by heart knows nothing of a new row."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from micrograde.data.columns import Column
from micrograde.data.identifiers import (
    FEWEST_ROWS,
    REPEATED,
    ROWS_OF_A_CODE,
    is_named_as_identifier,
    why_identifier,
)
from micrograde.data.number_texts import POINT, parse_numbers
from micrograde.data.roles import ROLES, LeftOut, RoleSettings

_NEARLY_ALL = 0.9


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Identifier(LeftOut):
    """Identifiers: texts that differ in each row, row numbers, whole numbers named ``id``; left out."""

    name: ClassVar[str] = "identifier"
    rank: ClassVar[int] = 70
    plural: ClassVar[str] = "identifiers"

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return an identifier, if the column looks like one."""
        if settings.kept:
            return None
        numbers = _numbers(column, settings)
        reason = _why_text(column, settings) if numbers is None else why_identifier(column.name, numbers)
        return cls(reason=reason) if reason else None


def _numbers(column: Column, settings: RoleSettings) -> "np.ndarray[tuple[int], np.dtype[np.float64]] | None":
    """Return the numbers of a column, shape (n,); None if it holds other texts."""
    if column.numbers is not None:
        return column.numbers
    parsed = parse_numbers(column.trimmed, POINT)
    if np.isnan(parsed[~column.are_missing(settings.missing_words)]).any():
        return None
    return column.spread(parsed, np.nan)


def _why_text(column: Column, settings: RoleSettings) -> str | None:
    """Return why texts are identifiers; None if they are not."""
    meant = ~column.are_missing(settings.missing_words)
    rows, different = int(column.counts[meant].sum()), int(meant.sum())
    if rows >= FEWEST_ROWS and different == rows:
        return "different in each row"
    if rows == len(column) and rows >= FEWEST_ROWS and different >= _NEARLY_ALL * rows:
        return "different in nearly each row"
    return REPEATED if is_named_as_identifier(column.name) and rows < ROWS_OF_A_CODE * different else None
