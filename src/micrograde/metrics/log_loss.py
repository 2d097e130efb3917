"""Log loss."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.metrics import METRICS, FloatArray, Labels, Metric
from micrograde.metrics.probabilities import probabilities

_EPSILON = float(np.finfo(np.float64).eps)


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class LogLoss(Metric):
    """The mean of minus the logarithm of the true class's probability, which is kept 2.2e-16 off 0 and 1.

    Scikit-learn does so, too; a row adds 36.04 at most. The loss, ``val/loss``, has no such limit, and is
    computed in the network's own dtype.
    """

    name: Literal["log_loss"] = "log_loss"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the mean over the rows, (R,); NaN if a row has no class."""
        found = probabilities(logits)
        rows = np.broadcast_to(labels, predicted.shape)[..., np.newaxis]
        of_label = np.ascontiguousarray(np.take_along_axis(found, rows, axis=-1)[..., 0])
        mean: FloatArray = -np.log(of_label.clip(_EPSILON, 1 - _EPSILON)).mean(axis=-1)
        return mean
