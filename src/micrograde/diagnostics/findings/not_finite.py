"""A validation loss that is not finite, and its effect on early stopping."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because


@FINDINGS.register
class NotFinite(Finding):
    """The validation loss is NaN or infinite after some epochs, though the training loss is not."""

    name: ClassVar[str] = "not_finite"
    place: ClassVar[int] = 20

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        validation = np.asarray(measured.history.get("val/loss", []), float)
        wrong = ~np.isfinite(validation)
        if wrong.any() and np.isfinite(measured.history["train/loss"]).all():
            first = int(wrong.argmax()) + 1
            when = f"after {np.count_nonzero(wrong)} of {len(wrong)} epochs, first after epoch {first}"
            if wrong.all():
                when = "after any epoch"
            elif wrong[first - 1 :].all():
                when = f"from epoch {first} on"
            sentence = f"validation loss is not finite {when}"
            if measured.early_stopping and measured.stopping_metric == "val/loss":
                sentence += (
                    "; early stopping had nothing to go by, and the last weights are kept"
                    if wrong.all()
                    else "; early stopping kept the best weights of the epochs in which it was"
                )
            far = "some of its rows have values far beyond those trained on"
            wider = ("training.dtype=float64",) if measured.config.get("training.dtype") == "float32" else ()
            yield sentence + because("probably", far, *wider)
