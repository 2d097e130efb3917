"""Predicted numbers that are no better than always saying the mean."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.diagnostics.advice import to_learn_at_all
from micrograde.diagnostics.baseline_of_numbers import is_no_better, root_mean_square
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.findings.patterned_residuals import patterns
from micrograde.diagnostics.kept_model import PredictedNumbers
from micrograde.diagnostics.wording import because

_CONSTANT = 0.02  # of the spread of the true numbers
_NAMED = 3


@FINDINGS.register
class NotBetterThanMean(Finding):
    """The kept model's errors are hardly smaller than those of always saying the training part's mean.

    On the validation part, or without one on the training part; of several numbers each is looked at. Neither
    the squared errors are smaller by 6 %, nor the absolute ones than by always saying the training part's
    median; nor by 2 % and more than chance can make.
    """

    name: ClassVar[str] = "not_better_than_mean"
    task: ClassVar[str | None] = "regression"
    place: ClassVar[int] = 81

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for each number, three at most."""
        kept = measured.of_kept_model
        if kept is None or "training" not in kept.numbers:
            return
        training = kept.numbers["training"]
        part = "validation" if "validation" in kept.numbers else "training"
        found, names = kept.numbers[part], measured.target_names
        with np.errstate(all="ignore"):  # numbers may overflow
            worse = [target for target in range(len(names)) if is_no_better(found, training, target)]
            for target in worse[:_NAMED]:
                of = f" of {quoted(names[target])}" if len(names) > 1 else ""
                scale = measured.target_scales[target]
                rmse = root_mean_square(found.residuals[:, target]) * scale
                baseline = root_mean_square(found.targets[:, target]) * scale
                constant = found.predicted[:, target].std() < _CONSTANT * found.targets[:, target].std()
                same = ", and nearly the same is predicted for each row" if constant else ""
                yield (
                    f"{part} rmse{of} {plain_number(rmse)}, "
                    f"always saying the training part's mean gives {plain_number(baseline)}"
                    + same
                    + self._why(measured, training, target)
                )

    def _why(self, measured: Measurements, training: PredictedNumbers, target: int) -> str:
        """Return a cause: it may have learned the training part, though."""
        if is_no_better(training, training, target):
            return to_learn_at_all(measured)
        squares = np.mean(training.residuals[:, target] ** 2)
        explained = 1 - squares / np.mean(training.targets[:, target] ** 2)
        if any(each.target == target for each in patterns(measured)):
            return because("probably", f"the columns say more of it than was learned (R² {explained:.2f})")
        cause = f"nothing was learned but the training rows (R² {explained:.2f})"
        return because("probably", f"{cause}: the columns may say nothing of the target")
