"""Decision boundaries: the classes that a network predicts in the plane, at a few epochs."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import CLASSES
from micrograde.drawing.panel import Panel, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.class_regions import ClassRegions, class_regions, region_palette, region_places
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted, text_width

PANELS = 6
"""The most epochs that are drawn."""

_COLUMNS = 3
_SIDE, _LEFT, _BETWEEN, _RIGHT = 230.0, 66.0, 66.0, 24.0
_ABOVE, _BELOW = 24.0, 54.0
_PIXELS = 230  # of an image's side
_SHADES = 24  # of each class's colour
_POINTS = 400  # at most; of more points only every second, third... is drawn
_NAME = 150.0  # width of a class's name, in pixels


def draw_decision_boundary(
    regions: ClassRegions, *, class_names: Sequence[str], feature_names: tuple[str, str], title: str
) -> Svg:
    """Draw a panel for each epoch, with regions, points and accuracy.

    If there are more than six epochs, the first, the last and four between them are drawn, denser early on.
    """
    epochs, accuracies = regions.epochs, regions.accuracies
    chosen = early(epochs, PANELS)
    columns = min(max(len(chosen), 2), _COLUMNS)  # the heading needs the width of two
    width = _LEFT + columns * _SIDE + (columns - 1) * _BETWEEN + _RIGHT
    above = heading(title, _the_point(epochs, accuracies), width)
    row_height = _ABOVE + _SIDE + _BELOW
    key = _key_lines(class_names, width)
    top = above.height + 20 * len(key) + 8
    canvas = Canvas(width, top + -(-len(chosen) // columns) * row_height)
    above.draw(canvas)
    for number, line in enumerate(key):
        for x, class_number, name in line:
            y = above.height + 20 * number + 6
            canvas.dots(
                np.array([[x, y]]),
                CLASSES[class_number % len(CLASSES)],
                diameter=9,
                square=_square(class_number),
            )
            canvas.text(x + 10, y + 4, name, anchor="start")
    palette = region_palette(_SHADES)
    points, labels = regions.some_points(_POINTS)
    for place, index in enumerate(chosen):
        row, column = divmod(place, columns)
        panel = Panel(
            canvas, _LEFT + column * (_SIDE + _BETWEEN), top + row * row_height + _ABOVE, _SIDE, _SIDE,
            regions.x_range, regions.y_range,
        )  # fmt: skip
        epoch = f"epoch {epochs[index]}" if epochs[index] else "before training"
        places = region_places(regions.probabilities[index], _PIXELS, _SHADES)
        panel.draw_image(places, f"class regions, {epoch}", palette=palette, smooth=True)
        _draw_points(panel, points, labels)
        panel.draw_axes(
            fitted(feature_names[0], 12, _SIDE),
            fitted(feature_names[1], 12, _SIDE),
            x_ticks=round_ticks(*regions.x_range, about=4),
            y_ticks=round_ticks(*regions.y_range, about=4),
            grid=False,
        )
        text = f"{epoch}: {accuracies[index]:.1%} right"
        canvas.text(panel.left + _SIDE / 2, panel.top - 8, text, size=13)
    return canvas.finish(f"decision boundary: {title}; {_the_point(epochs, accuracies)}")


def early(epochs: Sequence[int], most: int) -> list[int]:
    """Return at most ``most`` indices, first and last included, denser early on, where most happens."""
    if len(epochs) <= most:
        return list(range(len(epochs)))
    since = np.log1p(np.array(epochs) - epochs[0])
    chosen = [0]
    for wanted in np.linspace(0, since[-1], most)[1:]:
        left = most - len(chosen)  # how many are still to be chosen, this one included
        nearest = int(np.argmin(np.abs(since - wanted)))
        chosen.append(min(max(nearest, chosen[-1] + 1), len(epochs) - left))
    return chosen


def evenly(count: int, most: int) -> list[int]:
    """Return at most ``most`` indices of a sequence, evenly spaced, first and last included."""
    return [round(place) for place in np.linspace(0, count - 1, min(count, most)).tolist()]


def _draw_points(panel: Panel, points: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
    for number in np.unique(labels).tolist():
        places = np.stack(panel.at(*points[labels == number].T), axis=1)
        panel.canvas.dots(places, CLASSES[number % len(CLASSES)], diameter=4, square=_square(number))


def _square(number: int) -> bool:
    """Return whether a class is drawn as squares, which tell it from the earlier class of the same colour."""
    return number // len(CLASSES) % 2 == 1


def _key_lines(class_names: Sequence[str], width: float) -> list[list[tuple[float, int, str]]]:
    """Return the lines of the key, at most two; an entry is its x, the class's number and its name."""
    lines: list[list[tuple[float, int, str]]] = [[]]
    x = 26.0
    for number, full in enumerate(class_names):
        name = fitted(full, 12, _NAME)
        needed = text_width(name, 12) + 34
        if x + needed > width and lines[-1]:
            if len(lines) == 2:
                break
            lines.append([])
            x = 26.0
        lines[-1].append((x, number, name))
        x += needed
    return lines


def _the_point(epochs: Sequence[int], accuracies: Sequence[float]) -> str:
    best = int(np.argmax(accuracies))
    right = f"{accuracies[-1]:.1%} of the training points are in the region of their class"
    point = f"after epoch {epochs[-1]}, {right}"
    if accuracies[best] > accuracies[-1]:
        point += f"; the most was {accuracies[best]:.1%}, at epoch {epochs[best]}"
    return f"{point} (the paler, the less certain)"


@PICTURES.register
class DecisionBoundary(RunPicture):
    """For data with two features: the regions of the classes over the epochs."""

    name: ClassVar[str] = "decision_boundary"
    task: ClassVar[str | None] = "classification"
    files: ClassVar[tuple[str, ...]] = ("figures/decision_boundary.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw panels of some of the epochs."""
        regions = run.once(class_regions)
        if regions is None:
            return None
        names, (first, second) = run.preprocessing.class_names, run.preprocessing.feature_names
        return draw_decision_boundary(
            regions, class_names=names, feature_names=(first, second), title=run.title
        )
