"""A metric that the data or the predictions leave undefined."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because
from micrograde.metrics import metric_of


@FINDINGS.register
class UndefinedMetric(Finding):
    """A metric has no value (NaN) after the last epoch, or one that early stopping goes by after any.

    It is about metrics whose entry says what they need; where the loss is not finite, other findings say so.
    """

    name: ClassVar[str] = "undefined_metric"
    place: ClassVar[int] = 25

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield how often, and what the metric needs."""
        for metric, history in measured.history.items():
            entry, part = metric_of(metric), metric.partition("/")[0]
            losses = np.asarray(measured.history.get(f"{part}/loss", []), float)
            if entry is None or not entry.needs or len(losses) != len(history):
                continue
            undefined = np.isnan(np.asarray(history, float)) & np.isfinite(losses)
            watched = measured.early_stopping and metric == measured.stopping_metric
            if undefined.any() and (watched or undefined[-1]):
                sentence = f"{metric} has no value after {undefined.sum()} of {len(undefined)} epochs"
                if undefined.all():
                    sentence = f"{metric} has no value after any epoch"
                if watched:
                    sentence += (
                        "; early stopping had nothing to go by, and the last weights are kept"
                        if undefined.all()
                        else "; early stopping kept the best weights of the epochs in which it had one"
                    )
                yield sentence + because("certainly", f"it needs {entry.needs}")
