"""Identifiers, which are left out: a network that learns them by heart knows nothing of a new row."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from micrograde.data.columns import Column
from micrograde.data.roles import ROLES, LeftOut, RoleSettings

_FEWEST = 10  # rows, below which values that differ say nothing
_NEARLY_ALL = 0.9
_ROWS_OF_A_CODE = 10
"""In how many rows values that are named as identifiers stand, on average, if they are categories."""
_NAME = re.compile(r"(?<![A-Za-z])(id|ID|Id|uuid|UUID|guid|GUID)(?![A-Za-z])|(?<=[a-z])(ID|Id)(?![A-Za-z])")


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Identifier(LeftOut):
    """Identifiers: texts that differ in each row, row numbers, whole numbers named ``id``; left out."""

    name: ClassVar[str] = "identifier"
    plural: ClassVar[str] = "identifiers"

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return an identifier, if the column looks like one."""
        rows = int(column.counts.sum())
        different = column.different
        named = is_named_as_identifier(column.name)
        if column.is_text:
            meant = ~column.are_missing(settings.missing_words)
            rows, different = int(column.counts[meant].sum()), int(meant.sum())
            if rows >= _FEWEST and different == rows:
                return cls(reason="different in each row")
            if rows == len(column) and rows >= _FEWEST and different >= _NEARLY_ALL * rows:
                return cls(reason="different in nearly each row")
            return cls(reason=_REPEATED) if named and rows < _ROWS_OF_A_CODE * different else None
        if rows < _FEWEST or column.numbers is None:
            return None
        there = column.numbers[~np.isnan(column.numbers)]
        if not (there == np.floor(there)).all():
            return None
        if (
            different == rows
            and rows == len(column)
            and there.min() in (0, 1)
            and there.max() - there.min() == rows - 1
        ):
            return cls(reason="row numbers")
        if not named:
            return None
        if different == rows:
            return cls(reason="different in each row")
        return cls(reason=_REPEATED) if rows < _ROWS_OF_A_CODE * different else None


_REPEATED = "by its name; some stand in several rows"


def is_named_as_identifier(name: str) -> bool:
    """Return whether a name is, or ends or begins with, ``id``: ``id``, ``customer_id``, ``PassengerId``."""
    return _NAME.search(name) is not None
