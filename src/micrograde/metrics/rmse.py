"""The root mean squared error."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from micrograde.metrics import METRICS, FloatArray
from micrograde.metrics.errors_of_numbers import MetricOfNumbers, Numbers, root_mean_square


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class RootMeanSquaredError(MetricOfNumbers):
    """The root of the mean squared error, in the unit of the target.

    Of several targets it is the mean of theirs, each of which is recorded, too, as ``rmse/<target>``.
    """

    name: Literal["rmse"] = "rmse"
    ranks: ClassVar[bool] = True
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def of_targets(self, labels: Numbers, predicted: Numbers) -> FloatArray:
        """Return the root of the mean squared error of each target, (R, K)."""
        return root_mean_square(predicted - labels)
