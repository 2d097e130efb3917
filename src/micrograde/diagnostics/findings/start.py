"""A loss that starts too high."""

from collections.abc import Iterator
from math import isfinite, log
from typing import ClassVar

from micrograde.diagnostics.advice import large_scale, number
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements

_LARGE_START = 1.0  # nats above log(C); logits of unit variance, as batch norm makes them, are 0.5 above
_LARGE_BY_CHANCE = 2.0  # of weights that have not been enlarged


@FINDINGS.register
class Start(Finding):
    """The initial loss is far above log(classes), which is that of the same chance for each class.

    By more than 1 if the initial scale is above 1; else by more than 2, as some is by chance.

    Not where the logits are normalized: the scale of the initial weights then has no effect. Nor where the
    network begins with the weights of another run, which has learned something else.
    """

    name: ClassVar[str] = "start"
    task: ClassVar[str | None] = "classification"
    place: ClassVar[int] = 10
    needs_epochs: ClassVar[bool] = False

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        start, expected = measured.initial_loss, log(measured.classes)
        if measured.config.get("model.init_from"):  # it is the other run's weights that are large
            return
        enlarged = (number(measured, "model.initial_scale") or 1) > 1
        much = _LARGE_START if enlarged else _LARGE_BY_CHANCE
        if isfinite(start) and start > expected + much and not measured.logits_normalized:
            yield (
                f"loss starts at {start:.2f}, log({measured.classes}) = {expected:.2f} expected"
                + large_scale(measured)
            )
