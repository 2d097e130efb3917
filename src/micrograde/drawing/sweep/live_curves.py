"""One metric of a sweep's runs while they train, drawn in a few milliseconds."""

from collections.abc import Sequence

import numpy as np

from micrograde.drawing.panel import Panel, padded_range
from micrograde.drawing.style import VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 330, 72, 40
_COLOUR = "#6BAED6"


def draw_live_curves(
    histories: Sequence[Sequence[float]], metric: str, *, title: str = "", best: bool = False
) -> Svg:
    """Draw a line for each run.

    Parameters
    ----------
    histories
        Of each run the value of the metric after each epoch; what is not finite leaves a gap.
    title
        Stands above the panel.
    best
        Whether the last run is the best so far, and stands out.
    """
    canvas = Canvas(_WIDTH, _HEIGHT)
    epochs = max(map(len, histories), default=1)
    panel = Panel(
        canvas, _LEFT, _TOP, _WIDTH - _LEFT - 24, _HEIGHT - _TOP - 58,
        x_range=(1 - 0.02 * epochs, epochs + 0.02 * epochs),
        y_range=padded_range(np.concatenate([*map(np.asarray, histories), []])),
    )  # fmt: skip
    panel.draw_axes("epoch", metric)
    for number, values in enumerate(histories, start=1):
        stands_out = best and number == len(histories)
        colour = VALIDATION_COLOUR if stands_out else _COLOUR
        panel.draw_curve(np.arange(1.0, len(values) + 1), np.asarray(values, float), colour, f"run {number}")
    if best:
        canvas.text(_WIDTH - 24, 24, "● best so far", size=13, anchor="end", colour=VALIDATION_COLOUR)
    if title:
        canvas.text(_LEFT, 24, title, size=13, anchor="start")
    return canvas.finish(f"{metric} by epoch")
