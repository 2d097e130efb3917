"""The equation that checks the activation's gradient."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("softsign")
def softsign(x: Variable, *, width: float) -> Variable:
    """Return x / (width + abs(x))."""
    return x / (abs(x) + width)
