"""Columns that hold one value or none, which are left out."""

from dataclasses import dataclass
from typing import ClassVar, Self

from micrograde.data.columns import Column
from micrograde.data.roles import ROLES, LeftOut, RoleSettings

_MOST_SPELLINGS = 100  # of one value, with spaces around it, and of missing ones


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Constant(LeftOut):
    """Constants: the same value in each row, or none in any; left out."""

    name: ClassVar[str] = "constant"
    rank: ClassVar[int] = 10
    plural: ClassVar[str] = "constants"

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return a constant, if no two rows differ."""
        if column.different > _MOST_SPELLINGS:
            return None
        missing = column.is_missing(settings.missing_words)
        if missing.all():
            return cls(reason="empty")
        if missing.any():
            return None
        different = {text.strip() for text in column.distinct} if column.is_text else set(column.distinct)
        return cls(reason="the same value in each row") if len(different) == 1 else None
