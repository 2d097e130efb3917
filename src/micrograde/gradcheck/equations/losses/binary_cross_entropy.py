"""Cross-entropy of a logistic function; the equations of docs/backward/binary_cross_entropy.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.gradcheck.equations.losses.by_output import LossByOutput


class _BinaryCrossEntropy(LossByOutput):
    """The absolute values keep the exponential small; at 0 their kinks cancel each other."""

    def of(self, logit: Variable, target: Variable, **_: float) -> Variable:
        size = logit.abs()
        return (logit + size) / 2 + ((-size).exp() + 1.0).log() - logit * target  # (Y2)


LOSS_EQUATIONS.register("binary_cross_entropy")(_BinaryCrossEntropy())
