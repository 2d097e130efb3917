"""The mean absolute error; the equations of docs/backward/numbers.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.gradcheck.equations.losses.by_output import LossByOutput


class _MeanAbsoluteError(LossByOutput):
    """The size of each output's error; its gradient at 0 is 0."""

    def of(self, logit: Variable, target: Variable, **_: float) -> Variable:
        return (logit - target).abs()  # (N5)


LOSS_EQUATIONS.register("mae")(_MeanAbsoluteError())
