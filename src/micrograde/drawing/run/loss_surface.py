"""The loss in the plane in which the parameters moved most during training, and their path in it."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import NOT_FINITE, SEQUENTIAL, shade
from micrograde.drawing.panel import Panel, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.decision_boundary import evenly
from micrograde.drawing.style import INK, PALE_INK, VALIDATION_COLOUR
from micrograde.drawing.svg import Anchor, Canvas, Svg
from micrograde.drawing.text import text_width

_LEFT, _RIGHT, _ABOVE, _BELOW = 76.0, 120.0, 22.0, 56.0
_LONG, _SHORT = 460.0, 240.0  # the longer side of the panel, and how short the other may be
_RATIO = 4.0  # of the highest loss to the lowest, beyond which the colours are logarithmic
_STEPS = 14  # of colour
_MARKS = 6  # epochs labelled along the path
_HUGE = 1e300
_FLAT = 1e-9  # a relative difference of losses below this counts as none
_APART = 40.0  # pixels between two labels


def draw_loss_surface(
    losses: NDArray[np.floating],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    path: NDArray[np.floating],
    epochs: Sequence[int],
    *,
    explained: tuple[float, float],
    title: str,
) -> Svg:
    """Draw the loss as steps of colour (logarithmic if it varies widely), and the path with some epochs.

    Parameters
    ----------
    losses
        (G, G): the loss at the points of a grid; the first axis is y, the second x. The outermost grid points
        are the ends of the ranges. Losses that are not finite are grey.
    path, epochs
        (E, 2) and E: the network's position after each epoch; epoch 0 is before the first step.
    explained
        The shares of the path's variance along x and along y.
    """
    given = np.asarray(losses, float)
    given = np.where(np.abs(given) < _HUGE, given, np.nan)
    spans = np.array([x_range[1] - x_range[0], y_range[1] - y_range[0]])
    # Both axes are lengths in parameter space, so they share one scale unless one side would get too short.
    width, height = np.maximum(_LONG * spans / spans.max(), _SHORT).tolist()
    total = _LEFT + width + _RIGHT
    above = heading(title, _the_point(given, explained), total)
    canvas = Canvas(total, above.height + _ABOVE + height + _BELOW)
    above.draw(canvas)
    panel = Panel(canvas, _LEFT, above.height + _ABOVE, width, height, x_range, y_range)
    steps, logarithmic = _steps(given)
    places, palette = _coloured(given, steps, logarithmic, width, height)
    panel.draw_image(places, "loss", palette=palette, smooth=True)
    panel.draw_axes(
        f"along the first direction ({explained[0]:.0%} of the path's variance)",
        f"along the second ({explained[1]:.0%})",
        x_ticks=round_ticks(*x_range),
        grid=False,
    )
    _draw_path(panel, np.asarray(path, float), epochs)
    _draw_key(canvas, _LEFT + width + 24, panel.top, height, steps, logarithmic)
    return canvas.finish(f"loss surface: {title}; {_the_point(given, explained)}")


def _steps(losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return the limits of the steps of colour, ascending, and whether they are spaced logarithmically."""
    finite = losses[np.isfinite(losses)]
    if not finite.size:
        return np.array([0.0, 1.0]), False
    low, high = float(finite.min()), float(finite.max())
    if high - low <= _FLAT * max(abs(low), abs(high), _FLAT):
        high = low + max(abs(low), _FLAT)
    if high > _RATIO * low > 0:
        return np.geomspace(low, high, _STEPS + 1), True
    return np.linspace(low, high, _STEPS + 1), False


def _coloured(
    losses: NDArray[np.float64], steps: NDArray[np.float64], logarithmic: bool, width: float, height: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return pixels and their palette, with thin lines between steps; the grid is interpolated cubically."""
    from PIL import Image

    finite = np.isfinite(losses)
    filled, limits = np.where(finite, losses, steps[-1]), steps
    if logarithmic:
        filled, limits = np.log(filled), np.log(steps)
    # In units of steps, which fit float32 whatever the losses are.
    filled = (filled - limits[0]) / (limits[-1] - limits[0]) * (len(steps) - 1)
    size = (2 * int(width), 2 * int(height))
    # The panel ends at the outermost points of the grid, not half a cell beyond them.
    rows, columns = filled.shape
    box = (0.5, 0.5, columns - 0.5, rows - 0.5)
    picture = Image.fromarray(filled.astype(np.float32))
    smooth = np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=box))
    level = np.clip(np.floor(smooth), 0, len(steps) - 2).astype(int)
    table = shade(SEQUENTIAL, np.linspace(0.02, 1, len(steps) - 1))
    palette = np.concatenate([table, np.asarray(0.8 * table, np.uint8), shade([NOT_FINITE] * 2, [0.0])])
    edges = np.zeros(level.shape, bool)
    edges[1:] |= level[1:] != level[:-1]
    edges[:, 1:] |= level[:, 1:] != level[:, :-1]
    places = (level + len(table) * edges).astype(np.uint8)
    if not finite.all():
        known = Image.fromarray(finite.astype(np.uint8)).resize(size, Image.Resampling.NEAREST, box=box)
        places[np.asarray(known) == 0] = len(palette) - 1
    return places, palette


def _draw_path(panel: Panel, path: NDArray[np.float64], epochs: Sequence[int]) -> None:
    """Draw the path as a line with a dot for each point; label the start, the end and some epochs."""
    canvas = panel.canvas
    across, down = panel.at(path[:, 0], path[:, 1])
    places = np.stack([across, down], axis=1)
    points = [(x, y) for x, y in places.tolist()]
    canvas.curve([points], "#FFFFFF", "", width=4)
    canvas.curve([points], VALIDATION_COLOUR, "the path of the training", width=2)
    canvas.dots(places, VALIDATION_COLOUR, diameter=3.5)
    written: list[tuple[float, float]] = []
    last = len(epochs) - 1
    # The ends come first: a label between them is written only if it does not overlap others.
    for place in [last, 0, *evenly(len(epochs), _MARKS)[1:-1]]:
        x, y = points[place]
        if any(abs(x - other) < _APART * 1.6 and abs(y - above) < _APART / 2 for other, above in written):
            continue
        written.append((x, y))
        text = f"epoch {epochs[place]}"
        if place in (0, last):
            canvas.dot(x, y, INK)
            text = f"start, {text}" if place == 0 else f"end, {text}"
        if epochs[place] == 0:
            text = "start"
        aside, below = _outwards(places, place)
        room, to_the_right = text_width(text, 12) + 12, aside >= 0
        free = panel.left + panel.width - x if to_the_right else x - panel.left
        if free < room:
            to_the_right, below = not to_the_right, -below
        height = min(max(y + 4 + 14 * below, panel.top + 14), panel.top + panel.height - 6)
        anchor: Anchor = "start" if to_the_right else "end"
        canvas.text(x + 8 if to_the_right else x - 8, height, text, anchor=anchor, halo=True)


def _outwards(places: NDArray[np.float64], place: int) -> tuple[float, float]:
    """Return the unit vector across the path, away from its middle, where a label does not cover it."""
    x, y = places[min(place + 1, len(places) - 1)] - places[max(place - 1, 0)]
    across = np.array([-y, x]) / (np.hypot(x, y) or 1.0)
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    if across @ (places[place] - middle) < 0:
        across = -across
    return float(across[0]), float(across[1])


def _draw_key(
    canvas: Canvas, left: float, top: float, height: float, steps: NDArray[np.float64], logarithmic: bool
) -> None:
    """Draw the scale of colours, with every second limit written beside it."""
    table = shade(SEQUENTIAL, np.linspace(0.02, 1, len(steps) - 1))
    canvas.image(left, top, 14, height, table[::-1, None], "the scale of the loss")
    canvas.line((left, top + height), (left + 14, top + height), PALE_INK)
    for number in range(0, len(steps), 2):
        y = top + height * (1 - number / (len(steps) - 1))
        canvas.text(left + 20, y + 4, f"{steps[number]:.3g}", anchor="start")
    canvas.text(left, top - 8, "log loss" if logarithmic else "loss", anchor="start")


def _the_point(losses: NDArray[np.float64], explained: tuple[float, float]) -> str:
    plane = f"this plane holds {sum(explained):.0%} of the path's variance"
    finite = losses[np.isfinite(losses)]
    if not finite.size:
        return f"no loss around the path is finite; {plane}"
    return f"the loss around the path goes from {finite.min():.3g} to {finite.max():.3g}; {plane}"


@PICTURES.register
class LossSurfacePicture(RunPicture):
    """The loss in the plane in which training moved the parameters most, and their path (Li et al. 2018)."""

    name: ClassVar[str] = "loss_surface"
    files: ClassVar[tuple[str, ...]] = ("figures/loss_surface.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the plane of the trajectory."""
        from micrograde.diagnostics import loss_surface

        surface = loss_surface(run.model, run.trajectory, run.learned or run.training)
        if surface is None:
            return None
        return draw_loss_surface(
            surface.losses, surface.x_range, surface.y_range, surface.path, surface.epochs,
            explained=surface.explained, title=run.title,
        )  # fmt: skip
