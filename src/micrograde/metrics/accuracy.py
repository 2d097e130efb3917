"""Accuracy."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import METRICS, Outputs, ShareOfRows


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class Accuracy(ShareOfRows):
    """The fraction of rows that are predicted as they should be; a row of no class is wrong."""

    name: Literal["accuracy"] = "accuracy"
    ranks: ClassVar[bool] = True
    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def holds(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Return which rows are correct, (R, N)."""
        return outputs.correct
