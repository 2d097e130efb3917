"""Runs as dots above a parameter's axis, which pictures share."""

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.panel import Panel
from micrograde.drawing.style import TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.sweep.axes import TICK
from micrograde.drawing.sweep.swept import Scale

DOTS = 2000
"""The most dots in a panel; of more runs a sample is drawn."""

MEANS = 40
"""The most different values at each of which a number is drawn: a mean, or a count of crosses."""

FOOT = 0.12
"""The share of an axis that is kept free for crosses."""

_LAYERS = (
    4  # paths over which dots are dealt: where those of different paths lie upon each other it is darker
)
_CROSS, _COUNT = 10, 19  # pixels above the foot of a panel


def key_of_dots(values: NDArray[np.float64], best: int | None) -> str:
    """Return one line that explains the dots and, if there are any, the crosses and the ring."""
    with_value = int(np.isfinite(values).sum())
    key = "each dot is a run" if with_value <= DOTS else f"dots: {DOTS:,} of {with_value:,} runs"
    gone = len(values) - with_value
    key += f", crosses: {gone:,} without a result" if gone else ""
    return key + (", ring: the best run" if best is not None and np.isfinite(values[best]) else "")


def draw_dots(panel: Panel, scale: Scale, heights: NDArray[np.float64]) -> None:
    """Draw a dot for each run, and at the foot a cross for one without a result; many with their count."""
    has = np.flatnonzero(np.isfinite(heights) & ~np.isnan(scale.positions))
    sample = has[np.linspace(0, len(has) - 1, min(len(has), DOTS)).astype(int)]
    points = np.column_stack(panel.at(scale.positions[sample], heights[sample]))
    few = len(sample) <= 60
    for layer in range(1 if few else min(_LAYERS, len(points))):
        part = points if few else points[layer::_LAYERS]
        if len(part):
            size, dim = (6.0, 0.75) if few else (5.0, 0.4)
            panel.canvas.dots(part, TRAIN_COLOUR, diameter=size, opacity=dim, rim=False)
    gone = scale.positions[~np.isfinite(heights) & ~np.isnan(scale.positions)]
    places, counts = np.unique(gone, return_counts=True)
    across, _ = panel.at(places, np.zeros(len(places)) + panel.y_range[0])
    bottom = panel.top + panel.height
    panel.canvas.crosses(np.column_stack([across, np.full(len(across), bottom - _CROSS)]), VALIDATION_COLOUR)
    if len(places) > MEANS:
        return
    for x, count in zip(across.tolist(), counts.tolist(), strict=True):
        if count > 1:
            panel.canvas.text(x, bottom - _COUNT, f"{count}", size=TICK - 1, colour=VALIDATION_COLOUR)


def draw_ring(panel: Panel, scale: Scale, heights: NDArray[np.float64], best: int | None) -> None:
    """Draw a ring around the best run, if it has a result."""
    if best is not None and np.isfinite(heights[best]) and not np.isnan(scale.positions[best]):
        panel.canvas.ring(*panel.at(float(scale.positions[best]), float(heights[best])), VALIDATION_COLOUR)
