"""The metric ``missed_last``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import METRICS, Outputs, ShareOfRows


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class MissedLast(ShareOfRows):
    """The fraction of all rows that are of the last class and predicted as another."""

    name: Literal["missed_last"] = "missed_last"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def holds(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Return which rows are missed, (R, N)."""
        last = outputs.logits.shape[-1] - 1
        missed: NDArray[np.bool_] = ~outputs.correct & (outputs.labels == last)
        return missed
