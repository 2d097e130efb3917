"""The losses' equations, in ``Variable``: one file for each loss, found by itself.

An equation is registered by the loss's name. It is written from the formula, and shares no code with ``nn``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.core.registry import Registry

LOSS_EQUATIONS: "Registry[LossEquation]" = Registry("loss's equation", __name__)


class LossEquation(ABC):
    """A loss as a function of the logits; its hyperparameters are the keyword arguments."""

    @abstractmethod
    def batch(self, logits: Variable, targets: FloatArray, **hyperparameters: float) -> Variable:
        """Return the mean loss of a batch: logits and targets (N, C)."""

    def weighted(
        self, logits: Variable, targets: FloatArray, shares: FloatArray, **hyperparameters: float
    ) -> Variable:
        """Return the sum of the rows' losses, each times its share, (N,) (C6); by default row by row."""
        first, *others = (
            self.batch(logits[row : row + 1], targets[row : row + 1], **hyperparameters) * share
            for row, share in enumerate(shares.tolist())
        )
        total: Variable = sum(others, first)
        return total

    @abstractmethod
    def sample(
        self, logits: Sequence[Variable], targets: Sequence[float], **hyperparameters: float
    ) -> Variable:
        """Return the loss of one sample, number by number: C logits and C targets."""
