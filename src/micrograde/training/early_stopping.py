"""Stop training when a validation metric no longer improves, and keep the weights at which it was best.

A metric that is not finite, because the network's numbers overflow for some row, is no improvement. As long
as the metric of a replica has never been finite, its last finite weights are kept, since the initial ones
have learned nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import lower_is_better
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class EarlyStopping:
    """Training ends after ``patience`` epochs in which ``metric`` has not improved by over ``min_delta``.

    Which of two values is better the metric says; of losses it is the lower. If ``finite_alone`` is
    False, the rule of recipes of version 1, the initial weights are kept until the metric is finite.
    """

    metric: str = "val/loss"
    patience: int = 10
    min_delta: float = 0.0
    finite_alone: bool = True


class BestWeights:
    """Keeps each replica's weights and running statistics from its best epoch.

    Attributes
    ----------
    lowest, epochs
        (R,): the best value of the metric, negated if higher is better, and its epoch. Infinity and 0 as
        long as the metric has not been finite.
    parameters, statistics
        (R, P) and (R, S).
    """

    def __init__(self, model: MLP, rule: EarlyStopping) -> None:
        self._rule = rule
        replicas = len(model.parameters)
        self._sign = 1.0 if lower_is_better(rule.metric) else -1.0
        self.lowest = np.full(replicas, np.inf)
        self.epochs = np.zeros(replicas, dtype=np.int64)
        self.parameters, self.statistics = model.parameters.copy(), model.statistics.copy()

    def update(self, epoch: int, values: FloatArray, model: MLP) -> NDArray[np.bool_]:
        """Take in the metric (R,) after ``epoch``; return which replicas should stop, (R,)."""
        signed = self._sign * np.asarray(values, np.float64)
        better = signed < self.lowest - self._rule.min_delta
        if self._rule.finite_alone:
            better &= np.isfinite(signed)
        self.lowest[better] = signed[better]
        self.epochs[better] = epoch
        kept, unknown = better, np.isinf(self.lowest)
        if self._rule.finite_alone and unknown.any():  # being finite is all that is known of its weights
            kept = better | (unknown & _all_finite(model.parameters) & _all_finite(model.statistics))
        self.parameters[kept] = model.parameters[kept]
        self.statistics[kept] = model.statistics[kept]
        return self.out_of_patience(epoch)

    def out_of_patience(self, epoch: int) -> NDArray[np.bool_]:
        """Return which replicas have not improved for ``patience`` epochs, (R,)."""
        return np.asarray(epoch - self.epochs >= self._rule.patience)

    def restore(self, row: int, model: MLP) -> None:
        """Copy a replica's best weights and statistics back into the network."""
        model.parameters[row], model.statistics[row] = self.parameters[row], self.statistics[row]

    def keep_replicas(self, rows: IntArray) -> None:
        """Keep only the replicas in these rows of the stack."""
        self.lowest, self.epochs = self.lowest[rows], self.epochs[rows]
        self.parameters, self.statistics = self.parameters[rows], self.statistics[rows]


def _all_finite(buffer: FloatArray) -> NDArray[np.bool_]:
    """Return which replicas' numbers (R, P) are all finite, (R,)."""
    return np.asarray(np.isfinite(buffer).all(axis=-1))
