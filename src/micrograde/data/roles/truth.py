"""Truth values, which become one feature."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from micrograde.data.columns import Column
from micrograde.data.roles import ROLES, Encoded, FloatArray, Role, RoleSettings

SPELLINGS = {"true": True, "false": False, "yes": True, "no": False}
"""How truth values are written, in small letters."""

_MOST_SPELLINGS = 100


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Truth(Role):
    """Truth values (true and false, yes and no): 1 and 0; missing ones are filled, and get an indicator.

    Parameters
    ----------
    words
        Texts that stand for missing values.
    indicator
        Whether a second feature is 1 where the value is missing.
    plain
        Whether the values are ``true`` and ``false``, not ``yes`` and ``no``.
    """

    name: ClassVar[str] = "truth"
    rank: ClassVar[int] = 20
    plural: ClassVar[str] = "truths"
    words: tuple[str, ...] = ()
    indicator: bool = False
    plain: bool = True

    @property
    def input_type(self) -> Literal["double", "boolean", "string"]:  # type: ignore[override]
        """``boolean`` unless they are written as yes and no."""
        return "boolean" if self.plain else "string"

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return truth values, if nothing else stands in the column, and both of them do."""
        if not column.is_text or column.different > _MOST_SPELLINGS:
            return None
        words = settings.missing_words
        found = {
            text.strip().lower() for text in column.distinct if text.strip() and text.strip() not in words
        }
        if found not in ({"true", "false"}, {"yes", "no"}):
            return None
        missing = bool(column.is_missing(words).any())
        return cls(words=tuple(sorted(words)), indicator=missing, plain="true" in found)

    def features(self, column: str) -> tuple[str, ...]:
        """Return the column's name, and that of the indicator."""
        return (column, f"{column} (missing)") if self.indicator else (column,)

    def encode(self, column: Column) -> Encoded:
        """Return 1, 0 or NaN (n, 1), or (n, 2) with the indicator."""
        column = column.as_texts
        read = np.array([_truth(text) for text in column.distinct], np.float64)
        unreadable = column.rows_unread(np.isnan(read), frozenset(self.words))
        values = column.spread(read, np.nan)
        columns = [values, np.isnan(values).astype(np.float64)] if self.indicator else [values]
        absent = np.isnan(values)
        return Encoded(
            np.column_stack(columns),
            absent if absent.any() else None,
            unreadable,
        )

    def read_values(self, features: FloatArray) -> NDArray[Any] | None:
        """Return true and false, if they are written so and none is missing."""
        return features[:, 0] > 0 if self.plain and not np.isnan(features[:, 0]).any() else None

    def decode(self, features: FloatArray) -> list[Any]:
        """Return true and false, or yes and no; None where missing."""
        names = (False, True) if self.plain else ("no", "yes")
        absent = features[:, 1] > 0.5 if self.indicator else np.zeros(len(features), np.bool_)
        truths = features[:, 0] > 0.5
        return [None if gone else names[int(truth)] for gone, truth in zip(absent, truths, strict=True)]


def _truth(text: str) -> float:
    found = SPELLINGS.get(text.strip().lower())
    return float("nan") if found is None else float(found)
