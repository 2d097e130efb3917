"""The Gaussian error linear unit and its approximation: (A7), (A8) of docs/backward/activations.md."""

import math

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS


@ACTIVATION_EQUATIONS.register("gelu")
def gelu(x: Variable) -> Variable:
    """Return x * (1 + erf(x / sqrt(2))) / 2."""
    return 0.5 * x * (1.0 + (x * math.sqrt(0.5)).erf())


@ACTIVATION_EQUATIONS.register("gelu_tanh")
def gelu_tanh(x: Variable) -> Variable:
    """Return x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x**3))) / 2."""
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + inner.tanh())
