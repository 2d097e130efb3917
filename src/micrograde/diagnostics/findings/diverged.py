"""A loss of numbers that is no longer finite."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.advice import learning_rate
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because

_SMALLER = 0.2  # times the learning rate
_UNBOUNDED = "mse"  # the loss whose gradient grows with the error


@FINDINGS.register
class Diverged(Finding):
    """The training loss of numbers was no longer finite, which ended the run."""

    name: ClassVar[str] = "diverged"
    task: ClassVar[str | None] = "regression"
    place: ClassVar[int] = 18
    needs_epochs: ClassVar[bool] = False

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield the step, and how to have smaller ones."""
        if measured.diverged_at is None:
            return
        said = f"the loss was not finite at step {measured.diverged_at}"
        smaller = learning_rate(measured, _SMALLER)
        if measured.config.get("loss.name") != _UNBOUNDED:
            yield said + because("probably", "the steps are too large", *smaller)
            return
        grows = f"the steps are too large, since the gradient of loss={_UNBOUNDED} grows with the error"
        also = f"; with {smaller[0]} they are smaller, too" if smaller else ""
        yield said + because("probably", grows + also, "loss=huber")
