"""Steps that are too large or too small."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.advice import USUAL_UPDATES, early_updates, learning_rate
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, layers, percent

_LARGE_UPDATES, _SMALL_UPDATES = -1.6, -4.0  # log10


@FINDINGS.register
class Updates(Finding):
    """A layer's median update ratio is above 10^-1.6, or that of every layer below 10^-4.

    In the first fifth of the epochs: later on little may be left to learn.
    """

    name: ClassVar[str] = "updates"
    place: ClassVar[int] = 70

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        medians = early_updates(measured)
        if not medians:
            return
        largest = max(medians.values())
        rate = learning_rate(measured, 10 ** (USUAL_UPDATES - largest))
        large = {layer: median for layer, median in medians.items() if median > _LARGE_UPDATES}
        if large:
            yield (
                f"at first each step changes the weights of {layers(large)} by {percent(10**largest)}, "
                "about 0.3 % is usual" + because("probably", "the learning rate is too large", *rate)
            )
        elif largest < _SMALL_UPDATES:
            yield (
                f"at first each step changes the weights of {layers(medians)} by {10**largest:.0e} of their "
                "size, about 3e-03 is usual" + because("probably", "the learning rate is too small", *rate)
            )
