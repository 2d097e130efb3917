"""The look that all pictures share: readable on light and dark pages and by the colour-blind."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's palette, which people of every colour vision can tell apart.
TRAIN_COLOUR = "#0072B2"
VALIDATION_COLOUR = "#D55E00"
INK = "#222222"
PALE_INK = "#767676"
PAPER = "#FFFFFF"  # a ground of its own, so that a dark page does not swallow the axes
DPI = 110


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
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a PNG; the same figure gives the same bytes at any time."""
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
