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
        sizes = []
        for texts in column.distinct_in_parts():
            if any("\n" in text.strip() or "\r" in text.strip() for text in texts):
                return cls(reason="texts of several lines")
            sizes.append(np.array([(len(text.split()), len(text)) for text in texts], np.int64))
        words, characters = np.concatenate(sizes).T if sizes else np.zeros((2, 0), np.int64)
        meant = words > 0
        words, characters, counts = words[meant], characters[meant], column.counts[meant]
        if len(counts) <= settings.max_categories:
            return None
        mean = float((words * counts).sum() / counts.sum())
        nearly_all = len(counts) >= _NEARLY_ALL * counts.sum()
        is_text = mean >= _WORDS or (characters * counts).sum() / counts.sum() >= _CHARACTERS
        if is_text or (mean >= _FEWER_WORDS and nearly_all):
            return cls(reason=f"{len(counts)} different texts of {mean:.0f} words on average")
        return None
