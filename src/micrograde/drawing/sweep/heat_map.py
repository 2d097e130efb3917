"""A metric over two swept parameters: a heat map of means, or dots if hardly any runs share values."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import VIRIDIS, shade, shade_names
from micrograde.drawing.panel import Panel, label_room
from micrograde.drawing.style import INK, PALE_INK, PAPER, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.axes import (
    TICK,
    Labels,
    MetricAxis,
    bar_room,
    draw_bar,
    draw_below,
    labels_below,
    metric_axis,
)
from micrograde.drawing.sweep.swept import Scale, scale_of, shown
from micrograde.drawing.text import fitted, text_width

CELLS_WITH_NUMBERS = 120
"""The most cells with numbers; with more cells the numbers would not fit."""

_GRID = 12  # with more different values along an axis, and few cells filled, runs are drawn as dots
_FILLED = 0.4  # the share of filled cells below which they are few
_WIDTH, _HEIGHT, _GAP, _RIGHT = 470, 330, 18, 20
_NARROWEST = 40  # pixels of a cell with a number
_NO_RESULT = "#D9D9D9"
_NAMES = 120  # pixels of a row's name
_NAMES_APART = 14
_DARK = 128  # the brightness, of 255, below which text upon a colour is white


@dataclass(frozen=True)
class _Cells:
    """Means over pairs of values.

    Attributes
    ----------
    scales
        Across and up, in which the different values are at 0, 1, 2...
    mean, count
        (rows, columns), the first row at the bottom; NaN and 0 where no run has a result.
    """

    scales: tuple[Scale, Scale]
    mean: NDArray[np.float64]
    count: NDArray[np.int64]

    def best(self, lower_is_better: bool) -> tuple[int, int] | None:
        """Return the row and column of the best mean; None if there is none."""
        if not self.count.any():
            return None
        at = np.nanargmin(self.mean) if lower_is_better else np.nanargmax(self.mean)
        row, column = divmod(int(at), self.mean.shape[1])
        return row, column


def draw_heat_map(
    across: Swept, up: Swept, values: ArrayLike, *, metric: str, lower_is_better: bool, title: str
) -> Svg:
    """Draw the mean of the metric for each pair of values, over all other parameters; bright is good.

    The best cell is framed, and a pair without a result is grey. Where pairs have different numbers of runs,
    these stand below the means. If there are many values but few pairs, as with random search, each run is a
    dot instead.

    Parameters
    ----------
    values
        (N,): the metric of each run, best first; NaN if it failed.
    """
    measured = np.asarray(values, float)
    scales = scale_of(across.values), scale_of(up.values)
    distinct = [np.unique(scale.positions[~np.isnan(scale.positions)]) for scale in scales]
    filled = len(np.unique(np.stack([scale.positions for scale in scales]), axis=1).T)
    cells = len(distinct[0]) * len(distinct[1])
    names = across.name, up.name
    if max(map(len, distinct)) > _GRID and filled < _FILLED * cells:
        return _draw_dots(scales, names, measured, metric, lower_is_better, title)
    return _draw_cells(_cells_of((across, up), measured), names, metric, lower_is_better, title)


def _cells_of(pair: tuple[Swept, Swept], values: NDArray[np.float64]) -> _Cells:
    (across, columns), (up, rows) = (_in_order(swept) for swept in pair)
    shape = len(up.ticks), len(across.ticks)
    cell, has = rows * shape[1] + columns, np.isfinite(values)
    count = np.bincount(cell[has], minlength=shape[0] * shape[1])
    with np.errstate(invalid="ignore"):  # a cell without a result is 0 / 0
        mean = np.bincount(cell[has], values[has], shape[0] * shape[1]) / count
    return _Cells((across, up), mean.reshape(shape), count.reshape(shape))


def _in_order(swept: Swept) -> tuple[Scale, NDArray[np.int64]]:
    """Return a scale of the different values at 0, 1, 2..., and each run's place on it."""
    positions = scale_of(swept.values).positions
    _, first, codes = np.unique(positions, return_index=True, return_inverse=True)
    names = tuple(shown(swept.values[run]) for run in first)
    return Scale("category", codes.astype(float), np.arange(len(names), dtype=float), names), codes.astype(
        np.int64
    )


def _draw_cells(cells: _Cells, names: tuple[str, str], metric: str, lower_is_better: bool, title: str) -> Svg:
    rows, columns = cells.mean.shape
    _, up = cells.scales
    with_numbers = cells.mean.size <= CELLS_WITH_NUMBERS
    uneven = len(np.unique(cells.count[cells.count > 0])) > 1
    texts = [plain_number(mean, 3) for mean in cells.mean[cells.count > 0]] if with_numbers else []
    widest = max((text_width(text, TICK) + 10 for text in texts), default=0.0)
    cell_width = max(_WIDTH / columns, widest, _NARROWEST if with_numbers else 0)
    cell_height = max(_HEIGHT / max(rows, 4), 34 if uneven and with_numbers else 20 if with_numbers else 0)
    width, height = cell_width * columns, cell_height * rows
    axis = metric_axis(metric, cells.mean.ravel())
    axis = _from_least_to_greatest(axis, cells.mean)
    point = _line(cells, lower_is_better)
    if uneven and with_numbers:
        point += "; below each mean: its runs"
    y_ticks = [(place, fitted(text, TICK, _NAMES)) for place, text in zip(up.ticks, up.labels, strict=True)]
    y_ticks = y_ticks[:: max(1, int(np.ceil(_NAMES_APART / cell_height)))]
    panel, canvas = _framed(
        cells.scales, names, (width, height), axis, title, point, f"mean {metric}", y_ticks, lower_is_better
    )
    _fill(panel, cells, axis, lower_is_better, with_numbers=with_numbers, with_counts=uneven)
    if found := cells.best(lower_is_better):
        row, column = found
        x, y = panel.left + column * cell_width, panel.top + (rows - 1 - row) * cell_height
        canvas.frame(x, y, cell_width, cell_height, VALIDATION_COLOUR)
    return canvas.finish(f"{title}; {point}")


def _fill(
    panel: Panel,
    cells: _Cells,
    axis: MetricAxis,
    lower_is_better: bool,
    *,
    with_numbers: bool,
    with_counts: bool,
) -> None:
    """Colour the cells and write the means into them, dark on bright and bright on dark."""
    shares = _shares(axis, cells.mean.ravel()).reshape(cells.mean.shape)
    palette = _palette(lower_is_better)
    colours = shade(palette, shares)
    colours[cells.count == 0] = [int(_NO_RESULT[at : at + 2], 16) for at in (1, 3, 5)]
    panel.draw_image(colours, "means")
    if not with_numbers:
        return
    bright = colours @ np.array([0.3, 0.59, 0.11])
    for row, column in zip(*(each.tolist() for each in np.nonzero(cells.count)), strict=True):
        x, y = panel.at(float(column), float(row))
        ink = PAPER if bright[row, column] < _DARK else INK
        panel.canvas.text(
            x, y + (-1 if with_counts else 4), plain_number(cells.mean[row, column], 3), colour=ink
        )
        if with_counts:
            panel.canvas.text(x, y + 12, f"{cells.count[row, column]}", size=10, colour=ink)


def _line(cells: _Cells, lower_is_better: bool) -> str:
    found = cells.best(lower_is_better)
    if found is None:
        return "no run has a result"
    across, up = cells.scales
    row, column = found
    runs = int(cells.count[row, column])
    grey = "" if cells.count.all() else "; grey: no result"
    lead = plain_number(cells.mean[row, column])
    where = f"{across.labels[column]} and {up.labels[row]}"
    return f"best mean {lead} at {where} ({runs} run{'s' * (runs != 1)}){grey}"


def _draw_dots(
    scales: tuple[Scale, Scale],
    names: tuple[str, str],
    values: NDArray[np.float64],
    metric: str,
    lower_is_better: bool,
    title: str,
) -> Svg:
    """Draw a dot for each run, the best last."""
    has = np.isfinite(values)
    # Of equal values the first run is the best, as runs come best first.
    runs = np.flatnonzero(has)[::-1]
    order = runs[np.argsort(-values[runs] if lower_is_better else values[runs], kind="stable")]
    axis = _from_least_to_greatest(metric_axis(metric, values), values)
    point = "no run has a result"
    if order.size:
        crosses = "" if has.all() else "; crosses: no result"
        point = f"each dot is a run; ring: the best run, {plain_number(values[order[-1]])}{crosses}"
    y_ticks = [
        (place, fitted(text, TICK, _NAMES))
        for place, text in zip(scales[1].ticks, scales[1].labels, strict=True)
    ]
    size = (_WIDTH, _HEIGHT)
    panel, canvas = _framed(
        scales, names, size, axis, title, point, metric, y_ticks, lower_is_better, grid=True
    )
    x, y = (scale.positions for scale in scales)
    canvas.crosses(np.column_stack(panel.at(x[~has], y[~has])), PALE_INK)
    if order.size:
        places = np.column_stack(panel.at(x[order], y[order]))
        colours = shade_names(_palette(lower_is_better), _shares(axis, values[order]))
        for place, colour in zip(places, colours, strict=True):
            canvas.dots(place[np.newaxis], colour, diameter=7, rim=False)
        canvas.ring(float(places[-1, 0]), float(places[-1, 1]), VALIDATION_COLOUR)
    return canvas.finish(f"{title}; {point}")


def _framed(
    scales: tuple[Scale, Scale],
    names: tuple[str, str],
    size: tuple[float, float],
    axis: MetricAxis,
    title: str,
    point: str,
    bar: str,
    y_ticks: list[tuple[float, str]],
    lower_is_better: bool,
    *,
    grid: bool = False,
) -> tuple[Panel, Canvas]:
    """Return a panel with both axes, a heading above, and the bar of colours to its right."""
    (across, up), (width, height) = scales, size
    labels: Labels = labels_below(across, width)
    left = max(60.0, label_room(y_ticks) + 8)
    whole = left + width + (_GAP + bar_room(axis.ticks) if axis.ticks else 0) + _RIGHT
    above = heading(title, point, whole)
    canvas = Canvas(whole, above.height + 8 + height + labels.depth + 4)
    above.draw(canvas)
    panel = Panel(canvas, left, above.height + 8, width, height, across.limits, up.limits)
    panel.draw_axes("", fitted(names[1], TICK, max(height, 80)), x_ticks=(), y_ticks=y_ticks, grid=grid)
    draw_below(panel, labels, names[0])
    if axis.ticks:
        corner = (left + width + _GAP, panel.top, height)
        draw_bar(canvas, corner, axis.ends, axis.ticks, bar, palette=_palette(lower_is_better))
    return panel, canvas


def _palette(lower_is_better: bool) -> tuple[str, ...]:
    return VIRIDIS[::-1] if lower_is_better else VIRIDIS


def _from_least_to_greatest(axis: MetricAxis, values: NDArray[np.float64]) -> MetricAxis:
    """Return the axis without a margin, so that the colours' ends are the least and the greatest value."""
    heights = axis.heights(values.ravel())
    heights = heights[np.isfinite(heights)]
    if not heights.size or heights.min() == heights.max():
        return axis
    low, high = float(heights.min()), float(heights.max())
    return MetricAxis(axis.logarithmic, (low, high), [each for each in axis.ticks if low <= each[0] <= high])


def _shares(axis: MetricAxis, values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = axis.ends
    return np.asarray((axis.heights(values) / 2 - low / 2) / (high / 2 - low / 2))


@SWEEP_PICTURES.register
class HeatMap(SweepPicture):
    """The mean of the metric for each pair of values of two parameters."""

    name: ClassVar[str] = "heat_map"
    place: ClassVar[int] = 20

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether two parameters vary."""
        return len(sweep.parameters) == 2

    def text(self, sweep: SweepContents) -> str:
        """Name the metric and the parameters."""
        across, up = sweep.parameters
        return f"{sweep.metric} over {across.name} and {up.name}"

    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Draw the first parameter across and the second one up."""
        rule: dict[str, Any] = {"metric": sweep.metric, "lower_is_better": sweep.lower_is_better}
        across, up = sweep.parameters
        return draw_heat_map(across, up, sweep.values, **rule, title=title)
