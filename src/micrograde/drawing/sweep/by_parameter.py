"""A metric against each swept parameter, with its spread over the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, label_room
from micrograde.drawing.style import INK
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.axes import TICK, Labels, MetricAxis, draw_below, labels_below, metric_axis
from micrograde.drawing.sweep.dots import FOOT, MEANS, draw_dots, draw_ring, key_of_dots
from micrograde.drawing.sweep.swept import Scale, scale_of, shown
from micrograde.drawing.text import fitted

PANELS = 9
"""The most parameters that are drawn; of more, the first ones."""

_COLUMNS = 3
_WIDTHS = (0, 520, 380, 300)  # pixels of a panel, by the number of columns
_HEIGHT, _ABOVE, _BETWEEN, _RIGHT = 240, 30, 26, 24
_CAP = 4  # half the width of the ends of an error bar


@dataclass(frozen=True)
class _Means:
    """At each of a parameter's values (G,): the mean of the runs there, their deviation, and how many."""

    places: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    count: NDArray[np.int64]
    first: NDArray[np.intp]

    def ends(self) -> NDArray[np.float64]:
        """Return the ends of all error bars."""
        return np.concatenate([self.mean - self.std, self.mean + self.std])


def draw_metric_by_parameter(
    parameters: Sequence[Swept],
    values: ArrayLike,
    *,
    metric: str,
    lower_is_better: bool,
    title: str,
    best: int | None = None,
) -> Svg:
    """Draw a panel for each parameter: a dot for each run, and the mean ± standard deviation at each value.

    Parameters
    ----------
    values
        (N,): the metric of each run; NaN if it failed, which is drawn as a cross at the bottom of the panel.
    best
        The number of the run to be marked with a ring.
    """
    measured = np.asarray(values, float)
    drawn = parameters[:PANELS]
    columns = min(len(drawn), _COLUMNS)
    width = _WIDTHS[columns]
    scales = [scale_of(parameter.values) for parameter in drawn]
    means = [_means(scale, measured) for scale in scales]
    ends = np.concatenate(
        [np.empty(0), *(each.ends() for each in means if each and len(each.places) <= MEANS)]
    )
    axis = metric_axis(metric, measured, more=ends, foot=FOOT if not np.isfinite(measured).all() else 0.0)
    labels = [labels_below(scale, width) for scale in scales]
    left = max(60.0, label_room(axis.ticks) + 8)
    whole = left + columns * (width + _BETWEEN) - _BETWEEN + _RIGHT
    left_out = len(parameters) - len(drawn)
    more = f" (the first {PANELS} of {len(parameters)} parameters)" if left_out else ""
    key = key_of_dots(measured, best)
    several = any(each and _is_drawn(each) and each.count.max() > 1 for each in means)
    key += ", black: mean and standard deviation" if several else ""
    above = heading(f"{title}{more}", key, whole)
    tops, y = [], above.height
    for row in range(0, len(drawn), columns):
        tops.append(y + _ABOVE)
        y += _ABOVE + _HEIGHT + max(each.depth for each in labels[row : row + columns])
    canvas = Canvas(whole, y + 4)
    above.draw(canvas)
    for number, parameter in enumerate(drawn):
        row, column = divmod(number, columns)
        corner = (left + column * (width + _BETWEEN), tops[row])
        panel = Panel(canvas, *corner, width, _HEIGHT, scales[number].limits, axis.ends)
        _draw_frame(panel, axis, metric, named=column == 0)
        _draw_panel(panel, parameter, scales[number], axis, measured, means[number], labels[number], best)
        line = _line(parameter, measured, means[number], lower_is_better)
        canvas.text(panel.left + width / 2, panel.top - 10, fitted(line, 13, width + _BETWEEN), size=13)
    return canvas.finish(f"{title}{more}; {key}")


def _draw_frame(panel: Panel, axis: MetricAxis, metric: str, *, named: bool) -> None:
    """Draw the metric's axis and grid, with labels in the first column of panels only."""
    ticks = axis.ticks if named else [(value, "") for value, _ in axis.ticks]
    panel.draw_axes("", fitted(metric, TICK, _HEIGHT) if named else "", x_ticks=(), y_ticks=ticks)


def _draw_panel(
    panel: Panel,
    parameter: Swept,
    scale: Scale,
    axis: MetricAxis,
    values: NDArray[np.float64],
    means: _Means | None,
    labels: Labels,
    best: int | None,
) -> None:
    draw_below(panel, labels, parameter.name)
    heights = axis.heights(values)
    draw_dots(panel, scale, heights)
    if means and _is_drawn(means):
        _draw_means(panel, axis, means, joined=scale.kind != "category")
    draw_ring(panel, scale, heights, best)


def _means(scale: Scale, values: NDArray[np.float64]) -> _Means | None:
    """Return the means at each value of a parameter; None if no run has a result."""
    has = np.flatnonzero(np.isfinite(values) & ~np.isnan(scale.positions))
    if not len(has):
        return None
    places, first, group = np.unique(scale.positions[has], return_index=True, return_inverse=True)
    measured, count = values[has], np.bincount(group)
    with np.errstate(over="ignore", invalid="ignore"):  # such means are not drawn
        mean = np.bincount(group, measured) / count
        squares = np.bincount(group, (measured - mean[group]) ** 2)
        std = np.sqrt(squares / np.maximum(count - 1, 1))
    return _Means(places, mean, std, count, has[first])


def _is_drawn(means: _Means | None) -> bool:
    """Return whether means are drawn: at more values than ``MEANS`` none are."""
    return means is not None and len(means.places) <= MEANS


def _draw_means(panel: Panel, axis: MetricAxis, means: _Means, *, joined: bool) -> None:
    heights = axis.heights(means.mean)
    low, high = axis.heights(means.mean - means.std), axis.heights(means.mean + means.std)
    low = np.where(np.isnan(low), axis.ends[0], low)  # no logarithm: the bar goes on below the axis
    points = []
    for place, y, down, up, count in zip(means.places, heights, low, high, means.count, strict=True):
        if np.isnan(y):
            continue
        points.append(panel.at(float(place), float(y)))
        if count < 2 or np.isnan(up):
            continue
        (x, foot), (_, head) = panel.at(float(place), float(down)), panel.at(float(place), float(up))
        panel.canvas.line((x, foot), (x, head), INK, width=1.5)
        for end in (foot, head):
            panel.canvas.line((x - _CAP, end), (x + _CAP, end), INK, width=1.5)
    if joined and len(points) > 1:
        panel.canvas.curve([points], INK, "mean", width=1.5)
    for point in points if means.count.max() > 1 else ():
        panel.canvas.dot(*point, INK)


def _line(parameter: Swept, values: NDArray[np.float64], means: _Means | None, lower_is_better: bool) -> str:
    """Return what stands above a panel: where the mean, or of many values a run, is best."""
    if means is None:
        return "no run has a result"
    if not _is_drawn(means):
        has = np.flatnonzero(np.isfinite(values))
        best = has[np.argmin(values[has]) if lower_is_better else np.argmax(values[has])]
        return f"best {plain_number(values[best])} at {shown(parameter.values[best])}"
    at = int(np.argmin(means.mean) if lower_is_better else np.argmax(means.mean))
    what = "best mean" if means.count.max() > 1 else "best"
    return f"{what} {plain_number(means.mean[at])} at {shown(parameter.values[means.first[at]])}"


@SWEEP_PICTURES.register
class ByParameter(SweepPicture):
    """The metric against each parameter, with its mean and spread at each value."""

    name: ClassVar[str] = "by_parameter"
    place: ClassVar[int] = 10

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether anything but the seed varies."""
        return bool(sweep.parameters)

    def text(self, sweep: SweepContents) -> str:
        """Name the metric and the parameter, if there is one."""
        several = len(sweep.parameters) > 1
        return f"{sweep.metric} against {'each parameter' if several else sweep.parameters[0].name}"

    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Draw a panel for each parameter."""
        return draw_metric_by_parameter(
            sweep.parameters,
            sweep.values,
            metric=sweep.metric,
            lower_is_better=sweep.lower_is_better,
            title=title,
            best=sweep.best,
        )
