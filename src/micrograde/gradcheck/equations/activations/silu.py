"""The sigmoid linear unit, equation (A6) of docs/backward/activations.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("silu")
def silu(x: Variable) -> Variable:
    """Return x * sigmoid(x)."""
    return x * x.sigmoid()
