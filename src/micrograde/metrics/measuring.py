"""Measure many metrics of the same rows at once, by the names that they are recorded by."""

from collections.abc import Iterable, Sequence

import numpy as np

from micrograde.metrics import METRICS, FloatArray, Metric, Outputs
from micrograde.metrics.class_names import recorded_class_names

MOST_CLASSES = 100
"""Of more classes the end of a run measures no value for each: they would be most of what is recorded."""


def metrics_of_task(task: str, classes: int) -> tuple[Metric, ...]:
    """Return all entries for a task, by its name: what is measured at the end of a run besides the loss.

    Those with a value for each class are left out if there are more than ``MOST_CLASSES``.
    """
    entries = [METRICS[name](name=name) for name in METRICS]
    of_task = [each for each in entries if each.task == task]
    return tuple(each for each in of_task if classes <= MOST_CLASSES or not each.per_class)


def measure_outputs(
    outputs: Outputs, metrics: Iterable[Metric], part_names: Sequence[str] = ()
) -> dict[str, FloatArray]:
    """Return the value of each metric for all rows of ``outputs``, by its recorded name, (R,) each.

    Parameters
    ----------
    part_names
        Names of the classes or targets, for metrics that have a value for each; see ``named``.
    """
    found: dict[str, FloatArray] = {}
    for each in metrics:
        values = each.compute(outputs.logits, outputs.labels, outputs.predicted)
        found |= named(each, values, part_names)
    return found


def named(metric: Metric, values: FloatArray, part_names: Sequence[str] = ()) -> dict[str, FloatArray]:
    """Return a metric's values, (R,) or (R, C), by their recorded names, (R,) each.

    For a metric of each class that is ``recall/spam``, see ``recorded_class_names``; without names of classes
    their numbers. For one of each target it is the mean, and of several targets each, too.
    """
    if values.ndim == 1:
        return {metric.name: values}
    of_each = values.T
    if metric.per_target:  # one target after the other: NumPy's order depends on the other axes
        whole = of_each[0].copy()
        for other in of_each[1:]:
            whole += other
        whole /= len(of_each)
        of_each = np.stack([whole, *(of_each if len(of_each) > 1 else ())])
    names = recorded_names(metric, part_names or [str(number) for number in range(values.shape[-1])])
    return dict(zip(names, of_each, strict=True))


def recorded_names(metric: Metric, part_names: Sequence[str]) -> list[str]:
    """Return the names that a metric's values are recorded by, after the part's: one, or one a class."""
    if not (metric.per_class or metric.per_target):
        return [metric.name]
    of_each = [f"{metric.name}/{name}" for name in recorded_class_names(part_names)]
    if metric.per_class:
        return of_each
    return [metric.name, *(of_each if len(of_each) > 1 else ())]
