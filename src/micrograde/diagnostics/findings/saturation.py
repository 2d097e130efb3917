"""Saturated layers and dead units."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.advice import (
    USUAL_UPDATES,
    early_updates,
    large_scale,
    learning_rate,
)
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, percent

_MUCH_DEAD = 0.2
_MUCH_AT_START = 0.2
_MUCH_GROWN = 0.6  # units that separate classes well are saturated for most rows


@FINDINGS.register
class Saturation(Finding):
    """Many values of a layer are saturated, or units dead, in the kept model on the training rows.

    A fifth of the values from the start, or three fifths if the weights have grown; a fifth of the units.
    """

    name: ClassVar[str] = "saturation"
    place: ClassVar[int] = 40

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        if measured.of_kept_model is None:
            return
        for index, share in enumerate(measured.of_kept_model.saturated):
            if str(index + 1) in measured.frozen:
                continue
            layer, now = f"layer {index + 1}", percent(share)
            at_start = measured.saturated_at_start[index : index + 1]
            if measured.activation.saturation == "units":
                if share > _MUCH_DEAD:
                    yield (
                        f"{layer}: {now} of its units are dead, 0 for every training row"
                        + because("probably", "steps were too large", "model.activation=leaky_relu")
                    )
            elif at_start and at_start[0] > _MUCH_AT_START:
                if share > _MUCH_AT_START:
                    yield (
                        f"{layer}: {now} saturated, {percent(at_start[0])} before training"
                        + _why_from_the_start(measured)
                    )
            elif share > _MUCH_GROWN:
                slow = max(early_updates(measured).values(), default=0.0) < USUAL_UPDATES
                typed = ("optimizer.weight_decay=0.01",) if slow else learning_rate(measured, 0.03)
                yield f"{layer}: {now} saturated" + because("probably", "its weights have grown", *typed)


def _why_from_the_start(measured: Measurements) -> str:
    if measured.config.get("model.init_from"):
        return because("certainly", "the network began with weights of another run")
    return large_scale(measured)
