"""Biases that never move."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import layers


@FINDINGS.register
class CancelledBiases(Finding):
    """A layer's biases never had a gradient: batch norm subtracts what is added to all rows alike."""

    name: ClassVar[str] = "cancelled_biases"
    place: ClassVar[int] = 50

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        norms = measured.of_layers("gradient_norm", ".biases")
        still = [layer for layer, each in norms.items() if not each.any()]
        if still:
            yield f"the biases of {layers(still)} never move: batch norm cancels them"
