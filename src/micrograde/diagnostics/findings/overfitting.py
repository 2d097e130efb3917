"""Training that was too long."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because

_OVERFITTED = 1.1  # the last validation loss divided by the lowest
_MUCH = 0.05  # of the loss of the same chance for each class
_EPOCHS_FOR_A_TREND = 10


@FINDINGS.register
class Overfitting(Finding):
    """The last weights are kept, and validation loss ended well above its lowest value."""

    name: ClassVar[str] = "overfitting"
    place: ClassVar[int] = 90

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        loss = np.asarray(measured.history["train/loss"], float)
        validation = np.asarray(measured.history.get("val/loss", []), float)
        epochs = len(loss)
        if (
            epochs < _EPOCHS_FOR_A_TREND
            or len(validation) < epochs
            or not np.isfinite([*loss, *validation]).all()
        ):
            return
        if measured.early_stopping or measured.config.get("training.keep") == "best":
            return
        best, ended = int(validation.argmin()), float(np.median(validation[-(epochs // 5) :]))
        risen = ended - validation[best]
        if best < 0.8 * epochs and risen > max(
            (_OVERFITTED - 1) * validation[best], _MUCH * measured.ignorant_loss
        ):
            yield (
                "overfitting: validation loss was lowest after "
                f"epoch {best + 1} ({plain_number(validation[best])}) "
                f"and ended at {plain_number(validation[-1])}"
                + because("probably", "the best weights came earlier", "training.early_stopping.enabled=true")
            )
