"""A quantity of each layer against the epoch, on a logarithmic axis; two pictures are drawn with it."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import ORDERED, shade_names
from micrograde.drawing.panel import Panel, label_room, log_ticks, padded_range
from micrograde.drawing.style import INK
from micrograde.drawing.svg import Canvas, Svg

_WIDTH, _LEFT, _RIGHT = 760, 76, 130
_PANEL_HEIGHT, _BELOW = 280, 52
_LINE = 18  # height of a line of the key
_LARGEST = 300.0  # the largest logarithm drawn: a float can hardly hold larger numbers


def layer_values(history: Mapping[str, Sequence[float]], pattern: str) -> dict[int, NDArray[np.float64]]:
    """Return the metrics whose whole name matches ``pattern``, by the number in its group, ascending."""
    found = {
        int(match[1]): np.asarray(values, float)
        for name, values in history.items()
        if (match := re.fullmatch(pattern, name))
    }
    return dict(sorted(found.items()))


def draw_layer_curves(
    logarithms: Mapping[int, NDArray[np.float64]],
    *,
    title: str,
    point: str,
    y_label: str,
    name: str,
    line: tuple[float, str] | None = None,
) -> Svg:
    """Draw a line for each layer, from dark (the first) to bright (the last).

    Parameters
    ----------
    logarithms
        By the layer's number, the decimal logarithms (epochs,) of its values; NaN and inf leave a gap.
    name
        The kind of picture, for screen readers.
    line
        The logarithm at which a dashed horizontal line is drawn, and its label.
    """
    above = heading(title, point, _WIDTH)
    top = above.height + 8
    canvas = Canvas(_WIDTH, top + _PANEL_HEIGHT + _BELOW)
    above.draw(canvas)
    series = {layer: np.where(np.abs(each) < _LARGEST, each, np.nan) for layer, each in logarithms.items()}
    epochs = max([1, *map(len, series.values())])
    marked = [line[0]] if line else []
    y_range = padded_range(np.concatenate([*series.values(), marked]))
    room = 0.02 * epochs
    y_ticks = log_ticks(*y_range)
    left = max(_LEFT, label_room(y_ticks))
    width = _WIDTH - left - _RIGHT
    panel = Panel(canvas, left, top, width, _PANEL_HEIGHT, (1 - room, epochs + room), y_range)
    panel.draw_axes("epoch", y_label, y_ticks=y_ticks)
    colours = shade_names(ORDERED, np.linspace(0, 1, max(len(series), 2)))
    for colour, (layer, values) in zip(colours, series.items(), strict=False):
        panel.draw_curve(np.arange(1.0, len(values) + 1), values, colour, f"layer {layer}")
    if line:
        _, y = panel.at(panel.x_range[0], line[0])
        canvas.line((left, y), (left + width, y), INK, dashed=True)
        canvas.text(left + width - 4, y - 6, line[1], anchor="end", halo=True)
    _draw_key(canvas, left + width + 20, top, dict(zip(series, colours, strict=False)))
    return canvas.finish(f"{name}: {title}; {point}")


def _draw_key(canvas: Canvas, left: float, top: float, colours: Mapping[int, str]) -> None:
    """Draw the key, the last layer at the top; if not all layers fit, evenly spaced ones are listed."""
    layers = list(colours)
    fit = _PANEL_HEIGHT // _LINE
    shown = np.unique(np.linspace(0, len(layers) - 1, min(len(layers), fit)).astype(int))[::-1]
    for row, place in enumerate(shown.tolist()):
        y = top + (row + 0.5) * _LINE
        canvas.line((left, y), (left + 22, y), colours[layers[place]], width=3)
        canvas.text(left + 30, y + 4, f"layer {layers[place]}", anchor="start")
