"""Training that was too short."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.advice import epochs
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, percent

_STILL_FALLING = 0.08  # share of the loss by which it fell in the last fifth of the epochs
_WORTH_MORE = 0.03  # of the loss of the same chance for each class
_EPOCHS_FOR_A_TREND = 10


@FINDINGS.register
class NotDone(Finding):
    """The losses of training and validation were still falling in the last fifth of the epochs."""

    name: ClassVar[str] = "not_done"
    place: ClassVar[int] = 95

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        loss = np.asarray(measured.history["train/loss"], float)
        validation = np.asarray(measured.history.get("val/loss", loss), float)
        last = len(loss) // 5
        if len(loss) < _EPOCHS_FOR_A_TREND or not np.isfinite([*loss, *validation]).all():
            return
        if measured.stopped_early:
            return
        fell = loss[-1 - last] - loss[-1]
        falls = fell > _STILL_FALLING * loss[-1 - last] and fell > _WORTH_MORE * measured.ignorant_loss
        if falls and validation[-last:].mean() < validation[-2 * last : -last].mean():
            share = percent(fell / loss[-1 - last])
            yield (
                f"not done yet: the last {last} epochs took {share} off the training loss, to {loss[-1]:.4g}"
                + because("probably", "more epochs would take more", *epochs(measured, 2))
            )
