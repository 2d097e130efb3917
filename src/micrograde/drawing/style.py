"""The look that all pictures share: readable on light and dark pages and by the colour-blind."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, which people of every colour vision can tell apart.
TRAIN_COLOUR = "#0072B2"
VALIDATION_COLOUR = "#D55E00"
PALETTE = (TRAIN_COLOUR, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#767676")
"""For the values of a choice; the one colour left out marks the best run."""
INK = "#222222"
PALE_INK = "#767676"
GRID = "#E6E6E6"
PAPER = "#FFFFFF"  # a ground of its own, so that a dark page does not swallow the axes
DPI = 110

_DECADES = 50.0  # from the largest to the smallest loss: from there on by its logarithm


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of so many inches, without pyplot and its global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)


def tidy(axes: "Axes") -> None:
    """Keep of the frame what carries a scale."""
    axes.set_facecolor(PAPER)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE_INK)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def scale_metric(axes: "Axes", metric: str, values: NDArray[np.float64]) -> None:
    """A logarithmic axis for a metric other than an accuracy that is spread over orders of magnitude."""
    if is_spread(metric, values):
        axes.set_yscale("log")


def is_spread(metric: str, values: NDArray[np.float64]) -> bool:
    """Whether these values of a metric are best told apart by their logarithm."""
    finite = values[np.isfinite(values)]
    if "accuracy" in metric or finite.size == 0 or finite.min() <= 0:
        return False
    return bool(finite.max() > _DECADES * finite.min())


def plain(text: str) -> str:
    """Text in which a dollar is a dollar: between two of them matplotlib would read a formula."""
    return text.replace("$", r"\$")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a PNG; the same figure gives the same bytes at any time."""
    with warnings.catch_warnings():
        # A sign that the font lacks, in a name, is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(path, dpi=DPI, metadata={"Software": None})
