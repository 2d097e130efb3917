"""The numbers that a run's network predicts for the rows of each part; pictures of them are drawn from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.drawing.run import RunContents
from micrograde.drawing.run.scored_rows import PART_NAMES, predicted_parts, words_of_part
from micrograde.drawing.style import TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas
from micrograde.drawing.text import text_width
from micrograde.metrics.errors_of_numbers import root_mean_square
from micrograde.metrics.r2 import RSquared
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.tasks.regression import Regression

PART_COLOURS = {"training": TRAIN_COLOUR, "validation": VALIDATION_COLOUR, "test": "#009E73"}
"""The colours of rows, by the part that they are in."""

_HUGE = 1e300
_DRAWN = 800  # rows of a part, at most


@dataclass(frozen=True)
class ScoredNumbers:
    """The n rows of a part for which K numbers are predicted.

    Attributes
    ----------
    part
        The part's name: ``training``, ``validation`` or ``test``.
    target_names
        The names of the numbers.
    labels, predicted
        The true numbers and the predicted ones in their own units, (n, K).
    means
        The means of the training part, (K,).
    numbers
        The numbers that the rows have in the source, (n,).
    places
        Their indices in the part, (n,).
    losses
        Each row's loss, in float64, of scaled numbers, (n,).
    not_finite
        How many further rows get no number, because the network's overflow for them.
    """

    part: str
    target_names: tuple[str, ...]
    labels: NDArray[np.float64]
    predicted: NDArray[np.float64]
    means: NDArray[np.float64]
    numbers: IntArray
    places: IntArray
    losses: NDArray[np.float64]
    not_finite: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def residuals(self) -> NDArray[np.float64]:
        """The true numbers less the predicted ones, (n, K)."""
        return self.labels - self.predicted

    def rmse(self) -> FloatArray:
        """Return the root mean squared error of each number, (K,)."""
        return root_mean_square(self.residuals)

    def baseline(self) -> FloatArray:
        """Return that of always saying the training part's mean, (K,)."""
        return root_mean_square(self.labels - self.means)

    def r2(self) -> FloatArray:
        """Return R squared of each number, (K,); NaN where all rows have one number."""
        stacked = self.predicted[np.newaxis]
        values: FloatArray = RSquared().compute(stacked, self.labels, stacked)[0]
        return values

    def words(self) -> str:
        """Return the part and the number of its rows, with those that are left out."""
        return words_of_part(self.part, len(self), self.not_finite, "without a finite number")

    def how_good(self, target: int) -> str:
        """Return the error of one number, beside that of always saying the mean: true of these rows."""
        rmse, baseline, r2 = (float(each[target]) for each in (self.rmse(), self.baseline(), self.r2()))
        explained = f", R² {r2:.3f}" if np.isfinite(r2) else ""
        name = quoted(self.target_names[target])
        always = f"always saying the training part's mean gives {plain_number(baseline)}"
        return f"rmse of {name} {plain_number(rmse)}{explained}; {always}"


def scored_numbers(run: RunContents) -> Mapping[str, ScoredNumbers]:
    """Return the parts by their names in the records, the one that pictures show first; ask by ``run.once``.

    As ``scored_parts``, which is of classes. Empty if the run did not finish, or its task is another.
    """
    found: dict[str, ScoredNumbers] = {}
    if not isinstance(run.task, Regression):
        return found
    for part, of_part, logits, predicted, losses in predicted_parts(run):
        with np.errstate(all="ignore"):  # rows may overflow
            places = np.flatnonzero((np.abs(predicted) < _HUGE).all(axis=-1))
        if places.size:
            found[part] = ScoredNumbers(
                PART_NAMES[part],
                run.task.target_names,
                np.asarray(of_part.labels, np.float64)[places],
                predicted[places],
                run.task.scaling.means,
                run.rows[part][places],
                places,
                losses[places],
                len(logits) - len(places),
            )
    return found


def shown_targets(scored: ScoredNumbers, most: int) -> list[int]:
    """Return the numbers that a picture has room for, in their order: the ones with the least R squared."""
    r2 = np.nan_to_num(scored.r2(), nan=-np.inf)
    return sorted(np.argsort(r2, kind="stable")[:most].tolist())


def of_several(scored: ScoredNumbers, shown: Sequence[int]) -> str:
    """Return how good the predictions of several numbers are: the best and the worst by R squared."""
    r2 = scored.r2()
    if len(r2) == 1:
        return scored.how_good(0)
    left = f" (the {len(shown)} of {len(r2)} with the least R² are drawn)" if len(shown) < len(r2) else ""
    if not np.isfinite(r2).any():
        return f"{len(r2)} numbers, each the same in all rows{left}"
    best, worst = int(np.nanargmax(r2)), int(np.nanargmin(r2))
    said = [
        f"{quoted(scored.target_names[each])} R² {r2[each]:.3f}, rmse {plain_number(scored.rmse()[each])}"
        for each in (best, worst)
    ]
    if best == worst:
        return f"{said[0]}{left}"
    return f"best predicted is {said[0]}; worst {said[1]}{left}"


def some_places(count: int) -> NDArray[np.intp]:
    """Return the indices of the rows that are drawn: all, or of very many some, the same each time."""
    if count <= _DRAWN:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, _DRAWN, replace=False))


def draw_part_key(canvas: Canvas, y: float, parts: Mapping[str, ScoredNumbers]) -> None:
    """Write which colour is which part, with the rows that are drawn if these are not all."""
    x = 26.0
    for scored in parts.values():
        text = f"{scored.part}" + (f" ({_DRAWN} of {len(scored)} rows)" if len(scored) > _DRAWN else "")
        canvas.dots(np.array([[x, y]]), PART_COLOURS[scored.part], diameter=9)
        canvas.text(x + 10, y + 4, text, anchor="start")
        x += text_width(text, 12) + 36
