"""Calibration: whether a network is right as often as the probabilities that it gives say."""

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_rows import ScoredRows, scored_parts, share_text
from micrograde.drawing.style import INK, PALE_INK, TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg

_BINS = 15
_BAR = "#C6DBEF"
_WIDTH, _LEFT, _RIGHT, _HEIGHT, _BELOW = 720, 76, 24, 340, 84
_SURE = 2.0  # standard deviations beyond which a difference is not put down to chance
_ROUNDING = 1e-9


class _Bins(NamedTuple):
    """Rows by their confidence: how many, how many of them are right, and the sum of the confidence, (B,)."""

    rows: NDArray[np.integer]
    right: NDArray[np.integer]
    confidence: NDArray[np.float64]

    @property
    def gaps(self) -> NDArray[np.float64]:
        """How many rows more are said to be right than are, (B,)."""
        return self.confidence - self.right

    @property
    def error(self) -> float:
        """The expected calibration error."""
        return float(np.abs(self.gaps).sum() / self.rows.sum())


def _binned(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> _Bins:
    """Return the rows (n,) in bins of equal width, which hold their upper edges; the first holds 0, too."""
    places = np.searchsorted(np.linspace(0, 1, _BINS + 1)[1:-1], confidence, side="left")
    return _Bins(
        np.bincount(places, minlength=_BINS),
        np.bincount(places[right], minlength=_BINS),
        np.bincount(places, confidence, _BINS).astype(np.float64),
    )


def draw_calibration(rows: ScoredRows, *, title: str) -> Svg:
    """Draw, for rows of like confidence, the share that is right; the diagonal is where both are the same.

    The confidence is the probability of the predicted class. An orange line is the difference.
    """
    confidence = np.take_along_axis(rows.probabilities, rows.predicted[:, None], axis=1)[:, 0]
    right = rows.predicted == rows.labels
    bins = _binned(confidence, right)
    above = heading(title, f"{rows.words()}: {_the_point(bins, confidence, right)}", _WIDTH)
    top = above.height + 8
    canvas = Canvas(_WIDTH, top + _HEIGHT + _BELOW)
    above.draw(canvas)
    panel = Panel(canvas, _LEFT, top, _WIDTH - _LEFT - _RIGHT, _HEIGHT, (0.0, 1.0), (0.0, 1.02))
    filled = np.flatnonzero(bins.rows)
    for place in filled.tolist():
        accuracy = float(bins.right[place] / bins.rows[place])
        (x, y), (end, bottom) = panel.at(place / _BINS, accuracy), panel.at((place + 1) / _BINS, 0.0)
        canvas.rectangle(x + 1, y, end - x - 2, bottom - y, _BAR)
        canvas.text((x + end) / 2, bottom + 58, _short(int(bins.rows[place])), size=10)
    ticks = round_ticks(0, 1)
    x_label = "confidence: probability of the predicted class"
    panel.draw_axes(x_label, "share that is right", x_ticks=ticks, y_ticks=ticks)
    canvas.text(_LEFT - 8, top + _HEIGHT + 58, "rows", size=10, anchor="end")
    canvas.line(panel.at(0.0, 0.0), panel.at(1.0, 1.0), PALE_INK, dashed=True)
    means = bins.confidence[filled] / bins.rows[filled]
    shares = bins.right[filled] / bins.rows[filled]
    for mean, share in zip(means.tolist(), shares.tolist(), strict=True):
        canvas.line(panel.at(mean, share), panel.at(mean, mean), VALIDATION_COLOUR, width=2)
    panel.draw_curve(means, shares, TRAIN_COLOUR, "share that is right")
    for mean, share in zip(means.tolist(), shares.tolist(), strict=True):
        canvas.dot(*panel.at(mean, share), TRAIN_COLOUR)
    note = f"each bar is a {_BINS}th of the confidences; orange: what its rows are off on average"
    canvas.text(_LEFT, top + _HEIGHT + 76, note, size=11, anchor="start", colour=INK)
    return canvas.finish(f"calibration: {title}; {rows.words()}")


def _the_point(bins: _Bins, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> str:
    """Return whether the probabilities are too sure, where most, and the expected calibration error.

    If they were right, the number of right rows would vary with the variance ``sum(p * (1 - p))``.
    """
    said, found = share_text(float(confidence.mean())), share_text(float(right.mean()))
    gap, chance = float(bins.gaps.sum()), float(np.sqrt((confidence * (1 - confidence)).sum()))
    error = f"expected calibration error {share_text(bins.error)}"
    averages = f"{said} on average, and {found} are right"
    if abs(gap) <= _SURE * chance + _ROUNDING:
        by_chance = ", a difference that chance can make" if said != found else ""
        return f"probabilities say {averages}{by_chance}; {error}"
    wrong, worst = ("too sure", np.argmax) if gap > 0 else ("not sure enough", np.argmin)
    point = f"probabilities are {wrong}: they say {averages}"
    if np.count_nonzero(bins.rows) > 1:
        most = int(worst(bins.gaps))
        of_it = int(bins.rows[most])
        mean, share = float(bins.confidence[most] / of_it), float(bins.right[most] / of_it)
        point += f", above all where they say {share_text(mean)} and {share_text(share)} are right"
    return f"{point}; {error}"


def _short(count: int) -> str:
    """Return a count as text that fits below a bar."""
    return str(count) if count < 100_000 else f"{count / 1e6:.2f}M"


@PICTURES.register
class Calibration(RunPicture):
    """Whether the network is right as often as its probabilities say."""

    name: ClassVar[str] = "calibration"
    files: ClassVar[tuple[str, ...]] = ("figures/calibration.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the validation part, else the test part."""
        parts = list(run.once(scored_parts).values())
        return draw_calibration(parts[0], title=run.title) if parts else None
