"""The mean absolute error."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.errors_of_numbers import MetricOfNumbers, Numbers, mean_of_rows


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class MeanAbsoluteError(MetricOfNumbers):
    """The mean absolute error, in the unit of the target.

    Of several targets it is the mean of theirs, each of which is recorded, too, as ``mae/<target>``.
    """

    name: Literal["mae"] = "mae"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def of_targets(self, labels: Numbers, predicted: Numbers) -> FloatArray:
        """Return the mean absolute error of each target, (R, K)."""
        return mean_of_rows(np.abs(predicted - labels))
