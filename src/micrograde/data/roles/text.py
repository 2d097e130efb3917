"""Free text, which is left out."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from micrograde.data.columns import Column
from micrograde.data.roles import ROLES, LeftOut, RoleSettings

_WORDS, _CHARACTERS = 4, 50
_FEWER_WORDS, _NEARLY_ALL = 3, 0.9


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Text(LeftOut):
    """Free text: more distinct texts than categories are kept, of four words or 50 characters on average."""

    name: ClassVar[str] = "text"
    rank: ClassVar[int] = 60
    plural: ClassVar[str] = "free text"

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return free text, if the column looks like it."""
        if not column.is_text:
            return None
        meant = [
            (text, count)
            for text, count in zip(column.distinct, column.counts.tolist(), strict=True)
            if text.strip()
        ]
        if any("\n" in text.strip() or "\r" in text.strip() for text, _ in meant):
            return cls(reason="texts of several lines")
        if len(meant) <= settings.max_categories:
            return None
        counts = np.array([count for _, count in meant])
        words = np.array([len(text.split()) for text, _ in meant])
        characters = np.array([len(text) for text, _ in meant])
        mean = float((words * counts).sum() / counts.sum())
        nearly_all = len(meant) >= _NEARLY_ALL * counts.sum()
        is_text = mean >= _WORDS or (characters * counts).sum() / counts.sum() >= _CHARACTERS
        if is_text or (mean >= _FEWER_WORDS and nearly_all):
            return cls(reason=f"{len(meant)} different texts of {mean:.0f} words on average")
        return None
