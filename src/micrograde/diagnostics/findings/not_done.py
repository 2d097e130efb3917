"""Training that was too short."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.advice import epochs
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, percent

_WORTH_MORE = 0.06  # of the loss without knowing anything
_OF_THE_LOSS = 0.1
_FIFTHS_AHEAD = 5  # as many epochs again
_EPOCHS_FOR_A_TREND = 10


@FINDINGS.register
class NotDone(Finding):
    """The losses fell in the last fifth of the epochs so much that as many epochs again are worth it.

    If the falls of both losses go on to shrink from fifth to fifth as they did last, as many epochs take off
    0.06 of what a loss is without knowing anything of a row, and a tenth of the validation loss.
    """

    name: ClassVar[str] = "not_done"
    place: ClassVar[int] = 95

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        training = np.asarray(measured.history["train/loss"], float)
        validation = np.asarray(measured.history.get("val/loss", training), float)
        if len(training) < _EPOCHS_FOR_A_TREND or not np.isfinite([*training, *validation]).all():
            return
        if measured.stopped_early:
            return
        part = "validation" if "val/loss" in measured.history else "training"
        last, now = len(validation) // 5, validation[-1]
        fell = validation[-1 - last] - now
        worth = max(_WORTH_MORE * measured.ignorant_loss, _OF_THE_LOSS * now)
        if fell > 0 and min(_expected_fall(training), _expected_fall(validation)) > worth:
            share = percent(fell / validation[-1 - last])
            yield (
                f"not done yet: the last {last} epochs took {share} "
                f"off the {part} loss, to {plain_number(now)}"
                + because("probably", "more epochs would take more", *epochs(measured, 2))
            )


def _expected_fall(loss: NDArray[np.float64]) -> float:
    """Return by how much a loss would fall in as many epochs again, by the means of its last three fifths."""
    fifth = len(loss) // 5
    before, then, now = loss[-3 * fifth :].reshape(3, fifth).mean(axis=1)
    fell, falls = before - then, then - now
    if falls <= 0:
        return 0.0
    shrinks = min(falls / fell, 1.0) if fell > 0 else 1.0
    return float(falls * sum(shrinks**ahead for ahead in range(1, _FIFTHS_AHEAD + 1)))
