"""Times of day, which become hours."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from micrograde.data.columns import Column
from micrograde.data.date_texts import CLOCKS, clock_hours, formats_of, parse_dates
from micrograde.data.roles import ROLES, Axis, Encoded, FloatArray, Role, RoleSettings

_LEAST = 0.95


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Clock(Role):
    """Times of day without a date: hours since midnight.

    Parameters
    ----------
    form
        Their format, as ``strptime`` names it.
    words
        Texts that stand for missing values.
    """

    name: ClassVar[str] = "clock"
    rank: ClassVar[int] = 50
    plural: ClassVar[str] = "times"
    axis: ClassVar[Axis | None] = "clock"
    form: str = "%H:%M"
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return times of day, if nineteen of twenty texts that differ are such times of one format."""
        if not column.is_text:
            return None
        words = settings.missing_words
        meant = [text for text in column.distinct if text.strip() and text.strip() not in words]
        found = formats_of(meant, CLOCKS, _LEAST)
        return cls(form=found[0][0], words=tuple(sorted(words))) if found else None

    def features(self, column: str) -> tuple[str, ...]:
        """Return one name."""
        return (f"{column} (hours)",)

    def encode(self, column: Column) -> Encoded:
        """Return the hours (n, 1)."""
        column = column.as_texts
        times = parse_dates(column.distinct, self.form)
        unreadable = column.rows_unread(times.isna().to_numpy(), frozenset(self.words))
        hours = column.spread(clock_hours(times)[:, 0], np.nan)
        absent = np.isnan(hours)
        return Encoded(hours[:, None], absent if absent.any() else None, unreadable)

    def decode(self, features: FloatArray) -> list[Any]:
        """Return the times as texts of the same format."""
        import pandas as pd

        moments = pd.Timestamp("1900-01-01") + pd.to_timedelta(np.nan_to_num(features[:, 0]), unit="h").round(
            "s"
        )
        return [moment.strftime(self.form) for moment in moments]
