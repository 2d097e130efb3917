"""Curves of a few runs in one picture: a panel for each metric, a colour for each run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import CLASSES
from micrograde.drawing.panel import Panel, drawable, log_ticks, lost_in_rounding, padded_range
from micrograde.drawing.style import is_spread
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted
from micrograde.metrics import STEP

MOST_RUNS = len(CLASSES)
"""The number of runs that colours can tell apart."""

_WIDTH, _LEFT, _GAP, _RIGHT = 960, 72, 96, 24
_PANEL_WIDTH, _PANEL_HEIGHT = (_WIDTH - _LEFT - _GAP - _RIGHT) / 2, 230
_ABOVE, _BELOW = 34, 46  # of a panel: above it its metric, below it the ticks
_KEY_LINE = 20


@dataclass(frozen=True)
class RunCurves:
    """A metric of several runs.

    Attributes
    ----------
    curves
        For each run its steps (N,), ascending, and values (N,); empty if it lacks the metric.
    """

    metric: str
    curves: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]


def draw_run_curves(panels: Sequence[RunCurves], names: Sequence[str], *, title: str, point: str = "") -> Svg:
    """Draw a panel for each metric against the epoch, two in a row; the end of each curve is marked.

    What is logged by step is drawn against the step of the optimizer. A metric that spans orders of magnitude
    has a logarithmic axis. Values that are not finite leave a gap.

    Parameters
    ----------
    names
        The names of the runs, at most ``MOST_RUNS``.
    """
    above = heading(title, point, _WIDTH)
    top = above.height + _KEY_LINE * (len(names) + 0.5)
    rows = math.ceil(len(panels) / 2)
    height = top + rows * (_ABOVE + _PANEL_HEIGHT + _BELOW)
    canvas = Canvas(_WIDTH, height)
    above.draw(canvas)
    for row, name in enumerate(names):
        y = above.height + (row + 0.5) * _KEY_LINE
        canvas.line((20, y - 4), (46, y - 4), CLASSES[row], width=3)
        canvas.text(54, y, fitted(name, 13, _WIDTH - 54 - _RIGHT), size=13, anchor="start")
    for number, each in enumerate(panels):
        left = _LEFT + (number % 2) * (_PANEL_WIDTH + _GAP)
        _draw_panel(canvas, left, top + number // 2 * (_ABOVE + _PANEL_HEIGHT + _BELOW) + _ABOVE, each, names)
    return canvas.finish(f"{title}; {point}")


def _draw_panel(canvas: Canvas, left: float, top: float, panel: RunCurves, names: Sequence[str]) -> None:
    measured = np.concatenate([np.empty(0), *(values for _, values in panel.curves)])
    steps = np.concatenate([np.empty(0), *(steps for steps, _ in panel.curves)])
    logarithmic = is_spread(panel.metric, measured)
    drawn = [(steps, _logarithms(values) if logarithmic else values) for steps, values in panel.curves]
    y_range = padded_range(np.concatenate([np.empty(0), *(values for _, values in drawn)]))
    first, last = (float(steps.min()), float(steps.max())) if len(steps) else (0.0, 1.0)
    room = max(0.02 * max(last - first, 1.0), lost_in_rounding(first, last))
    axes = Panel(canvas, left, top, _PANEL_WIDTH, _PANEL_HEIGHT, (first - room, last + room), y_range)
    unit = "step" if panel.metric.startswith(STEP) else "epoch"
    axes.draw_axes(unit, "", y_ticks=log_ticks(*y_range) if logarithmic else None)
    canvas.text(left + _PANEL_WIDTH / 2, top - 10, fitted(panel.metric, 13, _PANEL_WIDTH), size=13)
    for (steps, values), name, colour in zip(drawn, names, CLASSES, strict=False):
        there_are = np.flatnonzero(drawable(values))
        axes.draw_curve(steps.astype(float), values, colour, f"{name}: {panel.metric}")
        if len(there_are):
            canvas.dot(*axes.at(float(steps[there_are[-1]]), float(values[there_are[-1]])), colour)


def _logarithms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log10(values))
