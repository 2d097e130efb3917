"""The surface that a network of two features fits to its rows, as colours, at a few epochs."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import NOT_FINITE, ORDERED, shade, shade_names
from micrograde.drawing.panel import Panel, label_room, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.class_regions import enlarged
from micrograde.drawing.run.decision_boundary import early
from micrograde.drawing.run.fitted_curve import error_words, point_of
from micrograde.drawing.run.fitted_values import FittedValues, fitted_values
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted

_PANELS, _OF_SEVERAL, _TARGETS = 6, 3, 3  # epochs of one number, of each of several, and the most numbers
_COLUMNS = 3
_SIDE, _BETWEEN, _RIGHT, _ABOVE, _BELOW = 230.0, 20.0, 24.0, 26.0, 54.0
_KEY, _BAR, _BAR_WIDTH = 46.0, 10.0, 220.0  # the height of a number's key, and of the bar in it
_PIXELS = 230
_COLOURS = 255
_POINTS = 400  # at most
_SHADES = 12  # of the points


def draw_fitted_surface(found: FittedValues, *, title: str) -> Svg:
    """Draw a panel for each epoch: the predicted number as a colour, and the training rows in theirs.

    A row whose colour is that of what surrounds it is predicted well. Of several numbers each has panels.
    """
    targets = range(min(len(found.target_names), _TARGETS))
    chosen = early(found.epochs, _PANELS if len(targets) == 1 else _OF_SEVERAL)
    columns = min(len(chosen), _COLUMNS)
    x, y = found.axes
    x_range, y_range = (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1]))
    left = label_room(round_ticks(*y_range, about=4)) + 8
    width = max(columns * (left + _SIDE) + (columns - 1) * _BETWEEN + _RIGHT, 600.0)
    point = f"{point_of(found)}; rows have the colours of their true numbers"
    above = heading(title, point, width)
    rows = -(-len(chosen) // columns)
    height = _ABOVE + _SIDE + _BELOW
    of_number = _KEY + rows * height
    canvas = Canvas(width, above.height + len(targets) * of_number)
    above.draw(canvas)
    palette = surface_palette()
    for target in targets:
        top = above.height + target * of_number
        span = value_range(found, target)
        _draw_key(canvas, top, found.target_names[target], span, palette)
        for number, index in enumerate(chosen):
            row, column = divmod(number, columns)
            corner = (column * (left + _SIDE + _BETWEEN) + left, top + _KEY + row * height + _ABOVE)
            panel = Panel(canvas, *corner, _SIDE, _SIDE, x_range, y_range)
            words = error_words(found, target, index)
            places = surface_places(found.values[index, :, :, target], span, _PIXELS, _COLOURS)
            panel.draw_image(
                places, f"predicted {found.target_names[target]}, {words}", palette=palette, smooth=True
            )
            _draw_points(panel, found, target, span)
            panel.draw_axes(
                fitted(found.feature_names[0], 12, _SIDE), fitted(found.feature_names[1], 12, _SIDE),
                x_ticks=round_ticks(*x_range, about=4), y_ticks=round_ticks(*y_range, about=4), grid=False,
            )  # fmt: skip
            canvas.text(corner[0] + _SIDE / 2, corner[1] - 8, words, size=13)
    return canvas.finish(f"fitted surface: {title}; {point}")


def value_range(found: FittedValues, target: int) -> tuple[float, float]:
    """Return the range of a number's colours: that of the training rows; what is beyond has the end's."""
    low, high = float(found.labels[:, target].min()), float(found.labels[:, target].max())
    return (low, high) if low < high else padded_range([low])


def surface_palette() -> NDArray[np.uint8]:
    """Return the colours from the least to the greatest number, and one for what is not finite."""
    return np.concatenate([shade(ORDERED, np.linspace(0, 1, _COLOURS)), shade([NOT_FINITE] * 2, [0.0])])


def surface_places(
    values: NDArray[np.float64], span: tuple[float, float], side: int, shades: int
) -> NDArray[np.uint8]:
    """Return numbers on a grid (G, G) as shades, (side, side); not finite ones are the one after the last."""
    known = np.isfinite(values)
    fine = np.rint(255 * shares_of(np.where(known, values, span[0]), span)).astype(np.uint8)
    places: NDArray[np.uint8] = np.rint(enlarged(fine, side) * ((shades - 1) / 255)).astype(np.uint8)
    if not known.all():
        nearest = (np.arange(side) * len(values)) // side
        places = np.where(known[np.ix_(nearest, nearest)], places, shades).astype(np.uint8)
    return places


def shares_of(values: NDArray[np.float64], span: tuple[float, float]) -> NDArray[np.float64]:
    """Return where numbers are in a range, from 0 to 1."""
    low, high = span
    # Halves, because the difference of two large floats may overflow.
    return np.clip((values / 2 - low / 2) / (high / 2 - low / 2), 0, 1)


def _draw_points(panel: Panel, found: FittedValues, target: int, span: tuple[float, float]) -> None:
    every = -(-len(found.points) // _POINTS)
    points = np.stack(panel.at(*found.points[::every].T), axis=1)
    shades = np.rint((_SHADES - 1) * shares_of(found.labels[::every, target], span)).astype(int)
    colours = shade_names(ORDERED, np.linspace(0, 1, _SHADES))
    for number in np.unique(shades).tolist():
        panel.canvas.dots(points[shades == number], colours[number], diameter=5)


def _draw_key(
    canvas: Canvas, top: float, name: str, span: tuple[float, float], palette: NDArray[np.uint8]
) -> None:
    said = fitted(name, 12, 260)
    canvas.text(20, top + 12, said, anchor="start")
    start = 300.0
    canvas.image(start, top + 2, _BAR_WIDTH, _BAR, palette[np.newaxis, :_COLOURS], f"colours of {name}")
    low, high = span
    for value, text in round_ticks(low, high, about=4):
        x = start + _BAR_WIDTH * float(shares_of(np.array(value), span))
        canvas.text(x, top + _BAR + 16, text, size=11)


@PICTURES.register
class FittedSurface(RunPicture):
    """For numbers predicted from two features: the fitted surface as colours, over the epochs."""

    name: ClassVar[str] = "fitted_surface"
    task: ClassVar[str | None] = "regression"
    files: ClassVar[tuple[str, ...]] = ("figures/fitted_surface.svg",)

    def applies(self, run: RunContents) -> bool:
        """Return whether there are two features."""
        return len(run.preprocessing.feature_names) == 2

    def draw(self, run: RunContents) -> Svg | None:
        """Draw panels of some of the epochs."""
        found = run.once(fitted_values)
        return draw_fitted_surface(found, title=run.title) if found else None
