"""The weights of the first layer as images, which show what each hidden unit responds to."""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import DIVERGING, shade
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import PALE_INK
from micrograde.drawing.svg import Canvas, Svg

UNITS = 64
"""The most hidden units that are drawn: those with the largest norms."""

_COLUMNS = 16
_SIDE, _GAP, _NUMBER = 52.0, 8.0, 14.0  # an image's longer side, the gap between two, a unit's number
_MARGIN, _NARROWEST, _KEY = 20.0, 520.0, 44.0
_PIXELS = 60  # of a larger image only every second, third... pixel is drawn: more could not be seen
_HUGE = 1e150  # the largest weight drawn: its square still fits a float


def draw_weight_images(weights: NDArray[np.floating], *, title: str) -> Svg:
    """Draw an image for each hidden unit, the largest norm first, all on one scale centred on zero.

    Parameters
    ----------
    weights
        (H, rows, columns). Weights that are not finite are grey.
    """
    step = max(1, max(np.shape(weights)[1:]) // _PIXELS)
    given = np.asarray(weights, float)[:, ::step, ::step]
    finite = np.abs(given) < _HUGE
    tame = np.where(finite, given, 0.0)
    norms = np.sqrt(np.sum(np.square(tame), axis=(1, 2)))
    order = np.argsort(-norms, kind="stable")[:UNITS]
    largest = float(np.abs(tame[order]).max(initial=0.0))
    shares = np.where(finite, 0.5 + tame / (2 * (largest or 1.0)), np.nan)

    units, rows, columns = given.shape
    scale = _SIDE / max(rows, columns)
    # About twice as wide as high, so that it fits the screen.
    across = min(len(order), _COLUMNS, max(math.ceil(math.sqrt(2 * len(order))), 1))
    cell_width = max(columns * scale, 24.0) + _GAP
    cell_height = rows * scale + _GAP + _NUMBER
    width = max(2 * _MARGIN + across * cell_width - _GAP, _NARROWEST)
    above = heading(title, _the_point(norms, order), width)
    top = above.height + _NUMBER
    canvas = Canvas(width, top + -(-len(order) // across) * cell_height + _KEY)
    above.draw(canvas)
    colours = shade(DIVERGING, shares[order])
    for place, unit in enumerate(order.tolist()):
        row, column = divmod(place, across)
        x, y = _MARGIN + column * cell_width, top + row * cell_height
        middle = x + columns * scale / 2
        canvas.text(middle, y - 3, str(unit + 1), size=10, colour=PALE_INK)
        canvas.image(x, y, columns * scale, rows * scale, colours[place], f"unit {unit + 1}")
    _draw_key(canvas, largest)
    return canvas.finish(f"weights of the first layer: {title}; {units} units")


def _the_point(norms: NDArray[np.float64], order: NDArray[np.intp]) -> str:
    units = len(norms)
    if units == 1:
        return f"first-layer weights of the only hidden unit, their norm is {plain_number(norms[0], 3)}"
    shown = f"all {units} hidden units" if units <= UNITS else f"the {UNITS} largest of {units} hidden units"
    first, last = order[0], order[-1]
    return (
        f"first-layer weights of {shown}, by their norm: "
        f"from {plain_number(norms[first], 3)} (unit {first + 1}) "
        f"down to {plain_number(norms[last], 3)} (unit {last + 1})"
    )


def _draw_key(canvas: Canvas, largest: float) -> None:
    width, y = 200.0, canvas.height - _KEY + 4
    left = _MARGIN + 30
    ramp = shade(DIVERGING, np.linspace(0, 1, 101))[None]
    canvas.image(left, y, width, 12, ramp, "the scale of the weights", smooth=True)
    for share, text in (
        (0.0, f"−{plain_number(largest, 2)}"),
        (0.5, "0"),
        (1.0, plain_number(largest, 2)),
    ):
        canvas.text(left + share * width, y + 28, text)
    canvas.text(left + width + 24, y + 11, "weight", anchor="start")


@PICTURES.register
class FirstLayerWeights(RunPicture):
    """For image data (digits, IDX images), the weights of each hidden unit as an image."""

    name: ClassVar[str] = "first_layer_weights"
    files: ClassVar[tuple[str, ...]] = ("figures/first_layer_weights.svg",)
    light: ClassVar[bool] = True

    def applies(self, run: RunContents) -> bool:
        """Return whether the rows are images."""
        return bool(run.dataset.image_shape)

    def draw(self, run: RunContents) -> Svg:
        """Draw the columns of the first layer's weights in the shape of the images."""
        images = run.model.layer1.weights[0].T.reshape(-1, *(run.dataset.image_shape or ()))
        return draw_weight_images(images, title=run.title)
