"""Gradients that vanish or explode."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because

_MUCH = 100.0  # times smaller or larger


@FINDINGS.register
class Vanishing(Finding):
    """The first layer's gradient is over 100 times smaller than the last one's, or one is as much larger.

    By the medians of their norms in the first fifth of the epochs, as later on little may be left to learn;
    or by their greatest norms, as a gradient that explodes saturates layers, which then pass little on.
    Not where layers are normalized: a gradient is then the smaller, the larger the weights are.
    """

    name: ClassVar[str] = "vanishing"
    place: ClassVar[int] = 60

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        of_layers = measured.of_layers("gradient_norm", ".weights")
        early = {layer: each[: max(1, len(each) // 5)] for layer, each in of_layers.items()}
        if len(early) < 2 or measured.normalization:
            return
        (first, *_), end = early, next(reversed(early))
        usual = {layer: float(np.median(each)) for layer, each in early.items()}
        largest = {layer: float(each.max()) for layer, each in early.items()}
        peak = max(largest, key=largest.__getitem__)
        cause = because("probably", "the layers between scale them", "model.batch_norm=true")
        if largest[end] and (times := largest[peak] / largest[end]) > _MUCH:
            yield (
                f"gradients explode: {plain_number(times, 3)} times "
                f"larger in layer {peak} than in layer {end}{cause}"
            )
        elif usual[first] and (times := usual[end] / usual[first]) > _MUCH:
            yield (
                f"gradients vanish: {plain_number(times, 3)} times "
                f"smaller in layer {first} than in layer {end}{cause}"
            )
