"""Learning curves of all runs of a sweep in one picture, coloured by a parameter."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, drawable, label_room, lost_in_rounding, round_ticks
from micrograde.drawing.style import INK, PALE_INK, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, Curves, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.axes import MetricAxis, metric_axis
from micrograde.drawing.sweep.colours import KEY, RunColours, colours_by
from micrograde.drawing.text import fitted
from micrograde.metrics import KEPT

LINES = 200
"""The most runs that are drawn; of more, a sample, and the quantiles of all."""

_WIDTH, _HEIGHT, _ABOVE, _BELOW, _RIGHT = 390, 256, 30, 50, 24
_POINTS = 12_000  # of the thin lines of a panel, at most: of long curves evenly spaced epochs are drawn
_QUANTILES = ((0.05, "6 4"), (0.25, "2 3"), (0.5, ""), (0.75, "2 3"), (0.95, "6 4"))


def draw_sweep_curves(
    panels: Sequence[Curves], *, title: str, colour_by: Swept | None = None, best: int | None = None
) -> Svg:
    """Draw a panel for each metric, with a thin line for each run.

    Of more than ``LINES`` runs a sample is drawn, with the quantiles of all.

    Parameters
    ----------
    colour_by
        The parameter by whose value lines are coloured.
    best
        The number of the run whose line is drawn last and thick.
    """
    runs = len(panels[0].values) if panels else 0
    colours = colours_by(colour_by, runs)
    what = f"{runs:,} run{'s' * (runs != 1)}"
    if runs > LINES:
        what = f"{LINES} of {runs:,} runs; of all: median, middle half (dotted), nine tenths (dashed)"
    point = what + ("; thick: the best run" if best is not None and runs > 1 else "")
    axes = [metric_axis(each.metric, each.values[np.isfinite(each.values)]) for each in panels]
    canvas, places = framed_panels(panels, axes, title, point, beside=KEY if colours.swept else 0)
    for panel, axis, curves in zip(places, axes, panels, strict=True):
        _draw_runs(panel, axis, curves, colours, best)
    last = places[-1]
    colours.draw_key(canvas, last.left + last.width + 20, last.top, last.height)
    return canvas.finish(f"{title}; {point}")


def framed_panels(
    panels: Sequence[Curves],
    axes: Sequence[MetricAxis],
    title: str,
    point: str,
    *,
    above: float = 0,
    beside: float = 0,
) -> tuple[Canvas, list[Panel]]:
    """Return a canvas with a panel for each metric, side by side, with axes and headings and no curves.

    ``above`` and ``beside`` are pixels that are left free for a key, under the heading or to the right.
    """
    rooms = [max(60.0, label_room(axis.ticks) - 4) for axis in axes]
    whole = sum(rooms) + len(panels) * _WIDTH + max(beside, _RIGHT)
    head = heading(title, point, whole)
    top = head.height + above + _ABOVE
    canvas = Canvas(whole, top + _HEIGHT + _BELOW)
    head.draw(canvas)
    found, x = [], 0.0
    for curves, axis, room in zip(panels, axes, rooms, strict=True):
        x += room
        found.append(_frame(canvas, (x, top), curves, axis))
        x += _WIDTH
    return canvas, found


def _frame(canvas: Canvas, corner: tuple[float, float], curves: Curves, axis: MetricAxis) -> Panel:
    steps = curves.steps.astype(float)
    first, last = (float(steps[0]), float(steps[-1])) if len(steps) else (0.0, 1.0)
    room = max(0.02 * max(last - first, 1.0), lost_in_rounding(first, last))
    panel = Panel(canvas, *corner, _WIDTH, _HEIGHT, (first - room, last + room), axis.ends)
    x_ticks = [(first, f"{first:g}")] if len(steps) == 1 else round_ticks(*panel.x_range, whole=True)
    panel.draw_axes("epoch", "", x_ticks=x_ticks, y_ticks=axis.ticks)
    canvas.text(panel.left + _WIDTH / 2, panel.top - 10, fitted(curves.metric, 13, _WIDTH), size=13)
    if not axis.ticks:
        canvas.text(panel.left + _WIDTH / 2, panel.top + _HEIGHT / 2, "no value", colour=PALE_INK)
    return panel


def _draw_runs(panel: Panel, axis: MetricAxis, curves: Curves, colours: RunColours, best: int | None) -> None:
    runs, steps = len(curves.values), curves.steps.astype(float)
    heights = axis.heights(curves.values)
    sample = np.arange(runs)
    if runs > LINES:
        sample = np.linspace(0, runs - 1, LINES).astype(int)
    most = max(20, _POINTS // max(len(sample), 1))
    kept = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), most)).astype(int))
    width, dim = 1.3 if len(sample) <= 30 else 0.8, 0.8 if runs <= LINES else 0.4
    for number, colour in enumerate(colours.colours):
        those = sample[colours.of_run[sample] == number]
        pieces = [
            piece for run in those.tolist() for piece in pieces_of(panel, steps[kept], heights[run, kept])
        ]
        lines, lone = (
            [each for each in pieces if len(each) > 1],
            [each[0] for each in pieces if len(each) == 1],
        )
        if lines:
            panel.canvas.curve(
                lines,
                colour,
                f"{curves.metric} of {len(those)} run{'s' * (len(those) != 1)}",
                width=width,
                opacity=dim,
            )
        if lone:
            panel.canvas.dots(np.array(lone), colour, diameter=5, rim=False)
    if runs > LINES:
        _draw_quantiles(panel, axis, steps, curves.values)
    if best is not None and len(steps):
        panel.draw_curve(steps, heights[best], VALIDATION_COLOUR, f"{curves.metric} of the best run")


def pieces_of(
    panel: Panel, steps: NDArray[np.float64], heights: NDArray[np.float64]
) -> list[list[tuple[float, float]]]:
    """Return the points of a curve in pixels, in pieces between its gaps."""
    there = drawable(heights)
    across, down = panel.at(steps, np.where(there, heights, 0.0))
    points = list(zip(across.tolist(), down.tolist(), strict=True))
    ends = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    return [points[start:end] for start, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True)]


def _draw_quantiles(
    panel: Panel, axis: MetricAxis, steps: NDArray[np.float64], values: NDArray[np.float64]
) -> None:
    """Draw the median and the limits of the middle half and of the middle nine tenths of all runs."""
    finite = np.where(np.isinf(values), np.nan, values)
    there = np.isfinite(finite).any(axis=0)
    if not there.any():
        return
    levels = [share for share, _ in _QUANTILES]
    edges = np.nanquantile(finite[:, there], levels, axis=0)
    for (share, dashes), edge in zip(_QUANTILES, edges, strict=True):
        pieces = pieces_of(panel, steps[there], axis.heights(edge))
        panel.canvas.curve(pieces, INK, f"quantile {share:g}", width=1.4, dashes=dashes)


@SWEEP_PICTURES.register
class LearningCurves(SweepPicture):
    """The learning curves of all runs, coloured by the first parameter."""

    name: ClassVar[str] = "learning_curves"
    place: ClassVar[int] = 40

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether any run has completed an epoch."""
        return any(each.steps.size for each in sweep.curves)

    def text(self, sweep: SweepContents) -> str:
        """Name the curves, and what the best run is chosen by, which need not be the end of its curve."""
        if sweep.best is None or not sweep.metric.startswith(KEPT):
            return "Learning curves"
        return f"Learning curves; the best run is that of {sweep.metric}, at the epoch that it keeps"

    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Draw a panel for each metric that was measured more than once, or once if none was."""
        return draw_sweep_curves(
            measured_often(sweep.curves),
            title=title,
            colour_by=sweep.parameters[0] if sweep.parameters else None,
            best=sweep.best,
        )


def measured_often(curves: Sequence[Curves]) -> list[Curves]:
    """Return the metrics that were measured more than once, or once if none was."""
    panels = [each for each in curves if each.steps.size > 1]
    return panels or [each for each in curves if each.steps.size]
