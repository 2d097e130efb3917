"""The confusion matrix: how often a network takes one class for another."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import shade_names
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import INK, PAPER
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import text_width
from micrograde.metrics.confusion import confusion

_CLASSES_WITH_NUMBERS = 20  # the most; with more classes the numbers would not fit their cells
_NAME_LENGTH = 16
_BLUES = ("#F7FBFF", "#08519C")  # the colours of shares of 0 and 1
_MARGIN, _NARROWEST = 20, 460
_NOTE, _NOTE_LINE = "below each count: its share of the true class", 20


def draw_confusion_matrix(
    counts: NDArray[np.integer],
    *,
    class_names: Sequence[str],
    title: str,
    of_no_class: int = 0,
    part: str = "",
) -> Svg:
    """Draw true classes as rows and predicted classes as columns, each row coloured by its shares.

    Of few classes each cell has its count, and below it the count's share of the true class.

    Parameters
    ----------
    counts
        (C, C): how often the row's class was predicted as the column's class.
    of_no_class
        The number of further samples for which no class was predicted; they count as wrong, and are in no
        share.
    part
        The part of the data that the counts are of, as in ``test``; empty if that need not be said.
    """
    counts = np.asarray(counts)
    classes = len(counts)
    if counts.shape != (classes, classes) or len(class_names) != classes:
        raise ValueError(f"counts {counts.shape} and {len(class_names)} class names do not fit")
    named = classes <= _CLASSES_WITH_NUMBERS
    names = [shorten(name) for name in class_names] if named else []
    longest = max((text_width(name, 12) for name in names), default=0.0)
    slanted = longest > 24
    roomy = min(64.0, max(38.0, 240 / classes))
    cell = max(roomy, text_width(str(counts.max()), 12) + 8) if named else 720 / classes
    left = 44 + longest
    side = cell * classes
    below = 0.72 * longest + 46 if slanted else 52
    below += _NOTE_LINE if named else 0
    point = (f"{part} part: " if part else "") + _the_point(counts, class_names, of_no_class)
    width = max(left + side + _MARGIN, _NARROWEST)
    above = heading(title, point, width, left=_MARGIN, right=_MARGIN)
    top, bottom = above.height, above.height + side
    canvas = Canvas(width, bottom + below)
    above.draw(canvas)

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    canvas.rectangle(left, top, side, side, _BLUES[0])
    places = np.nonzero(counts)
    found = shares[places]
    cells = zip(*places, counts[places].tolist(), found.tolist(), shade_names(_BLUES, found), strict=True)
    for row, column, count, share, blue in cells:
        x, y = left + int(column) * cell, top + int(row) * cell
        canvas.rectangle(x, y, cell, cell, blue)
        if named:
            middle, colour = x + cell / 2, PAPER if share > 0.5 else INK
            canvas.text(middle, y + cell / 2 - 1, str(count), colour=colour)
            canvas.text(middle, y + cell / 2 + 12, _share(share), size=10, colour=colour)
    for number, name in enumerate(names):
        centre = (number + 0.5) * cell
        canvas.text(left - 8, top + centre + 4, name, anchor="end")
        if slanted:
            canvas.text(left + centre + 4, bottom + 16, name, anchor="end", turn=-45)
        else:
            canvas.text(left + centre, bottom + 18, name)
    low = bottom + below - 10
    if named:
        canvas.text(_MARGIN, low, _NOTE, size=11, anchor="start")
        low -= _NOTE_LINE
    canvas.text(left + side / 2, low, "predicted", size=13)
    canvas.text(20, top + side / 2, "true", size=13, turn=-90)
    return canvas.finish(f"confusion matrix: {title}, {point}")


def shorten(name: str) -> str:
    """Cut a class name to a length that fits an axis."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _share(share: float) -> str:
    """Return a cell's share as text of four or five characters."""
    text = f"{share:.2f}"
    return text if share == 1 else {"1.00": ">0.99", "0.00": "<0.01"}.get(text, text)


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
    """Predicted and true classes of the test part, or else of the validation part, in counts and shares."""

    name: ClassVar[str] = "confusion_matrix"
    task: ClassVar[str | None] = "classification"
    files: ClassVar[tuple[str, ...]] = ("figures/confusion_matrix.svg",)
    light: ClassVar[bool] = True

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the counts."""
        names = run.dataset.class_names
        if run.confusion is not None:
            counts, rows, part = run.confusion, len(run.test or ()), "test"
        elif "val" in run.logits and run.validation is not None and names:
            found = run.task.predicted(run.logits["val"])
            counts = confusion(run.validation.labels, found[np.newaxis], len(names))[0, :, :-1]
            rows, part = len(found), "validation"
        else:
            return None
        lost = rows - int(counts.sum())
        return draw_confusion_matrix(counts, class_names=names, title=run.title, of_no_class=lost, part=part)
