"""Calibration: whether a network is right as often as the probabilities that it gives say."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_rows import ScoredRows, scored_parts, share_text
from micrograde.drawing.style import INK, PALE_INK, TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.metrics.expected_calibration_error import BINS, ConfidenceBins, bin_by_confidence

_BAR = "#C6DBEF"
_WIDTH, _LEFT, _RIGHT, _HEIGHT, _BELOW = 720, 76, 24, 340, 84
_SURE = 2.0  # standard deviations beyond which a difference is not put down to chance
_ROUNDING = 1e-9


def draw_calibration(rows: ScoredRows, *, title: str) -> Svg:
    """Draw, for rows of like confidence, the share that is right; the diagonal is where both are the same.

    The confidence is the probability of the most probable class, whatever threshold there is. An orange line
    is the difference.
    """
    most_probable = rows.logits.argmax(axis=1)
    confidence = np.take_along_axis(rows.probabilities, most_probable[:, None], axis=1)[:, 0]
    right = most_probable == rows.labels
    bins = bin_by_confidence(confidence[None], right[None])
    counts = bins.rows[0]
    filled = np.flatnonzero(counts)
    means, shares = bins.confidence[0, filled] / counts[filled], bins.correct[0, filled] / counts[filled]
    above = heading(title, f"{rows.words()}: {_the_point(bins, confidence, right)}", _WIDTH)
    top = above.height + 8
    canvas = Canvas(_WIDTH, top + _HEIGHT + _BELOW)
    above.draw(canvas)
    panel = Panel(canvas, _LEFT, top, _WIDTH - _LEFT - _RIGHT, _HEIGHT, (0.0, 1.0), (0.0, 1.02))
    for place, accuracy in zip(filled.tolist(), shares.tolist(), strict=True):
        (x, y), (end, bottom) = panel.at(place / BINS, accuracy), panel.at((place + 1) / BINS, 0.0)
        canvas.rectangle(x + 1, y, end - x - 2, bottom - y, _BAR)
        canvas.text((x + end) / 2, bottom + 58, _short(int(counts[place])), size=10)
    ticks = round_ticks(0, 1)
    x_label = "confidence: probability of the most probable class"
    panel.draw_axes(x_label, "share that is right", x_ticks=ticks, y_ticks=ticks)
    canvas.text(_LEFT - 8, top + _HEIGHT + 58, "rows", size=10, anchor="end")
    canvas.line(panel.at(0.0, 0.0), panel.at(1.0, 1.0), PALE_INK, dashed=True)
    points = [(float(mean), float(share)) for mean, share in zip(means, shares, strict=True)]
    for mean, share in points:
        canvas.line(panel.at(mean, share), panel.at(mean, mean), VALIDATION_COLOUR, width=2)
    panel.draw_curve(means, shares, TRAIN_COLOUR, "share that is right")
    for mean, share in points:
        canvas.dot(*panel.at(mean, share), TRAIN_COLOUR)
    note = f"each bar is a {BINS}th of the confidences; orange: what its rows are off on average"
    canvas.text(_LEFT, top + _HEIGHT + 76, note, size=11, anchor="start", colour=INK)
    return canvas.finish(f"calibration: {title}; {rows.words()}")


def _the_point(bins: ConfidenceBins, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> str:
    """Return whether the probabilities are too sure, where most, and the expected calibration error.

    If they say the truth, the number of right rows has the variance ``sum(p * (1 - p))``.
    """
    gaps = bins.confidence[0] - bins.correct[0]  # how many right rows a bin lacks
    gap, chance = float(gaps.sum()), float(np.sqrt((confidence * (1 - confidence)).sum()))
    said, found = share_text(float(confidence.mean())), share_text(float(right.mean()))
    averages = f"{said} on average, and {_right(found)}"
    error = f"expected calibration error {share_text(float(bins.error[0]))}"
    if abs(gap) <= _SURE * chance + _ROUNDING:
        by_chance = ", a difference that chance can make" if said != found else ""
        return f"probabilities say {averages}{by_chance}; {error}"
    wrong, worst = ("too sure", np.argmax) if gap > 0 else ("not sure enough", np.argmin)
    point = f"probabilities are {wrong}: they say {averages}"
    if np.count_nonzero(bins.rows) > 1:
        most = int(worst(gaps))
        rows, correct, total = (float(each[0, most]) for each in bins)
        said, found = share_text(total / rows), share_text(correct / rows)
        point += f", above all where they say {said} and {_right(found)}"
    return f"{point}; {error}"


def _right(share: str) -> str:
    return {"1": "all are right", "0": "none is right"}.get(share, f"{share} are right")


def _short(count: int) -> str:
    """Return a count as text that fits below a bar."""
    return str(count) if count < 100_000 else f"{count / 1e6:.2f}M"


@PICTURES.register
class Calibration(RunPicture):
    """Whether the network is right as often as its probabilities say."""

    name: ClassVar[str] = "calibration"
    task: ClassVar[str | None] = "classification"
    files: ClassVar[tuple[str, ...]] = ("figures/calibration.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the validation part, else the test part."""
        parts = list(run.once(scored_parts).values())
        return draw_calibration(parts[0], title=run.title) if parts else None
