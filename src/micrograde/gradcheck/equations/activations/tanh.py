"""The hyperbolic tangent, equation (A1) of docs/backward/activations.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("tanh")
def tanh(x: Variable) -> Variable:
    """Return tanh(x)."""
    return x.tanh()
