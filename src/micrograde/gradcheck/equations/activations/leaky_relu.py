"""The rectifier that leaks, equation (A4) of docs/backward/activations.md."""

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("leaky_relu")
def leaky_relu(x: Variable, *, negative_slope: float) -> Variable:
    """Return relu(x) - negative_slope * relu(-x), whose derivative at 0 would be 0."""
    rectified = x.relu()
    return rectified + negative_slope * (x - rectified)
