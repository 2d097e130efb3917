"""Stopping when a validation metric no longer improves, and keeping the weights it was best at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class EarlyStopping:
    """``patience`` epochs without an improvement by more than ``min_delta`` of ``metric`` end training.

    A metric whose name ends in loss is better when lower, any other when higher.
    """

    metric: str = "val/loss"
    patience: int = 10
    min_delta: float = 0.0


class BestWeights:
    """Keeps each replica's weights and running statistics of the epoch at which it was best."""

    def __init__(self, model: MLP, rule: EarlyStopping) -> None:
        self._rule = rule
        replicas = len(model.parameters)
        self._sign = 1.0 if rule.metric.endswith("loss") else -1.0
        self._lowest = np.full(replicas, np.inf)
        self._epochs = np.zeros(replicas, dtype=np.intp)
        self._parameters, self._statistics = model.parameters.copy(), model.statistics.copy()

    def update(self, epoch: int, values: FloatArray, model: MLP) -> NDArray[np.bool_]:
        """Take in the metric (R,) after ``epoch``; which replicas' patience is at its end, (R,)."""
        signed = self._sign * np.asarray(values, np.float64)
        better = signed < self._lowest - self._rule.min_delta
        self._lowest[better] = signed[better]
        self._epochs[better] = epoch
        self._parameters[better] = model.parameters[better]
        self._statistics[better] = model.statistics[better]
        return np.asarray(epoch - self._epochs >= self._rule.patience)

    def restore(self, row: int, model: MLP) -> None:
        """Give a replica's best weights back to the network."""
        model.parameters[row], model.statistics[row] = self._parameters[row], self._statistics[row]

    def keep_replicas(self, rows: IntArray) -> None:
        """Let all replicas go but these rows."""
        self._lowest, self._epochs = self._lowest[rows], self._epochs[rows]
        self._parameters, self._statistics = self._parameters[rows], self._statistics[rows]
