"""Columns that are left out because the user says so."""

from dataclasses import dataclass
from typing import ClassVar, Self

from micrograde.data.columns import Column
from micrograde.data.roles import ROLES, LeftOut, RoleSettings


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Dropped(LeftOut):
    """Columns that ``data.drop`` names, or that have another purpose, such as ``data.group``; left out."""

    name: ClassVar[str] = "dropped"
    rank: ClassVar[int] = 90
    plural: ClassVar[str] = "dropped"

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:  # noqa: ARG003 (every role's form)
        """Return None: no column looks so."""
        return None
