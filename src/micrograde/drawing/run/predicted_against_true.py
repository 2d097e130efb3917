"""Predicted numbers against true ones: how far the rows are from the diagonal."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, label_room, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_numbers import (
    PART_COLOURS,
    ScoredNumbers,
    draw_part_key,
    of_several,
    scored_numbers,
    shown_targets,
    some_places,
)
from micrograde.drawing.style import PALE_INK
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted

_TARGETS = 4  # the most that are drawn
_ONE, _OF_SEVERAL = 420.0, 300.0  # a panel's side
_BETWEEN, _RIGHT, _BELOW, _ABOVE = 40.0, 24.0, 60.0, 26.0
_LEAST_WIDTH = 560.0


def draw_predicted_against_true(parts: Mapping[str, ScoredNumbers], *, title: str) -> Svg:
    """Draw a panel for each number, four at most, with the rows of all parts and the diagonal.

    Both axes have one range, that of the numbers. The sentence is of the first of the parts.
    """
    first = next(iter(parts.values()))
    shown = shown_targets(first, _TARGETS)
    side = _ONE if len(shown) == 1 else _OF_SEVERAL
    columns = min(len(shown), 2)
    ranges = {target: _range(parts, target) for target in shown}
    left = max(label_room(round_ticks(*each)) for each in ranges.values()) + 12
    width = max(columns * (left + side) + (columns - 1) * _BETWEEN + _RIGHT, _LEAST_WIDTH)
    point = f"{first.words()}: {of_several(first, shown)}"
    above = heading(title, point, width)
    top = above.height + 20
    rows = -(-len(shown) // columns)
    canvas = Canvas(width, top + rows * (_ABOVE + side + _BELOW))
    above.draw(canvas)
    draw_part_key(canvas, above.height + 4, parts)
    for number, target in enumerate(shown):
        row, column = divmod(number, columns)
        corner = (column * (left + side + _BETWEEN) + left, top + row * (_ABOVE + side + _BELOW) + _ABOVE)
        panel = Panel(canvas, *corner, side, side, ranges[target], ranges[target])
        _draw_panel(panel, parts, target)
        if len(shown) > 1:
            r2, rmse = float(first.r2()[target]), float(first.rmse()[target])
            text = f"rmse {plain_number(rmse)}" + (f", R² {r2:.3f}" if np.isfinite(r2) else "")
            canvas.text(corner[0] + side / 2, corner[1] - 8, text, size=13)
    return canvas.finish(f"predicted against true: {title}; {point}")


def _draw_panel(panel: Panel, parts: Mapping[str, ScoredNumbers], target: int) -> None:
    name = next(iter(parts.values())).target_names[target]
    low, high = panel.x_range
    ticks = round_ticks(low, high)
    x_ticks = round_ticks(low, high, about=4)
    panel.draw_axes(
        fitted(f"true {name}", 12, panel.width), fitted(f"predicted {name}", 12, panel.height),
        x_ticks=x_ticks, y_ticks=ticks,
    )  # fmt: skip
    panel.canvas.line(panel.at(low, low), panel.at(high, high), PALE_INK, dashed=True)
    for scored in reversed(list(parts.values())):  # the part that the sentence is of lies on top
        places = some_places(len(scored))
        points = np.stack(panel.at(scored.labels[places, target], scored.predicted[places, target]), axis=1)
        panel.canvas.dots(points, PART_COLOURS[scored.part], diameter=4)


def _range(parts: Mapping[str, ScoredNumbers], target: int) -> tuple[float, float]:
    numbers: list[NDArray[np.float64]] = []
    for scored in parts.values():
        numbers += [scored.labels[:, target], scored.predicted[:, target]]
    return padded_range(np.concatenate(numbers))


@PICTURES.register
class PredictedAgainstTrue(RunPicture):
    """Where numbers are predicted: each row's predicted number against its true one, beside the diagonal."""

    name: ClassVar[str] = "predicted_against_true"
    task: ClassVar[str | None] = "regression"
    files: ClassVar[tuple[str, ...]] = ("figures/predicted_against_true.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the rows of all parts."""
        parts = run.once(scored_numbers)
        return draw_predicted_against_true(parts, title=run.title) if parts else None
