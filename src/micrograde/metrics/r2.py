"""The coefficient of determination."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.errors_of_numbers import MetricOfNumbers, Numbers, mean_of_rows, root_mean_square


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class RSquared(MetricOfNumbers):
    """The share of the target's variance that is predicted: 1 is perfect, 0 as good as the part's own mean.

    It is ``1 - sum(error**2) / sum((target - mean)**2)``, and below 0 for predictions worse than the mean. Of
    several targets it is the mean of theirs, each of which is recorded, too, as ``r2/<target>``.
    """

    name: Literal["r2"] = "r2"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"
    format: ClassVar[str] = ".4f"
    needs: ClassVar[str] = "two different numbers"

    def of_targets(self, labels: Numbers, predicted: Numbers) -> FloatArray:
        """Return R squared of each target, (R, K); NaN where all rows have one number."""
        rows = np.broadcast_to(labels, predicted.shape)
        spread = root_mean_square(rows - mean_of_rows(rows)[..., np.newaxis, :])
        constant = (rows == rows[..., :1, :]).all(axis=-2)
        share = root_mean_square(predicted - labels) / np.where(constant, np.nan, spread)
        return 1 - share * share
