"""What a network of one or two features predicts over their range, along its training; pictures draw it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.function_over_epochs import function_over_epochs
from micrograde.diagnostics.points import some_rows
from micrograde.drawing.run import RunContents
from micrograde.metrics.errors_of_numbers import root_mean_square
from micrograde.tasks.regression import Regression

_RESOLUTION = 1e-9  # least distance of a picture's edges from the data, as a share of a feature's size
_ROWS = 4096  # of the training part, at most
_HUGE = 1e300


@dataclass(frozen=True)
class FittedValues:
    """The numbers that a network predicts at E epochs, and the training rows, all in their own units.

    Attributes
    ----------
    epochs
        E epochs; 0 is before the first step.
    axes
        For each of the one or two features its values, (G,), rising.
    values
        (E, G, K), or (E, G, G, K) with the second axis along the second feature; NaN where not finite.
    errors
        (E, K): the root mean squared error of the training rows.
    points, labels
        (n, 1 or 2) and (n, K): the training rows, of very many some.
    feature_names, target_names
        Of the features and of the K numbers.
    all_rows
        How many training rows there are.
    """

    epochs: Sequence[int]
    axes: tuple[NDArray[np.float64], ...]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    points: NDArray[np.float64]
    labels: NDArray[np.float64]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    all_rows: int

    def point(self, target: int) -> str:
        """Return a sentence: the error at the last epoch, and the least one."""
        error, count = self.errors[:, target], len(self.labels)
        rows = (
            f"{count} training rows"
            if count == self.all_rows
            else f"{count} of {self.all_rows} training rows"
        )
        said = f"after epoch {self.epochs[-1]}, the rmse on {rows} is {plain_number(error[-1])}"
        finite = np.where(np.isfinite(error), error, np.inf)
        best = int(np.argmin(finite))
        if finite[best] < finite[-1]:
            said += f"; the least was {plain_number(error[best])}, at epoch {self.epochs[best]}"
        return said


def fitted_values(run: RunContents) -> FittedValues | None:
    """Return what a run's network predicts along its trajectory; ask by ``run.once``.

    None unless numbers are predicted from one feature or two.
    """
    task, preprocessing = run.task, run.preprocessing
    if not isinstance(task, Regression):
        return None
    room = _RESOLUTION * np.abs(preprocessing.means) / preprocessing.scales
    rows = some_rows(run.training, _ROWS)
    found = function_over_epochs(run.model, run.trajectory, rows, room)
    if found is None:
        return None
    with np.errstate(all="ignore"):  # rows may overflow
        values, of_rows = task.predicted(found.logits), task.predicted(found.of_samples)
        labels = np.asarray(rows.labels, np.float64)
        errors = root_mean_square(of_rows - labels)
    axes = tuple(
        axis * scale + mean
        for axis, scale, mean in zip(found.grid.axes, preprocessing.scales, preprocessing.means, strict=True)
    )
    return FittedValues(
        found.epochs,
        axes,
        np.where(np.abs(values) < _HUGE, values, np.nan),
        np.where(np.isfinite(of_rows).all(axis=-2), errors, np.nan),
        rows.features * preprocessing.scales + preprocessing.means,
        labels,
        preprocessing.feature_names,
        task.target_names,
        len(run.training),
    )
