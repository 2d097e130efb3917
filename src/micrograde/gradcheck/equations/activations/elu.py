"""The exponential linear unit, equation (A5) of docs/backward/activations.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("elu")
def elu(x: Variable, *, alpha: float) -> Variable:
    """Return x where x > 0, else alpha * (exp(x) - 1); min(x, 0) is x - relu(x)."""
    positive = x.relu()
    return positive + alpha * ((x - positive).exp() - 1.0)
