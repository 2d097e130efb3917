"""The picture of one column: a histogram of numbers, dates and times, or bars of the most frequent texts."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from micrograde.data.column_counts import Frequencies, Histogram
from micrograde.drawing.panel import Panel, Ticks, label_room, round_ticks
from micrograde.drawing.style import GRID, PALE_INK
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted, text_width

_WIDTH = 340.0
_TOP, _HEIGHT, _BELOW, _RIGHT = 8.0, 120.0, 26.0, 22.0
_BAR, _GAP = 14.0, 5.0
_SIZE = 12.0
_NAMES = 130.0  # the most pixels that names of bars take
_MILLISECONDS = 86400e3  # of a day
_DATE = len("2024-02-29")
_EVERY = {
    "Y": (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    "M": (1, 2, 3, 6, 12),
    "D": (),
    "h": (1, 2, 3, 6, 12, 24),
}
"""How many calendar units lie between ticks."""


def draw_column(counts: Histogram | Frequencies, colours: Sequence[str], *, title: str) -> Svg:
    """Draw how often the values of a column stand there.

    Parameters
    ----------
    colours
        One for each class; of a histogram or a bar, the classes are stacked in their order.
    title
        What the picture is, for screen readers.
    """
    if isinstance(counts, Histogram):
        return _draw_histogram(counts, colours, title)
    return _draw_bars(counts, colours, title)


def _draw_histogram(counts: Histogram, colours: Sequence[str], title: str) -> Svg:
    most = int(counts.counts.sum(axis=1).max(initial=1))
    rows = round_ticks(0, most, about=4, whole=True)
    left = label_room(rows) - 12
    canvas = Canvas(_WIDTH, _TOP + _HEIGHT + _BELOW)
    across = (float(counts.edges[0]), float(counts.edges[-1]))
    panel = Panel(canvas, left, _TOP, _WIDTH - left - _RIGHT, _HEIGHT, across, (0, most))
    x_ticks = _apart(_x_ticks(counts), panel)
    panel.draw_axes("", "", x_ticks=x_ticks, y_ticks=rows)
    bottoms = np.zeros(len(counts.counts))
    for colour, of_class in zip(colours, counts.counts.T, strict=True):
        tops = bottoms + of_class
        for place in np.flatnonzero(of_class).tolist():
            x, y = panel.at(float(counts.edges[place]), float(tops[place]))
            right, below = panel.at(float(counts.edges[place + 1]), float(bottoms[place]))
            canvas.rectangle(x, y, max(right - x - 0.6, 0.6), below - y, colour)
        bottoms = tops
    return canvas.finish(title)


def _draw_bars(counts: Frequencies, colours: Sequence[str], title: str) -> Svg:
    totals = counts.counts.sum(axis=1)
    left = min(max(text_width(name, _SIZE) for name in counts.names), _NAMES) + 14
    numbers = max(text_width(str(total), _SIZE) for total in totals.tolist()) + 8
    room, most = _WIDTH - left - numbers - 4, max(int(totals.max()), 1)
    lines = len(counts.names) + (counts.others > 0)
    canvas = Canvas(_WIDTH, _TOP + lines * (_BAR + _GAP) + 6)
    for row, (name, of_classes, total) in enumerate(
        zip(counts.names, counts.counts.tolist(), totals.tolist(), strict=True)
    ):
        y, x = _TOP + row * (_BAR + _GAP), left
        canvas.text(left - 6, y + 11, fitted(name, _SIZE, _NAMES), anchor="end", size=_SIZE)
        for colour, count in zip(colours, of_classes, strict=True):
            if count:
                canvas.rectangle(x, y, room * count / most, _BAR, colour)
                x += room * count / most
        canvas.text(x + 5, y + 11, str(total), anchor="start", size=_SIZE)
    bottom = _TOP + len(counts.names) * (_BAR + _GAP)
    canvas.line((left - 0.5, _TOP - 3), (left - 0.5, bottom), PALE_INK)
    if counts.others:
        more = f"and {counts.others} more in {counts.other_rows} rows"
        canvas.text(left, bottom + 11, more, anchor="start", size=_SIZE)
    else:
        canvas.line((left, bottom), (_WIDTH - 4, bottom), GRID)
    return canvas.finish(title)


def _x_ticks(counts: Histogram) -> Ticks:
    low, high = float(counts.edges[0]), float(counts.edges[-1])
    if counts.kind == "date":
        return date_ticks(low, high)
    around_whole = bool((counts.edges % 1 == 0.5).all())
    ticks = round_ticks(low, high, about=6, whole=around_whole)
    return [(hour, f"{text} h") for hour, text in ticks] if counts.kind == "clock" else ticks


def _apart(ticks: Ticks, panel: Panel) -> Ticks:
    """Return the ticks whose labels stand apart from each other and within the picture."""
    kept: list[tuple[float, str]] = []
    end = 0.0
    for value, text in ticks:
        x, _ = panel.at(value, 0.0)
        half = text_width(text, _SIZE) / 2
        if x - half >= end and x + half <= _WIDTH:
            kept.append((value, text))
            end = x + half + 6
    return kept


def date_ticks(low: float, high: float) -> Ticks:
    """Return dates to mark between two moments in days since 1970-01-01: years, months, days or hours."""
    days = high - low
    unit: Literal["Y", "M", "D", "h"] = (
        "Y" if days > 3 * 365 else "M" if days > 90 else "D" if days > 4 else "h"
    )
    minute = str(np.array(low * _MILLISECONDS).astype("datetime64[ms]").astype("datetime64[m]"))
    return _of_unit(low, high, unit) or [(low, minute.replace("T", " "))]


def _of_unit(low: float, high: float, unit: Literal["Y", "M", "D", "h"]) -> Ticks:
    """Return moments at which a calendar unit begins, some of them left out if they are many."""
    ends = (np.array([low, high]) * _MILLISECONDS).astype("datetime64[ms]").astype(f"datetime64[{unit}]")
    start, end = ends.astype(int).tolist()
    least = -(-max(end - start, 1) // 5)
    every = next((each for each in _EVERY[unit] if each >= least), least)
    begin = 1970 if unit == "Y" else 0  # so that years are round; months and hours count from zero anyway
    moments = [np.datetime64(place, unit) for place in range(start, end + 1) if (place + begin) % every == 0]
    ticks = [(_in_days(moment), str(moment).replace("T00", "").replace("T", " ")) for moment in moments]
    clock = ":00" if unit == "h" else ""
    return [
        (days, text + clock if len(text) > _DATE else text) for days, text in ticks if low <= days <= high
    ]


def _in_days(moment: np.datetime64) -> float:
    return float(moment.astype("datetime64[ms]").astype(int)) / _MILLISECONDS
