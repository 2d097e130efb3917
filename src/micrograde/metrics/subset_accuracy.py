"""The share of rows of which every label is right."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import METRICS, FloatArray, GivenOutputs, Labels, Outputs, ShareOfRows


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class SubsetAccuracy(ShareOfRows):
    """Of several labels a row, the fraction of rows of which all are right."""

    name: Literal["subset_accuracy"] = "subset_accuracy"
    task: ClassVar[str] = "multilabel"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the share of the rows, (R,)."""
        tally = self.tally(*predicted.shape[:2])
        tally.add(GivenOutputs(logits, labels, predicted))
        return tally.value()

    def holds(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Return which rows are right, (R, N)."""
        return np.asarray((outputs.predicted == outputs.labels).all(axis=-1))
