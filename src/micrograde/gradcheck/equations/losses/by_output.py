"""What the equations of losses that are means over the outputs have in common."""

from abc import abstractmethod
from collections.abc import Sequence

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.gradcheck.equations.losses import LossEquation


class LossByOutput(LossEquation):
    """A mean over rows and outputs of a loss that each output has of its own."""

    @abstractmethod
    def of(self, logit: Variable, target: Variable, **hyperparameters: float) -> Variable:
        """Return the loss of each entry, of arrays or of single numbers."""

    def batch(self, logits: Variable, targets: FloatArray, **hyperparameters: float) -> Variable:
        """Return the mean loss of a batch: logits and targets (N, C)."""
        given = Variable(targets, requires_grad=False, name="targets")
        return self.of(logits, given, **hyperparameters).sum() / targets.size

    def weighted(
        self, logits: Variable, targets: FloatArray, shares: FloatArray, **hyperparameters: float
    ) -> Variable:
        """Return the sum of the rows' losses, each times its share, (N,)."""
        of_each = shares[:, None] / targets.shape[1]
        given = Variable(targets, requires_grad=False, name="targets")
        total: Variable = (self.of(logits, given, **hyperparameters) * of_each).sum()
        return total

    def sample(
        self, logits: Sequence[Variable], targets: Sequence[float], **hyperparameters: float
    ) -> Variable:
        """Return the loss of one sample, number by number: C logits and C targets."""
        named = [
            Variable(target, requires_grad=False, name=f"target[{place}]")
            for place, target in enumerate(targets)
        ]
        first, *others = (
            self.of(logit, target, **hyperparameters) for logit, target in zip(logits, named, strict=True)
        )
        return sum(others, first) / len(logits) if others else first
