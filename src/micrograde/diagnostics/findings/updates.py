"""Steps that are too large or too small."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import layers, percent

_LARGE_UPDATES, _SMALL_UPDATES = -1.5, -4.5  # log10; about -3 is usual


@FINDINGS.register
class Updates(Finding):
    """A layer's median update ratio is above 10^-1.5 or below 10^-4.5."""

    name: ClassVar[str] = "updates"
    place: ClassVar[int] = 70

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        medians = {
            layer: float(np.median(each)) for layer, each in measured.of_layers("update_ratio").items()
        }
        large = {layer: median for layer, median in medians.items() if median > _LARGE_UPDATES}
        small = {layer: median for layer, median in medians.items() if median < _SMALL_UPDATES}
        if large:
            yield (
                f"each step changes the weights of {layers(large)} by {percent(10 ** max(large.values()))}; "
                "about 0.1 % is usual: learning rate too large"
            )
        if small:
            yield (
                f"each step changes the weights of {layers(small)} by {10 ** min(small.values()):.0e} "
                "of their size; about 1e-03 is usual: learning rate too small, or gradients too weak"
            )
