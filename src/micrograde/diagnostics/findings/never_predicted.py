"""Classes that the kept model never predicts."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.advice import epochs
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because
from micrograde.metrics.thresholds import threshold_text

_NAMED = 3
_RARE = 0.5  # of the rows that a class has on average


@FINDINGS.register
class NeverPredicted(Finding):
    """The kept model predicts a class of the training part for no row of that and of validation."""

    name: ClassVar[str] = "never_predicted"
    task: ClassVar[str | None] = "classification"
    place: ClassVar[int] = 82

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for all such classes."""
        if measured.of_kept_model is None:
            return
        confusion, rows = measured.of_kept_model.confusion, measured.class_counts["training"]
        parts = [confusion[part] for part in ("training", "validation") if part in confusion]
        never = np.flatnonzero((np.sum(parts, axis=(0, 1)) == 0) & (rows > 0))
        if not len(never):
            return
        named = ", ".join(f"{_name(measured, number)} ({rows[number]})" for number in never[:_NAMED].tolist())
        more = f" and {len(never) - _NAMED} more" if len(never) > _NAMED else ""
        threshold = measured.of_kept_model.threshold
        if threshold is None:
            why = _why(measured, bool(np.all(rows[never] < _RARE * rows.mean())))
        else:
            why = because("perhaps", f"the threshold {threshold_text(threshold)} is the cause")
        classes = "a class is" if len(never) == 1 else f"{len(never)} of {len(rows)} classes are"
        yield (f"{classes} never predicted: {named}{more}, with the number of training rows{why}")


def _name(measured: Measurements, number: int) -> str:
    return measured.class_names[number] if measured.class_names else str(number)


def _why(measured: Measurements, rare: bool) -> str:
    if rare and measured.config.get("training.class_weights", "") is None:
        return because("probably", "too rare to count", "training.class_weights=balanced")
    longer = () if measured.stopped_early else epochs(measured, 8)
    return because("perhaps", "training was too short", *longer)
