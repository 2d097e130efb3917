"""The fitted curve, or surface, as an animation: it changes as the network learns."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from micrograde.drawing.panel import padded_range
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.boundary_animation import FRAMES, SIDE, STRIP, Gif, animated, lettering
from micrograde.drawing.run.decision_boundary import evenly
from micrograde.drawing.run.fitted_curve import error_words, inside
from micrograde.drawing.run.fitted_surface import shares_of, surface_palette, surface_places, value_range
from micrograde.drawing.run.fitted_values import FittedValues, fitted_values
from micrograde.drawing.style import PAPER, TRAIN_COLOUR, VALIDATION_COLOUR

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_POINTS = 250  # at most
_RADIUS, _RIM = 2, 1
_COLOURS = 128  # of a frame of the surface; with more the file gets large


def animate_fit(found: FittedValues, *, title: str) -> Gif:
    """Draw a frame for each epoch, or for thirty evenly spaced epochs, of the first number; it loops."""
    return animated(list(_frames(found, title)))


def _frames(found: FittedValues, title: str) -> "Iterator[Image.Image]":
    from PIL import Image, ImageDraw

    for index in evenly(len(found.epochs), FRAMES):
        frame = Image.new("RGB", (SIDE, STRIP + SIDE), PAPER)
        draw = ImageDraw.Draw(frame)
        if len(found.axes) == 1:
            _draw_curve(draw, found, index)
        else:
            span = value_range(found, 0)
            places = surface_places(found.values[index, :, :, 0], span, SIDE)[::-1]
            frame.paste(Image.fromarray(surface_palette()[places]), (0, STRIP))
            _draw_rows(draw, found, span)
        strip = lettering(title, error_words(found, 0, index))
        frame.paste(Image.fromarray(strip).convert("RGB"), (0, 0))
        yield frame.quantize(_COLOURS)


def _draw_curve(draw: "ImageDraw.ImageDraw", found: FittedValues, index: int) -> None:
    """Draw the rows, and the curve where it is within their range."""
    x, y_range = found.axes[0], padded_range(found.labels[:, 0])
    x_range = (float(x[0]), float(x[-1]))
    every = -(-len(found.points) // _POINTS)
    across = SIDE * shares_of(found.points[::every, 0], x_range)
    down = STRIP + SIDE * (1 - shares_of(found.labels[::every, 0], y_range))
    for place in zip(across.tolist(), down.tolist(), strict=True):
        _disc(draw, *place, _RADIUS, TRAIN_COLOUR)
    curve = inside(found.values[index, :, 0], y_range)
    across, down = SIDE * shares_of(x, x_range), STRIP + SIDE * (1 - shares_of(curve, y_range))
    known = np.isfinite(curve)
    for piece in np.split(np.arange(len(x)), np.flatnonzero(np.diff(known.astype(int))) + 1):
        if known[piece[0]] and len(piece) > 1:
            points = list(zip(across[piece].tolist(), down[piece].tolist(), strict=True))
            draw.line(points, VALIDATION_COLOUR, 3)


def _draw_rows(draw: "ImageDraw.ImageDraw", found: FittedValues, span: tuple[float, float]) -> None:
    """Draw the rows in the colours of their true numbers."""
    every = -(-len(found.points) // _POINTS)
    ranges = [(float(axis[0]), float(axis[-1])) for axis in found.axes]
    across, up = (shares_of(found.points[::every, number], ranges[number]) for number in (0, 1))
    palette = surface_palette()
    colours = palette[np.rint(254 * shares_of(found.labels[::every, 0], span)).astype(int)]
    places = (SIDE * across).tolist(), (STRIP + SIDE * (1 - up)).tolist()
    for x, y, colour in zip(*places, colours.tolist(), strict=True):
        _disc(draw, x, y, _RADIUS + _RIM, PAPER)
        _disc(draw, x, y, _RADIUS, tuple(colour))


def _disc(
    draw: "ImageDraw.ImageDraw", x: float, y: float, radius: int, colour: str | tuple[int, ...]
) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


@PICTURES.register
class FitAnimation(RunPicture):
    """For numbers predicted from one or two features: the fitted curve or surface, as an animation."""

    name: ClassVar[str] = "fit_animation"
    task: ClassVar[str | None] = "regression"
    files: ClassVar[tuple[str, ...]] = ("figures/fit.gif",)

    def applies(self, run: RunContents) -> bool:
        """Return whether there are one or two features."""
        return len(run.preprocessing.feature_names) in (1, 2)

    def draw(self, run: RunContents) -> Gif | None:
        """Draw a frame for each of some epochs."""
        found = run.once(fitted_values)
        return animate_fit(found, title=run.title) if found else None
