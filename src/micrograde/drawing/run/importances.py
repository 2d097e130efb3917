"""Permutation importances: what shuffling each column costs the network, as bars with intervals."""

from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.diagnostics import Estimates, Importances
from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, drawable, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import INK, PALE_INK, TRAIN_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted, text_width
from micrograde.metrics import METRICS

_COLUMNS = 20  # the most that are drawn
_WIDTH, _MARGIN, _BETWEEN, _NAMES = 860, 24, 36, 200
_LINE, _BAR, _BELOW = 24, 12, 52
_UNTOLD = "#BDBDBD"  # the bars of columns that may cost nothing


def draw_importances(found: Importances, *, title: str) -> Svg:
    """Draw two panels of bars: by how much the metric gets worse, and by how much the loss rises."""
    names = [fitted(name, 12, _NAMES) for name in found.columns[:_COLUMNS]]
    point = _the_point(found)
    above = heading(title, point, _WIDTH, left=_MARGIN)
    top, height = above.height + 10, _LINE * len(names)
    canvas = Canvas(_WIDTH, top + height + _BELOW)
    above.draw(canvas)
    left = _MARGIN + max(text_width(name, 12) for name in names) + 8
    for row, name in enumerate(names):
        canvas.text(left - 8, top + (row + 0.5) * _LINE + 4, name, anchor="end")
    width = (_WIDTH - left - _MARGIN - _BETWEEN) / 2
    for number, (estimates, label) in enumerate(
        ((found.cost, f"the {found.metric} {found.worsens} by"), (found.loss_rise, "the loss rises by"))
    ):
        place = (left + number * (width + _BETWEEN), top, width, height)
        _draw_bars(canvas, place, estimates, len(names), label)
    return canvas.finish(f"importances: {title}, {point}")


def _draw_bars(
    canvas: Canvas, place: tuple[float, float, float, float], found: Estimates, count: int, label: str
) -> None:
    mean, low, high = (each[:count] for each in (found.mean, found.low, found.high))
    x_range = padded_range(np.concatenate([[0.0], mean, low, high]))
    panel = Panel(canvas, *place, x_range, (float(count), 0.0))
    panel.draw_axes(label, "", x_ticks=round_ticks(*x_range, about=4), y_ticks=())
    told = found.low > 0
    can_draw = drawable(mean) & drawable(low) & drawable(high)
    for row in range(count):
        y = row + 0.5
        if not can_draw[row]:
            canvas.text(*panel.at(max(0.0, x_range[0]), y), "not finite", anchor="start", colour=PALE_INK)
            continue
        (start, middle), (end, _) = panel.at(0.0, y), panel.at(float(mean[row]), y)
        colour = TRAIN_COLOUR if told[row] else _UNTOLD
        canvas.rectangle(min(start, end), middle - _BAR / 2, abs(end - start), _BAR, colour)
        (from_x, _), (to_x, _) = panel.at(float(low[row]), y), panel.at(float(high[row]), y)
        canvas.line((from_x, middle), (to_x, middle), INK, width=1.5)
        for x in (from_x, to_x):
            canvas.line((x, middle - 4), (x, middle + 4), INK, width=1.5)
    zero, _ = panel.at(0.0, 0.0)
    canvas.line((zero, panel.top), (zero, panel.top + panel.height), PALE_INK)


def _the_point(found: Importances) -> str:
    """Return a sentence: which column costs most, how many cost nothing, and on which rows."""
    cost, rise, metric = found.cost, found.loss_rise, found.metric
    told = np.flatnonzero(cost.low > 0)
    reached = f"is {found.reached:{METRICS[metric].format}} on {_the_rows(found)}"
    if len(told):
        first = told[0]
        name, much = quoted(found.columns[first]), plain_number(cost.mean[first], 2)
        said = f"shuffling {name} costs {much} of the {metric}, which {reached}"
        if found.worsens == "rises":
            said = (
                f"shuffling {name} raises the {metric} by "
                f"{plain_number(cost.mean[first])}; unshuffled it {reached}"
            )
    elif found.worsens == "rises":
        said = f"shuffling any one column raises the {metric} by nothing that can be told: it {reached}"
    else:
        said = f"shuffling any one column costs no {metric} that can be told: it {reached}"
    nothing = len(found.columns) - len(told)
    if len(told) and nothing:
        said += (
            f"; {'1 column costs' if nothing == 1 else f'{nothing} columns cost'} nothing that can be told"
        )
    raising = np.flatnonzero(rise.low > 0)
    if not len(told) and len(raising):
        most = raising[np.argmax(rise.mean[raising])]
        name, by = quoted(found.columns[most]), plain_number(rise.mean[most], 2)
        said += f"; the loss, {found.loss:.4f}, rises most with {name}, by {by}"
    if len(found.columns) > _COLUMNS:
        said += f"; the first {_COLUMNS} of {len(found.columns)} columns"
    return said


def _the_rows(found: Importances) -> str:
    count = str(found.rows) if found.rows == found.of_rows else f"{found.rows} of {found.of_rows}"
    if found.part == "train":
        return f"{count} training rows (there is no validation part)"
    return f"{count} validation rows"


@PICTURES.register
class ColumnImportances(RunPicture):
    """What shuffling the values of each column costs, in accuracy (or rmse) and loss, with 95 % intervals."""

    name: ClassVar[str] = "importances"
    files: ClassVar[tuple[str, ...]] = ("figures/importances.svg",)

    def applies(self, run: RunContents) -> bool:
        """Return whether it was measured."""
        return run.importances is not None

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the bars."""
        return draw_importances(run.importances, title=run.title) if run.importances else None
