"""The rows with the greatest loss: where to look for wrong labels, and for what a network does not see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import shade
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_labels import ScoredLabels, scored_labels
from micrograde.drawing.run.scored_numbers import ScoredNumbers, scored_numbers
from micrograde.drawing.run.scored_rows import ScoredRows, scored_parts, share_text
from micrograde.drawing.style import GRID, INK, PALE_INK, PAPER
from micrograde.drawing.svg import Anchor, Canvas, Svg
from micrograde.drawing.text import fitted
from micrograde.metrics import PARTS
from micrograde.tasks.multilabel import Multilabel
from micrograde.tasks.regression import Regression

ScoredT = TypeVar("ScoredT", ScoredRows, ScoredNumbers, ScoredLabels)

_ROWS = 10
_WIDTH, _LEFT = 720.0, 20.0
_LINE, _IMAGE = 26.0, 56.0  # the height of a row, and of one with an image
_PIXELS = 60  # of a larger image only every second, third... pixel is drawn: more could not be seen
_Columns = Sequence[tuple[str, float, Anchor]]
_COLUMNS: _Columns = (
    ("row", 70, "end"), ("part", 100, "start"), ("true class", 190, "start"),
    ("predicted", 375, "start"), ("probability", 635, "end"), ("loss", 700, "end"),
)  # fmt: skip
_COLUMNS_OF_NUMBERS: _Columns = (
    ("row", 70, "end"), ("part", 100, "start"), ("target", 190, "start"), ("true", 460, "end"),
    ("predicted", 545, "end"), ("true − predicted", 645, "end"), ("loss", 700, "end"),
)  # fmt: skip
_COLUMNS_OF_LABELS: _Columns = (
    ("row", 70, "end"), ("part", 100, "start"), ("label most off", 190, "start"), ("true", 440, "start"),
    ("predicted", 510, "start"), ("probability", 650, "end"), ("loss", 700, "end"),
)  # fmt: skip
_NAME_ROOM = 172.0


@dataclass(frozen=True)
class LostRow:
    """A row of the data; nothing that stands in its cells is known here.

    Attributes
    ----------
    number
        Its number in the source.
    part
        The part that it is in.
    true, predicted
        Its class, and the one that it is given; or its number, and the predicted one.
    detail
        The probability of the predicted class; of numbers the difference.
    target
        The name of the number, where numbers are predicted: of several the one that is furthest off; or that
        of the label.
    of_labels
        Whether it is a label.
    image
        Its pixels (rows, columns) if the data are images.
    """

    number: int
    part: str
    true: str
    predicted: str
    detail: str
    loss: float
    image: NDArray[np.floating] | None = None
    target: str | None = None
    of_labels: bool = False

    def cells(self) -> tuple[str, ...]:
        """Return its texts, one for each column."""
        target = () if self.target is None else (self.target,)
        first = (str(self.number), self.part, *target)
        return (*first, self.true, self.predicted, self.detail, plain_number(self.loss))


def draw_greatest_losses(rows: Sequence[LostRow], *, title: str, point: str) -> Svg:
    """Draw a table of rows, with their images if they have some, all on one scale from white to black."""
    above = heading(title, point, _WIDTH)
    images = [row.image for row in rows if row.image is not None]
    room = _IMAGE + 16 if images else 0.0
    line = _IMAGE + 6 if images else _LINE
    canvas = Canvas(_WIDTH + room, above.height + 32 + line * len(rows) + 12)
    above.draw(canvas)
    top = above.height + 16
    columns = _COLUMNS if not rows or rows[0].target is None else _COLUMNS_OF_NUMBERS
    columns = _COLUMNS_OF_LABELS if rows and rows[0].of_labels else columns
    for name, x, anchor in columns:
        canvas.text(x, top, name, anchor=anchor, colour=PALE_INK)
    pixels = _shades(images)
    for place, row in enumerate(rows):
        start = top + 10 + place * line
        canvas.line((_LEFT, start), (canvas.width - _LEFT, start), GRID)
        wrong = row.true != row.predicted
        for (name, x, anchor), text in zip(columns, row.cells(), strict=True):
            colour = PALE_INK if name == "predicted" and not wrong else INK
            canvas.text(x, start + line / 2 + 4, fitted(text, 12, _NAME_ROOM), anchor=anchor, colour=colour)
        if pixels:
            high, wide = np.asarray(images[place]).shape
            scale = _IMAGE / max(high, wide)
            label = f"row {row.number}"
            canvas.image(_WIDTH, start + 3, wide * scale, high * scale, pixels[place], label)
    return canvas.finish(f"greatest losses: {title}; {point}")


def _shades(images: Sequence[NDArray[np.floating]]) -> list[NDArray[np.uint8]]:
    """Return the images as colours (rows, columns, 3), the least of all values white, the greatest black."""
    if not images:
        return []
    step = max(1, max(images[0].shape) // _PIXELS)
    given = np.stack([image[::step, ::step] for image in images]).astype(np.float64)
    low, high = given.min(), given.max()
    half = high / 2 - low / 2  # the difference of two large floats may overflow
    return list(shade((PAPER, INK), (given / 2 - low / 2) / (half or 1.0)))


def greatest_losses(parts: Sequence[ScoredT], most: int = _ROWS) -> list[tuple[ScoredT, int]]:
    """Return the rows of all parts with the greatest losses, each as its part and its place in the arrays.

    Of equal losses the rows that come first in the source come first.
    """
    losses = np.concatenate([rows.losses for rows in parts])
    numbers = np.concatenate([rows.numbers for rows in parts])
    ends = np.cumsum([len(rows) for rows in parts])
    found = []
    for place in np.lexsort([numbers, -losses])[:most].tolist():
        part = int(np.searchsorted(ends, place, side="right"))
        found.append((parts[part], place - int(ends[part]) + len(parts[part])))
    return found


def _the_point(parts: Sequence[ScoredT], found: Sequence[tuple[ScoredT, int]]) -> str:
    """Return how many rows these are of, their share of the whole loss, and of classes how many are wrong."""
    losses = np.concatenate([rows.losses for rows in parts])
    shown = [float(rows.losses[place]) for rows, place in found]
    sizes = ", ".join(f"{len(rows)} {rows.part}" for rows in parts)
    total, ties = float(losses.sum()), np.count_nonzero(losses == shown[-1]) - shown.count(shown[-1])
    left_out = [_left_out(rows) for rows in parts]
    if len(shown) < len(losses):
        point = f"the {len(shown)} rows with the greatest loss, of {len(losses)} ({sizes})"
        if np.isfinite(total) and total > 0:
            point += f": {share_text(sum(shown) / total)} of the sum of all losses"
    else:
        point = f"{f'all {len(shown)} rows' if len(shown) > 1 else 'the only row'} ({sizes}), by the loss"
    if not isinstance(parts[0], ScoredNumbers):
        wrong = sum(bool(np.any(rows.predicted[place] != rows.labels[place])) for rows, place in found)
        point += f"; {wrong} predicted wrong"
    if ties:
        point += f"; {ties} more {'has' if ties == 1 else 'have'} the loss of the last"
    why = "of no class" if isinstance(parts[0], ScoredRows) else "without a finite number"
    why = "whose numbers overflow" if isinstance(parts[0], ScoredLabels) else why
    return f"{point}; {sum(left_out)} {why} left out" if sum(left_out) else point


def _left_out(rows: ScoredRows | ScoredNumbers | ScoredLabels) -> int:
    if isinstance(rows, ScoredRows):
        return rows.of_no_class
    return rows.not_finite if isinstance(rows, ScoredNumbers) else rows.of_no_label


def _lost_labels(rows: ScoredLabels, place: int) -> LostRow:
    """Return a row with the label whose probability is furthest from what is true."""
    worst = int(np.argmax(np.abs(rows.labels[place] - rows.probabilities[place])))
    words = ("no", "yes")
    return LostRow(
        int(rows.numbers[place]),
        rows.part,
        words[int(rows.labels[place, worst])],
        words[int(rows.predicted[place, worst])],
        share_text(float(rows.probabilities[place, worst])),
        float(rows.losses[place]),
        target=rows.names[worst],
        of_labels=True,
    )


def _lost_row(run: RunContents, rows: ScoredRows, place: int) -> LostRow:
    names, predicted, image = run.dataset.class_names, int(rows.predicted[place]), None
    samples = {"training": run.training, "validation": run.validation, "test": run.test}[rows.part]
    if run.dataset.image_shape and samples is not None:
        features, preprocessing = samples.features[rows.places[place]], run.preprocessing
        with np.errstate(all="ignore"):  # numbers may be huge
            image = (features * preprocessing.scales + preprocessing.means).reshape(run.dataset.image_shape)
    return LostRow(
        int(rows.numbers[place]),
        rows.part,
        names[int(rows.labels[place])],
        names[predicted],
        share_text(float(rows.probabilities[place, predicted])),
        float(rows.losses[place]),
        image,
    )


def _lost_number(rows: ScoredNumbers, place: int, scales: NDArray[np.float64]) -> LostRow:
    """Return a row with the number that is furthest off, in standard deviations of the training part."""
    worst = int(np.argmax(np.abs(rows.residuals[place]) / scales))
    true, predicted = float(rows.labels[place, worst]), float(rows.predicted[place, worst])
    return LostRow(
        int(rows.numbers[place]),
        rows.part,
        plain_number(true, 6),
        plain_number(predicted, 6),
        plain_number(true - predicted),
        float(rows.losses[place]),
        target=rows.target_names[worst],
    )


@PICTURES.register
class GreatestLosses(RunPicture):
    """The ten rows with the greatest loss, with what is true and predicted; of images, the images."""

    name: ClassVar[str] = "greatest_losses"
    files: ClassVar[tuple[str, ...]] = ("figures/greatest_losses.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the rows of all parts."""
        by_part = run.once(scored_parts)
        parts = [by_part[part] for part in PARTS if part in by_part]
        if isinstance(run.task, Regression):
            return self._draw_numbers(run, run.task)
        if isinstance(run.task, Multilabel):
            return self._draw_labels(run)
        if not parts:
            return None
        found = greatest_losses(parts)
        rows = [_lost_row(run, of_part, place) for of_part, place in found]
        return draw_greatest_losses(rows, title=run.title, point=_the_point(parts, found))

    def _draw_labels(self, run: RunContents) -> Svg | None:
        by_part = run.once(scored_labels)
        parts = [by_part[part] for part in PARTS if part in by_part]
        if not parts:
            return None
        found = greatest_losses(parts)
        rows = [_lost_labels(of_part, place) for of_part, place in found]
        return draw_greatest_losses(rows, title=run.title, point=_the_point(parts, found))

    def _draw_numbers(self, run: RunContents, task: Regression) -> Svg | None:
        by_part = run.once(scored_numbers)
        parts = [by_part[part] for part in PARTS if part in by_part]
        if not parts:
            return None
        found = greatest_losses(parts)
        rows = [_lost_number(of_part, place, task.scaling.scales) for of_part, place in found]
        return draw_greatest_losses(rows, title=run.title, point=_the_point(parts, found))
