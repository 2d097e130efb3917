"""A loss that starts too high."""

from collections.abc import Iterator
from math import isfinite, log
from typing import ClassVar

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements

_LARGE_START = 1.0  # nats above log(C); logits of unit variance, as batch norm makes them, are 0.5 above


@FINDINGS.register
class Start(Finding):
    """The initial loss is more than 1 above log(classes), which is that of the same chance for each class."""

    name: ClassVar[str] = "start"
    place: ClassVar[int] = 10
    needs_epochs: ClassVar[bool] = False

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        expected = log(measured.classes)
        if isfinite(measured.initial_loss) and measured.initial_loss > expected + _LARGE_START:
            yield (
                f"loss starts at {measured.initial_loss:.2f}, log({measured.classes}) = {expected:.2f} "
                "expected: the initial scale is too large"
            )
