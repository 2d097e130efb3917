"""Gradients that vanish or explode."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because

_VANISHING = 100.0  # times smaller from one end of the network to the other


@FINDINGS.register
class Vanishing(Finding):
    """The medians of the gradients' norms of the first and the last layer differ more than 100 times.

    In the first fifth of the epochs: later on little may be left to learn.
    Not where layers are normalized: a gradient is then the smaller, the larger the weights are.
    """

    name: ClassVar[str] = "vanishing"
    place: ClassVar[int] = 60

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        of_layers = measured.of_layers("gradient_norm", ".weights")
        norms = {layer: float(np.median(each[: max(1, len(each) // 5)])) for layer, each in of_layers.items()}
        if len(norms) < 2 or measured.normalization:
            return
        first, *_, last = norms.values()
        ends = f"in layer {next(iter(norms))} than in layer {next(reversed(norms))}"
        cause = because("probably", "the layers between scale them", "model.batch_norm=true")
        if first and last / first > _VANISHING:
            yield f"gradients vanish: {last / first:.3g} times smaller {ends}{cause}"
        if last and first / last > _VANISHING:
            yield f"gradients explode: {first / last:.3g} times larger {ends}{cause}"
