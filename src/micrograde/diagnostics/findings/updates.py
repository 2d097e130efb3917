"""Steps that are too large or too small."""

from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

from micrograde.diagnostics.advice import USUAL_UPDATES, early_updates, late_updates, learning_rate
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, layers, percent

_LARGE_AND_LASTING = (-1.6, -2.0)  # log10, in the first fifth of the epochs and in their second half
_FEWEST_EPOCHS = 5  # with fewer, nothing has lasted
_JUMP = 3.5  # times the loss before training
_SMALL = -4.0
_SMALLER, _SMALLER_AFTER_A_JUMP = 0.2, 0.02  # times the learning rate, at most


@FINDINGS.register
class Updates(Finding):
    """Update ratios are large and stay so, or the training loss jumped up; or those of all layers are small.

    Medians: above 10^-1.6 in the first fifth of the epochs and above 10^-2 in their second half, or below
    10^-4 in the first fifth. A jump: an epoch in the first fifth had 3.5 times the training loss from before.
    """

    name: ClassVar[str] = "updates"
    place: ClassVar[int] = 70

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        early, late = early_updates(measured), late_updates(measured)
        if not early or early.keys() != late.keys() or len(measured.history["train/loss"]) < _FEWEST_EPOCHS:
            return
        first, second = _LARGE_AND_LASTING
        large = {layer: late[layer] for layer in early if early[layer] > first and late[layer] > second}
        before, highest = self._jump(measured)
        largest = max((large or early).values())
        factor = 10 ** (USUAL_UPDATES - largest)
        if large:
            rate = learning_rate(measured, min(factor, _SMALLER))
            yield (
                f"each step changes the weights of {layers(large)} by {percent(10**largest)}, "
                "about 0.3 % is usual" + because("probably", "the learning rate is too large", *rate)
            )
        elif isfinite(before) and highest > _JUMP * before:
            rate = learning_rate(measured, _SMALLER_AFTER_A_JUMP)
            yield (
                f"the training loss jumped from {measured.initial_loss:.4g} to {highest:.4g}"
                + because("probably", "the learning rate is too large", *rate)
            )
        elif largest < _SMALL:
            rate = learning_rate(measured, factor)
            yield (
                f"each step changes the weights of {layers(early)} by {10**largest:.0e} of their size, "
                "about 3e-03 is usual" + because("probably", "the learning rate is too small", *rate)
            )

    def _jump(self, measured: Measurements) -> tuple[float, float]:
        """Return the loss before training, and the highest of the epochs in the first fifth."""
        losses, before = measured.history["train/loss"], max(measured.initial_loss, measured.ignorant_loss)
        return before, max(losses[: max(1, len(losses) // 5)])
