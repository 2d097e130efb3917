"""Saturated layers and dead units."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import percent

_MUCH_SATURATED = 0.2


@FINDINGS.register
class Saturation(Finding):
    """More than a fifth of a layer's values are saturated, or of its units dead, after the last epoch."""

    name: ClassVar[str] = "saturation"
    place: ClassVar[int] = 40

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        for layer, shares in measured.of_layers("activation", ".saturated").items():
            if shares[-1] <= _MUCH_SATURATED:
                continue
            now = percent(shares[-1])
            if measured.activation.saturation == "units":
                yield f"layer {layer}: {now} of its units are dead, 0 for every row of a batch"
            elif shares[0] > _MUCH_SATURATED:
                yield f"layer {layer}: {now} saturated from the start: initial scale too large"
            else:
                yield (
                    f"layer {layer}: {now} saturated, {percent(shares[0])} after epoch 1: "
                    "its weights have grown; a smaller learning rate or weight decay would hold them"
                )
