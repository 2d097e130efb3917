"""The confusion matrix: how often a network takes one class for another."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import INK, PAPER
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import text_width

_CLASSES_WITH_NUMBERS = 20  # the most; with more classes the numbers would not fit their cells
_NAME_LENGTH = 16
_DARKEST = np.array([8, 81, 156])  # the colour of a share of 1
_MARGIN, _NARROWEST = 20, 460


def draw_confusion_matrix(
    counts: NDArray[np.integer], *, class_names: Sequence[str], title: str, of_no_class: int = 0
) -> Svg:
    """Draw true classes as rows and predicted classes as columns, each row coloured by its shares.

    Parameters
    ----------
    counts
        (C, C): how often the row's class was predicted as the column's class.
    of_no_class
        The number of further samples for which no class was predicted; they count as wrong.
    """
    counts = np.asarray(counts)
    classes = len(counts)
    if counts.shape != (classes, classes) or len(class_names) != classes:
        raise ValueError(f"counts {counts.shape} and {len(class_names)} class names do not fit")
    named = classes <= _CLASSES_WITH_NUMBERS
    names = [shorten(name) for name in class_names] if named else []
    longest = max((text_width(name, 12) for name in names), default=0.0)
    slanted = longest > 24
    cell = max(36.0, text_width(str(counts.max()), 12) + 8) if named else 720 / classes
    left = 44 + longest
    side = cell * classes
    below = 0.72 * longest + 46 if slanted else 52
    point = _the_point(counts, class_names, of_no_class)
    width = max(left + side + _MARGIN, _NARROWEST)
    above = heading(title, point, width, left=_MARGIN, right=_MARGIN)
    top, bottom = above.height, above.height + side
    canvas = Canvas(width, bottom + below)
    above.draw(canvas)

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    canvas.rectangle(left, top, side, side, _blue(0))
    for row, column in zip(*np.nonzero(counts), strict=True):
        x, y, share = left + column * cell, top + row * cell, shares[row, column]
        canvas.rectangle(x, y, cell, cell, _blue(share))
        if named:
            colour = PAPER if share > 0.5 else INK
            canvas.text(x + cell / 2, y + cell / 2 + 4, str(counts[row, column]), colour=colour)
    for number, name in enumerate(names):
        centre = (number + 0.5) * cell
        canvas.text(left - 8, top + centre + 4, name, anchor="end")
        if slanted:
            canvas.text(left + centre + 4, bottom + 16, name, anchor="end", turn=-45)
        else:
            canvas.text(left + centre, bottom + 18, name)
    canvas.text(left + side / 2, bottom + below - 10, "predicted", size=13)
    canvas.text(20, top + side / 2, "true", size=13, turn=-90)
    return canvas.finish(f"confusion matrix: {title}, {point}")


def shorten(name: str) -> str:
    """Cut a class name to a length that fits an axis."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _blue(share: float) -> str:
    """Return a colour from nearly white (share 0) to dark blue (share 1)."""
    pale = np.array([247, 251, 255])
    red, green, blue = (pale + share * (_DARKEST - pale)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _the_point(counts: NDArray[np.integer], class_names: Sequence[str], of_no_class: int) -> str:
    """Return one line: how many are right, and the most frequent mistake."""
    total, right = int(counts.sum()), int(np.trace(counts))
    mistakes = counts - np.diag(np.diag(counts))
    line = f"{right} of {total + of_no_class} right"
    if of_no_class:
        line += f", {of_no_class} of no class"
    if mistakes.any():
        row, column = divmod(int(np.argmax(mistakes)), len(counts))
        times = int(mistakes[row, column])
        line += f"; most often {shorten(class_names[row])} taken for {shorten(class_names[column])} ({times})"
    return line


@PICTURES.register
class ConfusionMatrix(RunPicture):
    """Predicted and true classes of the test part."""

    name: ClassVar[str] = "confusion_matrix"
    files: ClassVar[tuple[str, ...]] = ("figures/confusion_matrix.svg",)
    light: ClassVar[bool] = True

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the counts of the test part."""
        if run.confusion is None:
            return None
        lost = len(run.test or ()) - int(run.confusion.sum())
        names = run.dataset.class_names
        return draw_confusion_matrix(run.confusion, class_names=names, title=run.title, of_no_class=lost)
