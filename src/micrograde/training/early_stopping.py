"""Stopping when a validation metric no longer improves, and keeping the weights it was best at."""

from dataclasses import dataclass

import numpy as np

from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray


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
        self._model, self._rule = model, rule
        replicas = len(model.parameters)
        self._sign = 1.0 if rule.metric.endswith("loss") else -1.0
        self._lowest = np.full(replicas, np.inf)
        self._parameters, self._statistics = model.parameters.copy(), model.statistics.copy()
        self.epochs = np.zeros(replicas, dtype=np.intp)

    def update(self, epoch: int, values: FloatArray) -> bool:
        """Take in the metric (R,) after ``epoch``; True when every replica's patience is at its end."""
        signed = self._sign * np.asarray(values, np.float64)
        better = signed < self._lowest - self._rule.min_delta
        self._lowest[better] = signed[better]
        self.epochs[better] = epoch
        self._parameters[better] = self._model.parameters[better]
        self._statistics[better] = self._model.statistics[better]
        return bool(np.all(epoch - self.epochs >= self._rule.patience))

    def restore(self) -> None:
        """Give the best weights back to the network."""
        self._model.parameters[...] = self._parameters
        self._model.statistics[...] = self._statistics
