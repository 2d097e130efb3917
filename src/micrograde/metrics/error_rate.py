"""Error rate."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import METRICS, Outputs, ShareOfRows


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class ErrorRate(ShareOfRows):
    """The fraction of rows that are predicted wrongly: 1 minus the accuracy."""

    name: Literal["error_rate"] = "error_rate"
    direction: ClassVar[Literal["higher", "lower"]] = "lower"

    def holds(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Return which rows are wrong, (R, N)."""
        return ~outputs.correct
