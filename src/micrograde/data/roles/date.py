"""Dates, which become numbers: year, month, day of the week, hour, days since the first."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from micrograde.data.columns import Column
from micrograde.data.date_texts import FORMATS, date_features, date_numbers, formats_of, parse_dates
from micrograde.data.roles import ROLES, Axis, Encoded, FloatArray, Mask, Role, RoleSettings
from micrograde.data.roles.number import MANY_MISSING

if TYPE_CHECKING:
    import pandas

_LEAST = 0.95  # of the texts that differ
_DAY = np.timedelta64(1, "D")


@ROLES.register
@dataclass(frozen=True, kw_only=True)
class Date(Role):
    """Dates: year, month, day of the week (Monday is 0), hour (if any is not midnight), days since the first.

    Parameters
    ----------
    form
        Their format, as ``strptime`` names it, or ``ISO8601``.
    first
        The first of them, from which days are counted.
    hours
        Whether the hour is a feature.
    indicator
        Whether a last feature is 1 where the date is missing.
    words
        Texts that stand for missing values.
    either
        Whether day and month could change places in every date.
    """

    name: ClassVar[str] = "date"
    rank: ClassVar[int] = 40
    plural: ClassVar[str] = "dates"
    axis: ClassVar[Axis | None] = "date"
    form: str = "ISO8601"
    first: str = "1970-01-01"
    hours: bool = False
    indicator: bool = False
    words: tuple[str, ...] = ()
    either: bool = False

    @classmethod
    def of(cls, column: Column, settings: RoleSettings) -> Self | None:
        """Return dates, if nineteen of twenty texts that differ are dates of one format."""
        if not column.is_text:
            return None
        words = settings.missing_words
        meant = [text for text in column.distinct if text.strip() and text.strip() not in words]
        found = formats_of(meant, FORMATS, 0.0 if settings.forced else _LEAST)
        found = [each for each in found if each[1].notna().any()]
        if not found:
            return None
        form, dates = found[0]
        turned = [
            each
            for each in found
            if _turned(each[0]) == form and int(each[1].notna().sum()) == int(dates.notna().sum())
        ]
        if turned and settings.day_first is False and form.startswith("%d"):
            form, dates = turned[0]
        there = dates.dropna()
        role = cls(
            form=form,
            first=str(there.min().date()),
            hours=bool((there != there.dt.normalize()).any()),
            words=tuple(sorted(words)),
            either=bool(turned) and settings.day_first is None,
        )
        missing = int(np.isnan(role.encode(column).values[:, 0]).sum())
        return cls(**{**vars(role), "indicator": missing >= max(1, MANY_MISSING * len(column))})

    def features(self, column: str) -> tuple[str, ...]:
        """Return the names of the numbers."""
        names = date_features(column, hours=self.hours)
        return (*names, f"{column} (missing)") if self.indicator else names

    def dates(self, column: Column) -> "tuple[pandas.Series[Any], Mask | None]":
        """Return the dates of the rows, and which rows hold none that can be read."""
        import pandas as pd

        column = column.as_texts
        dates = parse_dates(column.distinct, self.form)
        unreadable = column.rows_unread(dates.isna().to_numpy(), frozenset(self.words))
        values = np.append(dates.to_numpy(), np.datetime64("NaT"))[column.codes]
        return pd.Series(values), unreadable

    def encode(self, column: Column) -> Encoded:
        """Return the numbers (n, k), NaN where the date is missing."""
        dates, unreadable = self.dates(column)
        numbers = date_numbers(dates, self.first, hours=self.hours)
        if self.indicator:
            numbers = np.column_stack([numbers, np.isnan(numbers[:, 0])])
        absent = np.isnan(numbers[:, 0])
        return Encoded(numbers, absent if absent.any() else None, unreadable)

    def along_axis(self, column: Column) -> FloatArray:
        """Return the days since 1970-01-01, shape (n,)."""
        dates = self.dates(column)[0].to_numpy("datetime64[ns]")
        return np.where(np.isnat(dates), np.nan, (dates - np.datetime64(0, "ns")) / _DAY)

    def decode(self, features: FloatArray) -> list[Any]:
        """Return the dates as texts of the same format."""
        import pandas as pd

        days = features[:, 4 if self.hours else 3]
        gone = np.isnan(days) | (features[:, -1] > 0.5 if self.indicator else False)
        moments = pd.Timestamp(self.first) + pd.to_timedelta(np.where(gone, 0.0, days), unit="D").round("s")
        form = ("%Y-%m-%d %H:%M:%S" if self.hours else "%Y-%m-%d") if self.form == "ISO8601" else self.form
        return [
            None if absent else moment.strftime(form) for moment, absent in zip(moments, gone, strict=True)
        ]

    def described(self) -> str:
        """Return their format."""
        shown = {**dict.fromkeys(("%m", "%b", "%B"), "month"), "%d": "day", "%Y": "year", "%y": "year"}
        if self.form == "ISO8601":
            return ""
        order = "-".join(
            shown[self.form[place : place + 2]]
            for place in range(len(self.form))
            if self.form[place : place + 2] in shown
        )
        return f"{order}, though month-day is possible, too" if self.either else order


def _turned(form: str) -> str:
    """Return a format with day and month exchanged."""
    return form.replace("%m", "#").replace("%d", "%m").replace("#", "%d")
