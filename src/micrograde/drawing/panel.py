"""A panel of an SVG picture: two axes with their ticks, and curves between them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.style import GRID, INK, PALE_INK
from micrograde.drawing.svg import Canvas

_ROUND_STEPS = (1, 2, 5, 10)
_HUGE = 1e300


@dataclass(frozen=True)
class Panel:
    """A rectangle of a canvas in which x runs to the right and y upwards.

    Attributes
    ----------
    left, top, width, height
        In pixels.
    x_range, y_range
        The values at its edges.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point stands on the canvas."""
        (x_low, x_high), (y_low, y_high) = self.x_range, self.y_range
        return (
            self.left + self.width * ((x - x_low) / (x_high - x_low)),
            self.top + self.height * ((y_high - y) / (y_high - y_low)),
        )

    def draw_axes(self, x_label: str, y_label: str) -> None:
        """Ticks at round values (whole ones along x), a pale grid across, and what the axes are."""
        canvas, bottom, right = self.canvas, self.top + self.height, self.left + self.width
        for value, text in round_ticks(*self.y_range):
            _, y = self.at(self.x_range[0], value)
            canvas.line((self.left, y), (right, y), GRID)
            canvas.text(self.left - 6, y + 4, text, anchor="end")
        for value, text in round_ticks(*self.x_range, whole=True):
            x, _ = self.at(value, self.y_range[0])
            canvas.line((x, bottom), (x, bottom + 4), PALE_INK)
            canvas.text(x, bottom + 18, text)
        canvas.line((self.left, self.top), (self.left, bottom), PALE_INK)
        canvas.line((self.left, bottom), (right, bottom), PALE_INK)
        canvas.text(self.left + self.width / 2, bottom + 38, x_label, colour=INK)
        canvas.text(self.left - 52, self.top + self.height / 2, y_label, turn=-90)

    def draw_curve(self, x: NDArray[np.floating], y: NDArray[np.float64], colour: str, label: str) -> None:
        """A line through the points; a gap where y is not finite or beyond 1e300; a point alone is a dot."""
        drawable = _drawable(y)
        cuts = np.flatnonzero(np.diff(drawable.astype(int))) + 1
        pieces = []
        for places in np.split(np.arange(len(y)), cuts):
            if not len(places) or not drawable[places[0]]:
                continue
            points = [self.at(float(x[place]), float(y[place])) for place in places]
            if len(points) == 1:
                self.canvas.dot(*points[0], colour)
            else:
                pieces.append(points)
        self.canvas.curve(pieces, colour, label)


def padded_range(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """From the smallest to the largest finite value and a little more; 0 to 1 if there is none."""
    array = np.asarray(values, float)
    drawable = array[_drawable(array)]
    if not drawable.size:
        return 0.0, 1.0
    low, high = float(drawable.min()), float(drawable.max())
    room = 0.05 * (high - low) or 0.05 * abs(low) or 1.0
    return low - room, high + room


def _drawable(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """False where a value is not finite, or so huge that its distance from another might not be."""
    return np.abs(values) < _HUGE


def round_ticks(low: float, high: float, *, whole: bool = False, about: int = 5) -> list[tuple[float, str]]:
    """Values 1, 2 or 5 times a power of ten apart, with their texts; low < high, both finite."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in _ROUND_STEPS if power * each >= rough * (1 - 1e-9))
    if whole:
        step = max(step, 1.0)
    slack = 1e-9 * (high - low)  # a tick at the very edge stays
    first, last = math.ceil((low - slack) / step), math.floor((high + slack) / step)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    largest = max(abs(first), abs(last)) * step
    form = f".{decimals}f" if step >= 1e-4 and largest < 1e6 else ".4g"
    return [(number * step, format(number * step, form)) for number in range(first, last + 1)]
