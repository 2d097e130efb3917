"""A panel of an SVG picture: two axes with their ticks, and curves between them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.style import GRID, INK, PALE_INK
from micrograde.drawing.svg import Canvas
from micrograde.drawing.text import text_width

Ticks = Sequence[tuple[float, str]]
"""The values at which an axis is marked, each with its label."""

_EXACT_DIGITS = 16  # instead of so many digits, write the shortest text that identifies the float
_ROUND_STEPS = (1, 2, 5, 10)
_HUGE = 1e300
_TINY = 1e-290  # differences below this are not divided by: the quotient might overflow
_TICK_SIZE = 12  # font size of the labels
_BUCKETS = 2  # per pixel: of a long curve each bucket's lowest and highest points are drawn
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Panel:
    """A rectangle of a canvas in which x runs to the right and y upwards.

    Attributes
    ----------
    left, top, width, height
        In pixels.
    x_range, y_range
        The values at the edges.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @overload
    def at(self, x: float, y: float) -> tuple[float, float]: ...

    @overload
    def at(
        self, x: NDArray[np.floating], y: NDArray[np.floating]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]: ...

    def at(
        self, x: float | NDArray[np.floating], y: float | NDArray[np.floating]
    ) -> tuple[float | NDArray[np.floating], float | NDArray[np.floating]]:
        """Return the position, in pixels on the canvas, of one point or of arrays of points."""
        (x_low, x_high), (y_low, y_high) = self.x_range, self.y_range
        # Halves, which are exact, because the difference of two large floats may overflow.
        return (
            self.left + self.width * ((x / 2 - x_low / 2) / (x_high / 2 - x_low / 2)),
            self.top + self.height * ((y_high / 2 - y / 2) / (y_high / 2 - y_low / 2)),
        )

    def draw_axes(
        self,
        x_label: str,
        y_label: str,
        *,
        x_ticks: Ticks | None = None,
        y_ticks: Ticks | None = None,
        grid: bool = True,
    ) -> None:
        """Draw both axes with their labels, ticks at round values (integers along x) and a pale grid."""
        canvas, bottom, right = self.canvas, self.top + self.height, self.left + self.width
        x_ticks = round_ticks(*self.x_range, whole=True) if x_ticks is None else x_ticks
        y_ticks = round_ticks(*self.y_range) if y_ticks is None else y_ticks
        for value, text in y_ticks:
            _, y = self.at(self.x_range[0], value)
            canvas.line((self.left if grid else self.left - 4, y), (right if grid else self.left, y), GRID)
            canvas.text(self.left - 6, y + 4, text, anchor="end")
        for value, text in x_ticks:
            x, _ = self.at(value, self.y_range[0])
            canvas.line((x, bottom), (x, bottom + 4), PALE_INK)
            canvas.text(x, bottom + 18, text)
        canvas.line((self.left, self.top), (self.left, bottom), PALE_INK)
        canvas.line((self.left, bottom), (right, bottom), PALE_INK)
        canvas.text(self.left + self.width / 2, bottom + 38, x_label, colour=INK)
        widest = max((text_width(text, _TICK_SIZE) for _, text in y_ticks), default=0.0)
        beside = min(max(widest + 18, 36), max(60, self.left - _TICK_SIZE))
        canvas.text(self.left - beside, self.top + self.height / 2, y_label, turn=-90)

    def draw_curve(self, x: NDArray[np.floating], y: NDArray[np.float64], colour: str, label: str) -> None:
        """Draw a line through the points, with gaps where |y| is not below 1e300; a lone point is a dot."""
        can_draw = drawable(y)
        cuts = np.flatnonzero(np.diff(can_draw.astype(int))) + 1
        pieces = []
        for places in np.split(np.arange(len(y)), cuts):
            if not len(places) or not can_draw[places[0]]:
                continue
            kept = places[_outline(y[places], int(self.width))]
            across, down = self.at(x[kept], y[kept])
            points = list(zip(across.tolist(), down.tolist(), strict=True))
            if len(points) == 1:
                self.canvas.dot(*points[0], colour)
            else:
                pieces.append(points)
        self.canvas.curve(pieces, colour, label)

    def draw_image(
        self,
        pixels: NDArray[np.uint8],
        label: str,
        *,
        palette: NDArray[np.uint8] | None = None,
        smooth: bool = False,
    ) -> None:
        """Draw an image over the whole panel; as ``Canvas.image``, but the first row is at the bottom."""
        place = (self.left, self.top, self.width, self.height)
        self.canvas.image(*place, pixels[::-1], label, palette=palette, smooth=smooth)


def padded_range(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of the finite values with 5 % of margin at each end; (0, 1) if there are none."""
    array = np.asarray(values, float)
    inside = array[drawable(array)]
    if not inside.size:
        return 0.0, 1.0
    low, high = float(inside.min()), float(inside.max())
    room = 0.05 * (high - low) or 0.05 * abs(low)
    if room < _TINY:
        room = 1.0
    room = max(room, lost_in_rounding(low, high))
    return low - room, high + room


def lost_in_rounding(low: float, high: float) -> float:
    """Return a distance that float64 surely resolves at either number: eight times its spacing there."""
    return 8 * math.ulp(max(abs(low), abs(high)))


def drawable(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return False where a value is not finite, or so large that differences might overflow."""
    return np.abs(values) < _HUGE


def _outline(y: NDArray[np.float64], pixels: int) -> NDArray[np.intp]:
    """Return the indices of the points to draw: all, or of a long curve each stretch's lowest and highest."""
    stretch = len(y) // (_BUCKETS * pixels)
    if stretch < 2:
        return np.arange(len(y))
    whole = len(y) // stretch * stretch
    starts = np.arange(0, whole, stretch)
    table = y[:whole].reshape(-1, stretch)
    ends = [0, *range(whole, len(y))]  # the first point and the last few, so that the curve has both its ends
    return np.unique(np.concatenate([starts + table.argmin(1), starts + table.argmax(1), ends, [len(y) - 1]]))


def round_ticks(low: float, high: float, *, whole: bool = False, about: int = 5) -> list[tuple[float, str]]:
    """Return values that are 1, 2 or 5 times a power of ten apart, with labels; low <= high, both finite.

    Return a single tick, ``low``, if the range is too narrow for float64 or holds no such value.
    """
    rough = high / about - low / about  # the difference itself may overflow
    if rough < _TINY:
        return [(low, f"{low:.4g}".replace("e+", "e"))]
    rough = max(rough, math.ulp(max(abs(low), abs(high))))  # values closer than that are the same float
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in _ROUND_STEPS if power * each >= rough * (1 - 1e-9))
    if whole:
        step = max(step, 1.0)
    slack = 1e-9 * about * (rough / step)  # keeps a tick at the very edge
    first, last = math.ceil(low / step - slack), math.floor(high / step + slack)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    largest = max(abs(first), abs(last)) * step
    form = f".{decimals}f" if step >= 1e-4 and largest < 1e6 else ".4g"
    values = [value for number in range(first, last + 1) if math.isfinite(value := number * step)]
    values = list(dict.fromkeys(values)) or [low]
    texts = [format(value, form) for value in values]
    for digits in range(5, _EXACT_DIGITS + 1):
        if form != ".4g" or len(set(texts)) == len(texts):
            break  # otherwise some labels are the same: use more digits
        texts = [repr(value) if digits == _EXACT_DIGITS else format(value, f".{digits}g") for value in values]
    return [(value, text.replace("e+", "e")) for value, text in zip(values, texts, strict=True)]


def label_room(ticks: Ticks) -> float:
    """Return how many pixels the labels of a y axis, and its own label beside them, take to its left."""
    return max((text_width(text, _TICK_SIZE) for _, text in ticks), default=0.0) + 18 + _TICK_SIZE


def log_ticks(low: float, high: float, *, about: int = 6) -> list[tuple[float, str]]:
    """Return powers of ten between the decimal logarithms ``low`` and ``high``; finer ticks if few fit."""
    powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(powers) > 1:
        every = -(-len(powers) // about)
        return [(float(power), _power(power)) for power in powers if power % every == 0]
    below = math.floor(low)
    steps = (1, 2, 5) if high - low > 0.5 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    finer = [(power + math.log10(step), step * 10.0**power) for power in (below, below + 1) for step in steps]
    inside = [(place, f"{value:.3g}") for place, value in finer if low <= place <= high]
    if len(inside) > 1:
        return inside
    return [(math.log10(value), text) for value, text in round_ticks(10.0**low, 10.0**high)]


def _power(exponent: int) -> str:
    """Return 0.01, 0.1, 1, 10 or 100 in full, another power of ten with its exponent."""
    return f"{10.0**exponent:g}" if abs(exponent) <= 2 else f"10{str(exponent).translate(_SUPERSCRIPTS)}"
