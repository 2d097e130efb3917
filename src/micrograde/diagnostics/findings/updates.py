"""Steps that are too large or too small."""

from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.advice import USUAL_UPDATES, early_updates, late_updates, learning_rate
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, layers, percent

_LARGE_AND_LASTING = (-1.6, -2.0)  # log10, in the first fifth of the epochs and in their second half
_FEWEST_EPOCHS = 5  # with fewer, nothing has lasted
_JUMP = 2.5  # times the loss before training
_JUMP_BESIDE_DEAD_UNITS = 1.1  # the two together are a sign
_MUCH_DEAD = 0.2
_SMALL = -4.0
_SMALLER, _SMALLER_AFTER_A_JUMP = 0.1, 0.02  # times the learning rate, at most


@FINDINGS.register
class Updates(Finding):
    """Update ratios are large and stay so, or the training loss jumped up; or those of all layers are small.

    Medians: above 10^-1.6 in the first fifth of the epochs and above 10^-2 in their second half, or below
    10^-4 in the first fifth. A jump: an epoch in the first fifth had 2.5 times the training loss from before,
    or 1.1 times if more than a fifth of a layer's units are dead now.
    """

    name: ClassVar[str] = "updates"
    place: ClassVar[int] = 70

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        early, late = early_updates(measured), late_updates(measured)
        if len(measured.history["train/loss"]) < _FEWEST_EPOCHS:
            return
        first, second = _LARGE_AND_LASTING
        large = {
            layer: late[layer] for layer in early if early[layer] > first and late.get(layer, second) > second
        }
        before, highest = self._jump(measured)
        largest = max((large or early).values(), default=USUAL_UPDATES)
        factor = 10 ** (USUAL_UPDATES - largest)
        if large:
            rate = learning_rate(measured, min(factor, _SMALLER))
            yield (
                f"each step changes the weights of {layers(large)} by {percent(10**largest)}, "
                "about 0.3 % is usual" + because("probably", "the learning rate is too large", *rate)
            )
        elif isfinite(before) and highest > (_JUMP_BESIDE_DEAD_UNITS if _dead(measured) else _JUMP) * before:
            rate = learning_rate(measured, _SMALLER_AFTER_A_JUMP)
            yield (
                "the training loss jumped from "
                f"{plain_number(measured.initial_loss + 0.0)} to {plain_number(highest)}"
                + because("probably", "the learning rate is too large", *rate)
            )
        elif largest < _SMALL:
            rate = learning_rate(measured, factor)
            yield (
                f"each step changes the weights of {layers(early)} "
                f"by {plain_number(10**largest, 1)} of their size, "
                "about 0.003 is usual" + because("probably", "the learning rate is too small", *rate)
            )

    def _jump(self, measured: Measurements) -> tuple[float, float]:
        """Return the loss before training, and the highest of the epochs in the first fifth."""
        losses, before = measured.history["train/loss"], max(measured.initial_loss, measured.ignorant_loss)
        return before, max(losses[: max(1, len(losses) // 5)])


def _dead(measured: Measurements) -> bool:
    kept = measured.of_kept_model
    return kept is not None and measured.activation.saturation == "units" and max(kept.saturated) > _MUCH_DEAD
