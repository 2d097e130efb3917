"""The curve that a network of one feature fits to its rows, at a few epochs."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, label_room, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.decision_boundary import early
from micrograde.drawing.run.fitted_values import FittedValues, fitted_values
from micrograde.drawing.style import TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted

_PANELS, _OF_SEVERAL, _TARGETS = 6, 3, 3  # epochs of one number, of each of several, and the most numbers
_COLUMNS = 3
_WIDTH, _HEIGHT = 240.0, 200.0
_BETWEEN, _RIGHT, _ABOVE, _BELOW = 20.0, 24.0, 26.0, 52.0
_POINTS = 400  # at most


def draw_fitted_curve(found: FittedValues, *, title: str) -> Svg:
    """Draw a panel for each epoch, with the training rows and curve; of several numbers each has a row."""
    targets = range(min(len(found.target_names), _TARGETS))
    chosen = early(found.epochs, _PANELS if len(targets) == 1 else _OF_SEVERAL)
    panels = [(target, index) for target in targets for index in chosen]
    columns = min(len(chosen), _COLUMNS)
    ranges = [padded_range(found.labels[:, target]) for target in targets]
    left = max(label_room(round_ticks(*each)) for each in ranges) + 8
    width = max(columns * (left + _WIDTH) + (columns - 1) * _BETWEEN + _RIGHT, 600.0)
    point = point_of(found)
    above = heading(title, point, width)
    height = _ABOVE + _HEIGHT + _BELOW
    canvas = Canvas(width, above.height + -(-len(panels) // columns) * height)
    above.draw(canvas)
    every = -(-len(found.points) // _POINTS)
    x = found.axes[0]
    for number, (target, index) in enumerate(panels):
        row, column = divmod(number, columns)
        corner = (column * (left + _WIDTH + _BETWEEN) + left, above.height + row * height + _ABOVE)
        panel = Panel(canvas, *corner, _WIDTH, _HEIGHT, (float(x[0]), float(x[-1])), ranges[target])
        panel.draw_axes(
            fitted(found.feature_names[0], 12, _WIDTH), fitted(found.target_names[target], 12, _HEIGHT),
            x_ticks=round_ticks(*panel.x_range, about=4), y_ticks=round_ticks(*ranges[target]),
        )  # fmt: skip
        points = np.stack(panel.at(found.points[::every, 0], found.labels[::every, target]), axis=1)
        canvas.dots(points, TRAIN_COLOUR, diameter=3)
        epoch = epoch_words(found.epochs[index])
        curve = inside(found.values[index, :, target], ranges[target])
        panel.draw_curve(x, curve, VALIDATION_COLOUR, f"predicted {found.target_names[target]}, {epoch}")
        canvas.text(corner[0] + _WIDTH / 2, corner[1] - 8, error_words(found, target, index), size=13)
    return canvas.finish(f"fitted curve: {title}; {point}")


def inside(curve: NDArray[np.float64], y_range: tuple[float, float]) -> NDArray[np.float64]:
    """Return a curve with NaN where it leaves the range of a panel."""
    low, high = y_range
    return np.where((curve >= low) & (curve <= high), curve, np.nan)


def epoch_words(epoch: int) -> str:
    """Return which epoch it is; 0 is before the first step."""
    return f"epoch {epoch}" if epoch else "before training"


def error_words(found: FittedValues, target: int, index: int) -> str:
    """Return the epoch and the error of a panel."""
    error = float(found.errors[index, target])
    return (
        f"{epoch_words(found.epochs[index])}: rmse {plain_number(error)}"
        if np.isfinite(error)
        else (f"{epoch_words(found.epochs[index])}: not finite")
    )


def point_of(found: FittedValues) -> str:
    """Return what a picture says: how good the fit is, and how many numbers are drawn."""
    names = found.target_names
    if len(names) == 1:
        return found.point(0)
    more = f"; the first {_TARGETS} of {len(names)} numbers" if len(names) > _TARGETS else ""
    return f"{quoted(names[0])}: {found.point(0)}{more}"


@PICTURES.register
class FittedCurve(RunPicture):
    """For numbers predicted from one feature: the fitted curve and the training rows, over the epochs."""

    name: ClassVar[str] = "fitted_curve"
    task: ClassVar[str | None] = "regression"
    files: ClassVar[tuple[str, ...]] = ("figures/fitted_curve.svg",)

    def applies(self, run: RunContents) -> bool:
        """Return whether there is one feature."""
        return len(run.preprocessing.feature_names) == 1

    def draw(self, run: RunContents) -> Svg | None:
        """Draw panels of some of the epochs."""
        found = run.once(fitted_values)
        return draw_fitted_curve(found, title=run.title) if found else None
