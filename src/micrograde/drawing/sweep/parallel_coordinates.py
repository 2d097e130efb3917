"""Three or more swept parameters at once: an axis for each, and a line for each run up to its metric."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import VIRIDIS, shade_names
from micrograde.drawing.panel import Panel, Ticks
from micrograde.drawing.style import PALE_INK
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.axes import TICK, MetricAxis, metric_axis
from micrograde.drawing.sweep.curves import pieces_of
from micrograde.drawing.sweep.swept import Scale, scale_of
from micrograde.drawing.text import fitted

LINES = 1000
"""The most runs that are drawn; of more, a sample that is evenly spaced from the worst to the best."""

AXES = 10
"""The most parameters that are drawn; of more, the first ones."""

_APART, _LEFT, _RIGHT = 150, 70, 86
_WIDEST = 1100
_HEIGHT, _ABOVE, _BELOW = 300, 46, 20
_LINE = 15  # the least pixels between labels of an axis, and between the lines of a name
_SHADES = 24
_NO_RESULT = "#B3B3B3"


def draw_parallel_coordinates(
    parameters: Sequence[Swept], values: ArrayLike, *, metric: str, lower_is_better: bool, title: str
) -> Svg:
    """Draw a vertical axis for each parameter and one for the metric; good runs are bright and drawn last.

    Parameters
    ----------
    values
        (N,): the metric of each run; NaN if it failed: then its line is grey and ends before the metric.
    """
    measured = np.asarray(values, float)
    drawn = parameters[:AXES]
    scales = [scale_of(swept.values) for swept in drawn]
    axis = metric_axis(metric, measured)
    of_metric = _share(axis.heights(measured), _extremes(axis, measured))
    heights = np.column_stack([*(_heights(scale, scale.positions) for scale in scales), of_metric])
    goodness = 1 - of_metric if lower_is_better else of_metric
    order = np.argsort(np.where(np.isnan(goodness), -1.0, goodness), kind="stable")
    if len(order) > LINES:
        order = order[np.linspace(0, len(order) - 1, LINES).astype(int)]

    apart = min(_APART, _WIDEST / len(scales))
    whole = _LEFT + apart * len(scales) + _RIGHT
    point = _key(goodness, len(order), len(parameters))
    above = heading(title, point, whole)
    canvas = Canvas(whole, above.height + _ABOVE + _HEIGHT + _BELOW)
    above.draw(canvas)
    corner = (_LEFT, above.height + _ABOVE)
    panel = Panel(canvas, *corner, apart * len(scales), _HEIGHT, (0.0, float(len(scales))), (0.0, 1.0))
    _draw_lines(panel, heights[order], goodness[order])
    for place, (scale, swept) in enumerate(zip(scales, drawn, strict=True)):
        ticks = list(zip(_heights(scale, scale.ticks).tolist(), scale.labels, strict=True))
        _draw_axis(panel, place, ticks, swept.name, apart)
    extremes = _extremes(axis, measured)
    ends = [(float(_share(np.array([height]), extremes)[0]), text) for height, text in axis.ticks]
    _draw_axis(panel, len(scales), [each for each in ends if -0.01 <= each[0] <= 1.01], metric, apart)
    return canvas.finish(f"{title}; {point}")


def _draw_lines(panel: Panel, heights: NDArray[np.float64], goodness: NDArray[np.float64]) -> None:
    """Draw the runs' lines, grey ones first and the best last, those of one colour as one path."""
    places = np.arange(heights.shape[1], dtype=float)
    shades = np.where(np.isnan(goodness), -1, np.rint(np.nan_to_num(goodness) * (_SHADES - 1))).astype(int)
    colours = shade_names(VIRIDIS, np.linspace(0, 1, _SHADES))
    width = 1.6 if len(heights) <= 60 else 0.9
    for number in np.unique(shades).tolist():
        those = np.flatnonzero(shades == number).tolist()
        pieces = [piece for run in those for piece in pieces_of(panel, places, heights[run])]
        colour = _NO_RESULT if number < 0 else colours[number]
        label = f"{len(those)} run{'s' * (len(those) != 1)}{' without a result' * (number < 0)}"
        panel.canvas.curve(
            [each for each in pieces if len(each) > 1], colour, label, width=width, opacity=0.8
        )


def _key(goodness: NDArray[np.float64], drawn: int, parameters: int) -> str:
    runs, gone = len(goodness), int(np.isnan(goodness).sum())
    key = (
        "each line is a run, bright is good"
        if drawn == runs
        else f"{drawn:,} of {runs:,} runs, bright is good"
    )
    if gone:
        key += "; grey: no result"
    return key + (f"; the first {AXES} of {parameters} parameters" if parameters > AXES else "")


def _extremes(axis: MetricAxis, values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least and greatest height of the metric, which are the ends of its axis."""
    heights = axis.heights(values)
    known = heights[~np.isnan(heights)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def _heights(scale: Scale, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale positions to heights from 0 to 1 along the axis; a single value is in the middle."""
    known = np.concatenate([scale.positions[~np.isnan(scale.positions)], scale.ticks])
    return _share(positions, (float(known.min()), float(known.max())) if known.size else (0.0, 0.0))


def _share(places: NDArray[np.float64], ends: tuple[float, float]) -> NDArray[np.float64]:
    low, high = ends
    if low == high:
        return np.where(np.isnan(places), np.nan, 0.5)
    return np.asarray((places / 2 - low / 2) / (high / 2 - low / 2))


def _draw_axis(panel: Panel, place: int, ticks: Ticks, name: str, apart: float) -> None:
    """Draw an axis, with labels that stand apart, and above it the name, before its last part broken."""
    canvas = panel.canvas
    (x, foot), (_, head) = panel.at(float(place), 0.0), panel.at(float(place), 1.0)
    canvas.line((x, foot), (x, head), PALE_INK)
    above = np.inf
    for height, text in sorted(ticks):
        _, y = panel.at(float(place), height)
        if above - y < _LINE - 1:
            continue
        canvas.line((x - 3, y), (x + 3, y), PALE_INK)
        canvas.text(x + 7, y + 4, fitted(text, TICK, min(apart, _RIGHT) - 14), anchor="start", halo=True)
        above = y
    group, dot, last = name.rpartition(".")
    lines = [group + dot, last] if dot and len(fitted(name, TICK, apart - 12)) < len(name) else [name]
    for number, line in enumerate(reversed(lines)):
        canvas.text(x, head - 14 - _LINE * number, fitted(line, TICK, apart - 12))


@SWEEP_PICTURES.register
class ParallelCoordinates(SweepPicture):
    """An axis for each of three or more parameters, and a line for each run up to its metric."""

    name: ClassVar[str] = "parallel_coordinates"
    place: ClassVar[int] = 30

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether three or more parameters vary."""
        return len(sweep.parameters) > 2

    def text(self, sweep: SweepContents) -> str:
        """Name the metric."""
        return f"{sweep.metric} over all parameters at once"

    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Draw the axes and lines."""
        return draw_parallel_coordinates(
            sweep.parameters,
            sweep.values,
            metric=sweep.metric,
            lower_is_better=sweep.lower_is_better,
            title=title,
        )
