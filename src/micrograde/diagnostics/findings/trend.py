"""Training that was too long or too short."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import percent

_STILL_FALLING = 0.15  # share of the loss by which it fell in the last fifth of the epochs
_OVERFITTED = 1.1  # the last validation loss divided by the lowest
_EPOCHS_FOR_A_TREND = 10


@FINDINGS.register
class Trend(Finding):
    """Training was too long (overfitting) or too short (a loss that is still falling)."""

    name: ClassVar[str] = "trend"
    place: ClassVar[int] = 90

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        loss = np.asarray(measured.history["train/loss"], float)
        validation = np.asarray(measured.history.get("val/loss", loss), float)
        epochs = len(loss)
        if epochs < _EPOCHS_FOR_A_TREND or not np.isfinite([*loss, *validation]).all():
            return
        best = int(validation.argmin())
        if measured.early_stopping:
            return
        if best < 0.8 * epochs and validation[-1] > _OVERFITTED * validation[best] > 0:
            yield (
                f"overfitting: validation loss was lowest after epoch {best + 1} ({validation[best]:.4g}) "
                f"and ended at {validation[-1]:.4g}; "
                "training.early_stopping.enabled=true keeps the best weights"
            )
            return
        before = loss[-1 - epochs // 5]
        if loss[-1] < (1 - _STILL_FALLING) * before:
            yield (
                f"not done yet: the last {epochs // 5} epochs took {percent(1 - loss[-1] / before)} off the "
                "training loss; more epochs would take more"
            )
