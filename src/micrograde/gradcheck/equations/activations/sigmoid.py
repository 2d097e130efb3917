"""The logistic function, equation (A3) of docs/backward/activations.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("sigmoid")
def sigmoid(x: Variable) -> Variable:
    """Return sigmoid(x)."""
    return x.sigmoid()
