"""Cross-entropy of the softmax of the logits; the equations of docs/backward/cross_entropy.md."""

from collections.abc import Sequence

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS, LossEquation


class _CrossEntropy(LossEquation):
    """The exact loss: the notebook's ``epsilon`` bends what is shown, never the gradient."""

    def batch(self, logits: Variable, targets: FloatArray, **_: float) -> Variable:
        return -(logits.log_softmax(axis=1) * targets).sum() / len(targets)  # (C2)

    def weighted(self, logits: Variable, targets: FloatArray, shares: FloatArray, **_: float) -> Variable:
        return -(logits.log_softmax(axis=1) * targets * shares[:, None]).sum()  # (C6)

    def sample(self, logits: Sequence[Variable], targets: Sequence[float], **_: float) -> Variable:
        largest = max(float(value.value) for value in logits)
        total = sum(((value - largest).exp() for value in logits[1:]), (logits[0] - largest).exp())
        first, *others = (
            value - largest if target == 1 else (value - largest) * target
            for value, target in zip(logits, targets, strict=True)
            if target
        )
        return total.log() - sum(others, first)  # (C3)


LOSS_EQUATIONS.register("cross_entropy")(_CrossEntropy())
