"""The confusion matrix: which classes a network takes for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.style import INK, PAPER, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLASSES_WITH_NUMBERS = 20  # beyond, the numbers would not fit their cells
_NAME_LENGTH = 16


def draw_confusion_matrix(counts: NDArray[np.integer], *, class_names: Sequence[str], title: str) -> "Figure":
    """True classes down, predicted classes across, each row coloured by its shares.

    Parameters
    ----------
    counts
        (C, C): how often the row's class was predicted as the column's.
    """
    counts = np.asarray(counts)
    classes = len(counts)
    if counts.shape != (classes, classes) or len(class_names) != classes:
        raise ValueError(f"counts {counts.shape} and {len(class_names)} class names do not fit")
    size = float(np.clip(2.6 + 0.38 * classes, 3.4, 11))
    figure = new_figure(size + 0.6, size)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if classes <= _CLASSES_WITH_NUMBERS:
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = PAPER if shares[row, column] > 0.5 else INK
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
        names = [plain(shorten(name)) for name in class_names]
        slanted = max(map(len, names)) > 3
        axes.set_xticks(
            range(classes), names, rotation=45 if slanted else 0, ha="right" if slanted else "center"
        )
        axes.set_yticks(range(classes), names)
    axes.tick_params(length=0, labelsize=9, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("true", color=INK)
    axes.set_title(plain(f"{title}\n{_the_point(counts, class_names)}"), fontsize=10, color=INK)
    return figure


def shorten(name: str) -> str:
    """A class name in a length that fits an axis."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _the_point(counts: NDArray[np.integer], class_names: Sequence[str]) -> str:
    """In a line: how many are right, and what is most often mistaken for what."""
    total, right = int(counts.sum()), int(np.trace(counts))
    mistakes = counts - np.diag(np.diag(counts))
    line = f"{right} of {total} right"
    if mistakes.any():
        row, column = divmod(int(np.argmax(mistakes)), len(counts))
        times = int(mistakes[row, column])
        line += f"; most often {class_names[row]} taken for {class_names[column]} ({times})"
    return line
