"""A loss that starts too high."""

from collections.abc import Iterator
from math import isfinite, log
from typing import ClassVar

from micrograde.diagnostics.advice import large_scale
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements

_LARGE_START = 1.0  # nats above log(C); logits of unit variance, as batch norm makes them, are 0.5 above


@FINDINGS.register
class Start(Finding):
    """The initial loss is more than 1 above log(classes), which is that of the same chance for each class.

    Not where the logits are normalized: the scale of the initial weights then has no effect.
    """

    name: ClassVar[str] = "start"
    place: ClassVar[int] = 10
    needs_epochs: ClassVar[bool] = False

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        start, expected = measured.initial_loss, log(measured.classes)
        if isfinite(start) and start > expected + _LARGE_START and not measured.logits_normalized:
            yield (
                f"loss starts at {start:.2f}, log({measured.classes}) = {expected:.2f} expected"
                + large_scale(measured)
            )
