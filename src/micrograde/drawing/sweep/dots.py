"""Runs as dots above a parameter's axis, which pictures share."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.style import TRAIN_COLOUR, VALIDATION_COLOUR, tidy
from micrograde.drawing.sweep.swept import Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 2000
"""The most dots in a panel; of more runs a sample is drawn."""

MEANS = 40
"""The most different values at each of which a number is drawn: a mean, or a count of crosses."""


def key_of_dots(values: NDArray[np.float64], best: int | None) -> str:
    """Return one line that explains the dots and, if there are any, the crosses and the ring."""
    with_value = int(np.isfinite(values).sum())
    key = "each dot is a run" if with_value <= DOTS else f"dots: {DOTS:,} of {with_value:,} runs"
    gone = len(values) - with_value
    key += f", crosses: {gone:,} without a result" if gone else ""
    return key + (", ring: the best" if best is not None and np.isfinite(values[best]) else "")


def draw_dots(axes: "Axes", scale: Scale, values: NDArray[np.float64], best: int | None) -> None:
    """Draw a dot for each run, a cross at the foot for one without a result, and a ring around the best."""
    tidy(axes)
    finite = np.flatnonzero(np.isfinite(values))
    sample = finite[np.linspace(0, len(finite) - 1, min(len(finite), DOTS)).astype(int)]
    dim = 0.55 if len(sample) <= 300 else 0.25
    axes.scatter(scale.positions[sample], values[sample], s=13, color=TRAIN_COLOUR, alpha=dim, linewidths=0)
    gone = scale.positions[~np.isfinite(values) & ~np.isnan(scale.positions)]
    places, counts = np.unique(gone, return_counts=True)
    foot = axes.get_xaxis_transform()
    cross = {"s": 22, "marker": "x", "color": VALIDATION_COLOUR, "linewidths": 1.2, "transform": foot}
    axes.scatter(places, np.full(places.size, 0.03), **cross)  # type: ignore[arg-type]
    several = (counts > 1) & (places.size <= MEANS)
    for place, count in zip(places[several], counts[several], strict=True):
        axes.text(place, 0.06, f"{count}", transform=foot, ha="center", fontsize=8, color=VALIDATION_COLOUR)
    if not finite.size:
        axes.set_yticks([])
    if best is not None and np.isfinite(values[best]):
        ring = {"facecolors": "none", "edgecolors": VALIDATION_COLOUR, "linewidths": 1.6}
        axes.scatter(scale.positions[best], values[best], s=70, zorder=5, label="best run", **ring)  # type: ignore[arg-type]
