"""The mean squared error; the equations of docs/backward/numbers.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.gradcheck.equations.losses.by_output import LossByOutput


class _MeanSquaredError(LossByOutput):
    """The square of each output's error."""

    def of(self, logit: Variable, target: Variable, **_: float) -> Variable:
        return (logit - target) ** 2  # (N1)


LOSS_EQUATIONS.register("mse")(_MeanSquaredError())
