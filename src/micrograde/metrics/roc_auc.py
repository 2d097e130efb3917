"""The area under the ROC curve."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import METRICS, FloatArray, Labels, Metric
from micrograde.metrics.confusion import mean_of_defined
from micrograde.metrics.probabilities import probabilities


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class RocAuc(Metric):
    """The area under the ROC curve: how often a row of a class has a greater probability of it than another.

    Of two classes it is the second's, which is the first's, too; of more the mean over the classes, each
    against the rest, without those that have no rows.
    """

    name: Literal["roc_auc"] = "roc_auc"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"
    needs: ClassVar[str] = "rows of two classes"

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the area, (R,); NaN if a row has no class, or if all rows are of one."""
        found, rows = probabilities(logits), np.broadcast_to(labels, predicted.shape)
        classes = (1,) if found.shape[-1] == 2 else range(found.shape[-1])
        areas = [area_under_curve(found[..., each], rows == each) for each in classes]
        mean = mean_of_defined(np.stack(areas, axis=-1))
        return np.where(np.isnan(found[..., 0]).any(axis=-1), np.nan, mean)


def area_under_curve(scores: FloatArray, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the area under the ROC curve of scores (R, N), (R,); NaN unless there are rows of both kinds.

    It is the share of pairs of a positive row and another in which the positive one has the greater score,
    equal scores counting half (Mann & Whitney 1947), and is computed from the ranks of the scores.
    """
    order = np.argsort(scores, axis=-1)
    in_order = np.take_along_axis(scores, order, axis=-1)
    places = np.arange(scores.shape[-1])
    starts = np.empty(scores.shape, np.bool_)  # of a run of equal scores
    starts[..., :1] = True
    np.not_equal(in_order[..., 1:], in_order[..., :-1], out=starts[..., 1:])
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    ends = np.roll(starts, -1, axis=-1)
    last = np.minimum.accumulate(np.where(ends, places, places[-1:])[..., ::-1], axis=-1)[..., ::-1]
    ones = np.take_along_axis(positive, order, axis=-1)
    count = np.count_nonzero(positive, axis=-1)
    twice_sum = np.where(ones, first + last, 0).sum(axis=-1)  # of the ranks, counted from 0
    pairs = count * (scores.shape[-1] - count)
    area = np.full(len(scores), np.nan)
    np.divide(twice_sum - count * (count - 1), 2 * pairs, out=area, where=pairs > 0)
    return area
