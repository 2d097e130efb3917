"""The fitted curve, or surface, as an animation: it changes as the network learns."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from micrograde.drawing.palettes import NOT_FINITE, ORDERED, class_colours, shade
from micrograde.drawing.panel import padded_range
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.boundary_animation import FRAMES, SIDE, STRIP, Gif, animated, lettering
from micrograde.drawing.run.decision_boundary import evenly
from micrograde.drawing.run.fitted_curve import error_words, inside
from micrograde.drawing.run.fitted_surface import shares_of, surface_places, value_range
from micrograde.drawing.run.fitted_values import FittedValues, fitted_values

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_POINTS = 250  # at most
_RADIUS, _RIM = 2, 1
_SHADES = 16  # of the surface: with more the file gets large
_GREYS = 16  # from ink to paper
_LINE = 3  # pixels


def animate_fit(found: FittedValues, *, title: str) -> Gif:
    """Draw a frame for each epoch, or for thirty evenly spaced epochs, of the first number; it loops."""
    return animated(list(_frames(found, title)))


def _frames(found: FittedValues, title: str) -> "Iterator[Image.Image]":
    from PIL import Image, ImageDraw

    # Shades of the surface and what is not finite, the rows, the curve, and greys for the text.
    greys = np.linspace(34, 255, _GREYS).astype(np.uint8)[:, None].repeat(3, axis=1)
    shades = shade(ORDERED, np.linspace(0, 1, _SHADES))
    palette = np.concatenate([shades, shade([NOT_FINITE] * 2, [0.0]), class_colours(2), greys])
    span = value_range(found, 0)
    for index in evenly(len(found.epochs), FRAMES):
        pixels = np.full((STRIP + SIDE, SIDE), _PAPER, np.uint8)
        if len(found.axes) == 2:
            pixels[STRIP:] = surface_places(found.values[index, :, :, 0], span, SIDE, _SHADES)[::-1]
        frame = Image.fromarray(pixels)
        draw = ImageDraw.Draw(frame)
        if len(found.axes) == 2:
            _draw_rows(draw, found, span)
        else:
            _draw_curve(draw, found, index)
        strip = lettering(title, error_words(found, 0, index)) // (256 // _GREYS)
        frame.paste(Image.fromarray(np.asarray(_INK + strip, np.uint8)), (0, 0))
        frame.putpalette(palette.tobytes())
        yield frame


_ROWS, _CURVE, _INK, _PAPER = _SHADES + 1, _SHADES + 2, _SHADES + 3, _SHADES + 2 + _GREYS  # in the palette


def _draw_curve(draw: "ImageDraw.ImageDraw", found: FittedValues, index: int) -> None:
    """Draw the rows, and the curve where it is within their range."""
    x, y_range = found.axes[0], padded_range(found.labels[:, 0])
    x_range = (float(x[0]), float(x[-1]))
    every = -(-len(found.points) // _POINTS)
    across = SIDE * shares_of(found.points[::every, 0], x_range)
    down = STRIP + SIDE * (1 - shares_of(found.labels[::every, 0], y_range))
    for place in zip(across.tolist(), down.tolist(), strict=True):
        _disc(draw, *place, _RADIUS, _ROWS)
    curve = inside(found.values[index, :, 0], y_range)
    across, down = SIDE * shares_of(x, x_range), STRIP + SIDE * (1 - shares_of(curve, y_range))
    known = np.isfinite(curve)
    for piece in np.split(np.arange(len(x)), np.flatnonzero(np.diff(known.astype(int))) + 1):
        if known[piece[0]] and len(piece) > 1:
            points = list(zip(across[piece].tolist(), down[piece].tolist(), strict=True))
            draw.line(points, _CURVE, _LINE)


def _draw_rows(draw: "ImageDraw.ImageDraw", found: FittedValues, span: tuple[float, float]) -> None:
    """Draw the rows in the colours of their true numbers."""
    every = -(-len(found.points) // _POINTS)
    ranges = [(float(axis[0]), float(axis[-1])) for axis in found.axes]
    across, up = (shares_of(found.points[::every, number], ranges[number]) for number in (0, 1))
    colours = np.rint((_SHADES - 1) * shares_of(found.labels[::every, 0], span)).astype(int)
    places = (SIDE * across).tolist(), (STRIP + SIDE * (1 - up)).tolist()
    for x, y, colour in zip(*places, colours.tolist(), strict=True):
        _disc(draw, x, y, _RADIUS + _RIM, _PAPER)
        _disc(draw, x, y, _RADIUS, colour)


def _disc(draw: "ImageDraw.ImageDraw", x: float, y: float, radius: int, colour: int) -> None:
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
