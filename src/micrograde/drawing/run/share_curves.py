"""Curves of one share against another in a square; two pictures are drawn with it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import CLASSES
from micrograde.drawing.panel import Panel, round_ticks
from micrograde.drawing.style import INK, PALE_INK, TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted
from micrograde.metrics.thresholds import Curve

LINE_COLOURS = (*CLASSES[:6], INK)
"""Seven colours that can be told apart as lines on white; the classes' yellow cannot be seen."""

MOST_CURVES = len(LINE_COLOURS)

PART_COLOURS = {"training": TRAIN_COLOUR, "validation": VALIDATION_COLOUR, "test": CLASSES[2]}
"""The colours of curves that show parts."""

_SIDE, _LEFT, _BELOW = 400, 76, 52
_KEY, _KEY_LINE = 250, 40  # the key's width, and the height of an entry of two lines
_RANGE = (-0.02, 1.02)


@dataclass(frozen=True)
class ShareCurve:
    """A curve of the picture.

    Attributes
    ----------
    name, value
        The two lines of its entry in the key.
    chance
        The two ends of the dashed line that scores without meaning would give.
    mark
        A point of it that is marked.
    """

    points: Curve
    name: str
    value: str
    chance: tuple[tuple[float, float], tuple[float, float]]
    colour: str
    mark: tuple[float, float] | None = None


def draw_share_curves(
    curves: Sequence[ShareCurve], *, title: str, point: str, x_label: str, y_label: str, name: str
) -> Svg:
    """Draw at most ``MOST_CURVES`` curves in a square from 0 to 1, and their key beside it.

    ``name`` is the kind of picture, for screen readers.
    """
    width = _LEFT + _SIDE + _KEY
    above = heading(title, point, width)
    top = above.height + 8
    canvas = Canvas(width, top + _SIDE + _BELOW)
    above.draw(canvas)
    panel = Panel(canvas, _LEFT, top, _SIDE, _SIDE, _RANGE, _RANGE)
    ticks = round_ticks(0, 1)
    panel.draw_axes(x_label, y_label, x_ticks=ticks, y_ticks=ticks)
    same = len({curve.chance for curve in curves}) <= 1
    for curve in curves:
        start, end = curve.chance
        canvas.line(panel.at(*start), panel.at(*end), PALE_INK if same else curve.colour, dashed=True)
    for curve in reversed(curves):  # the first is drawn last, over the others
        panel.draw_curve(*_corners(*curve.points), curve.colour, curve.name)
        if curve.mark:
            canvas.dot(*panel.at(*curve.mark), curve.colour)
    left = _LEFT + _SIDE + 24
    for row, curve in enumerate(curves):
        y = top + 16 + row * _KEY_LINE
        canvas.line((left, y - 4), (left + 22, y - 4), curve.colour, width=3)
        room = width - left - 30 - 8
        canvas.text(left + 30, y, fitted(curve.name, 12, room), anchor="start")
        canvas.text(left + 30, y + 16, fitted(curve.value, 12, room), anchor="start", colour=PALE_INK)
    return canvas.finish(f"{name}: {title}; {point}")


def _corners(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """Leave out the points between two others of the same height, or right above each other."""
    needed = np.ones(len(x), np.bool_)
    for values in (x, y):
        needed[1:-1] &= (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    return x[needed], y[needed]
