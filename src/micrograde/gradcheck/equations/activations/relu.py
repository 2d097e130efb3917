"""The rectifier, equation (A2) of docs/backward/activations.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("relu")
def relu(x: Variable) -> Variable:
    """Return relu(x)."""
    return x.relu()
