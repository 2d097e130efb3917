"""Dates and times of day as people write them, and the numbers that are made of them."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

ISO = "ISO8601"
_DAYS = (
    ISO,
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%a, %d %b %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
FORMATS = (ISO, *(day + time for day in _DAYS[1:] for time in _TIMES))
"""Formats of dates, as ``strptime`` names them.

Where several fit, the first is taken: the day before the month.
"""

CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
"""Formats of times of day without a date."""

_SAMPLE = 50
_DATE_LIKE = re.compile(
    r"\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2}|[A-Za-z]{3,9} \d{1,2},? \d{4}|"
    r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3}|\d{1,2}:\d{2})"
)
_ISO_LIKE = r"^\s*[12]\d{3}-\d{1,2}-\d{1,2}([T ]\d|\s*$)"


def parse_dates(texts: Sequence[str], form: str) -> "pandas.Series[pandas.Timestamp]":
    """Return texts as dates without time zones (the clock's time is kept), ``NaT`` for what is none."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.utf8_trim_whitespace(pa.array(texts, pa.large_string()))
    if form == ISO:  # pandas would take ten times as long for this
        plain = pc.if_else(pc.match_substring_regex(plain, _ISO_LIKE), plain, None)
        plain = pc.replace_substring_regex(plain, r"\s*(Z|UTC|[+-]\d\d:?\d\d)$", "")
    series: pd.Series[str] = plain.to_pandas()
    return pd.to_datetime(series, format=form, errors="coerce").astype("datetime64[us]")


def formats_of(
    texts: Sequence[str], forms: Sequence[str], least: float
) -> list[tuple[str, "pandas.Series[pandas.Timestamp]"]]:
    """Return the formats in which at least this share are dates, the best first, with the dates."""
    if not texts:
        return []
    sample = list(texts[:: max(1, len(texts) // _SAMPLE)])
    if sum(_DATE_LIKE.match(text) is not None for text in sample) < (least - 0.1) * len(sample):
        return []
    found = []
    for form in forms:
        if parse_dates(sample, form).notna().mean() >= least - 0.1:
            dates = parse_dates(texts, form)
            if dates.notna().mean() >= least:
                found.append((form, dates))
    return sorted(found, key=lambda each: -int(each[1].notna().sum()))


def date_numbers(dates: "pandas.Series[pandas.Timestamp]", first: str, *, hours: bool) -> NDArray[np.float64]:
    """Return year, month, day of the week, hour (if wanted) and days since ``first``; NaN if missing.

    Shape (n, 4) or (n, 5); Monday is 0; the days have fractions, of the time of day.
    """
    import pandas as pd

    there = dates.notna().to_numpy()
    parts: list[Any] = [dates.dt.year, dates.dt.month, dates.dt.day_of_week]
    if hours:
        parts.append(dates.dt.hour + dates.dt.minute / 60)
    days = (dates - pd.Timestamp(first)) / pd.Timedelta(days=1)
    numbers = np.column_stack([np.asarray(each, np.float64) for each in (*parts, days)])
    numbers[~there] = np.nan
    return numbers


def date_features(name: str, *, hours: bool) -> tuple[str, ...]:
    """Return the names of the numbers that ``date_numbers`` makes of a column."""
    parts = ["year", "month", "weekday", *(["hour"] if hours else []), "days"]
    return tuple(f"{name} ({part})" for part in parts)


def clock_hours(times: "pandas.Series[pandas.Timestamp]") -> NDArray[np.float64]:
    """Return times of day as hours since midnight, shape (n, 1), NaN if missing."""
    hours = times.dt.hour + times.dt.minute / 60 + times.dt.second / 3600
    return np.asarray(hours, np.float64)[:, None]
