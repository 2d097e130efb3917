"""The style that all pictures share, readable on light and dark pages and by colour-blind people."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import metric_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, whose colours people with any colour vision can tell apart.
TRAIN_COLOUR = "#0072B2"
VALIDATION_COLOUR = "#D55E00"
PALETTE = (TRAIN_COLOUR, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#767676")
"""For the values of a categorical parameter; the colour that is left out marks the best run."""
INK = "#222222"
PALE_INK = "#767676"
GRID = "#E6E6E6"
PAPER = "#FFFFFF"  # a background, so that the axes can be seen on a dark page
DPI = 110

_CHANGING = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}  # what differs from time to time

_DECADES = 50.0  # ratio of the largest to the smallest value beyond which an axis is logarithmic


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of this size in inches, made without pyplot and its global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)


def tidy(axes: "Axes") -> None:
    """Remove the sides of the frame that carry no scale, and draw a pale horizontal grid."""
    axes.set_facecolor(PAPER)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE_INK)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def scale_metric(axes: "Axes", metric: str, values: NDArray[np.float64]) -> None:
    """Make the y axis logarithmic if ``is_spread`` holds for the values."""
    if is_spread(metric, values):
        axes.set_yscale("log")


def is_spread(metric: str, values: NDArray[np.float64]) -> bool:
    """Return whether the values span orders of magnitude, so that they belong on a logarithmic axis.

    Accuracies and other metrics never do, nor do values that are zero or negative.
    """
    finite = values[np.isfinite(values)]
    if metric_of(metric) or finite.size == 0 or finite.min() <= 0:
        return False
    return bool(finite.max() > _DECADES * finite.min())


def plain(text: str) -> str:
    """Escape dollar signs, between which matplotlib would typeset a formula."""
    return text.replace("$", r"\$")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a PNG; equal figures always give equal bytes."""
    path.write_bytes(figure_file(figure, "png"))


def figure_file(figure: "Figure", suffix: Literal["svg", "png", "pdf"]) -> bytes:
    """Return the content of a figure's file; equal figures always give equal bytes."""
    from matplotlib import rc_context

    content = io.BytesIO()
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "micrograde", "pdf.fonttype": 42}):
        # A character in a name that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(content, format=suffix, dpi=DPI, metadata={_CHANGING[suffix]: None})
    return content.getvalue()
