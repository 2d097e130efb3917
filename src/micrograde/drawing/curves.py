"""Learning curves: loss and accuracy against the epoch, training and validation in one look."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from micrograde.drawing.style import INK, TRAIN_COLOUR, VALIDATION_COLOUR, new_figure, plain, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SERIES = (("train", "training", TRAIN_COLOUR), ("val", "validation", VALIDATION_COLOUR))


def draw_learning_curves(history: Mapping[str, Sequence[float]], *, title: str) -> "Figure":
    """Two panels, loss and accuracy; the best epoch of the last-named part is marked in each.

    Parameters
    ----------
    history
        ``train/loss``, ``train/accuracy`` and, where there is a validation part, ``val/loss`` and
        ``val/accuracy``: a value an epoch, accuracies as fractions. Values that are not finite leave a
        gap in the line.
    """
    figure = new_figure(9, 3.6)
    loss, accuracy = figure.subplots(1, 2)
    _draw_panel(loss, history, "loss", lower_is_better=True)
    _draw_panel(accuracy, history, "accuracy", lower_is_better=False)
    figure.suptitle(plain(title), color=INK, fontsize=12)
    return figure


def _draw_panel(
    axes: "Axes", history: Mapping[str, Sequence[float]], metric: str, *, lower_is_better: bool
) -> None:
    from matplotlib.ticker import MaxNLocator

    tidy(axes)
    best = ""
    for part, name, colour in _SERIES:
        values = np.asarray(history.get(f"{part}/{metric}", ()), float)
        if values.size == 0:
            continue
        epochs = np.arange(1, values.size + 1)
        marker = "o" if values.size == 1 else None  # one epoch is a point, not a line
        axes.plot(epochs, values, color=colour, linewidth=1.8, marker=marker, label=name)
        finite = np.where(np.isfinite(values), values, np.inf if lower_is_better else -np.inf)
        if np.isfinite(finite).any():
            at = int(np.argmin(finite) if lower_is_better else np.argmax(finite))
            extreme = "lowest" if lower_is_better else "highest"
            best = f"{extreme} {name} {metric} {values[at]:.4g}, epoch {at + 1}"
            axes.plot(epochs[at], values[at], "o", color=colour, markersize=6, markeredgecolor="white")
    axes.set_title(best or f"no finite {metric}", fontsize=10, color=INK)
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    axes.set_ylabel(metric, color=INK, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
