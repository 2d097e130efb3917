"""The activations' equations, in ``Variable``: one file for each activation, found by itself.

An equation is a function of a ``Variable``, registered by the activation's name; the activation's
hyperparameters are its keyword arguments. It is written from the formula, and shares no code with ``nn``.
"""

from collections.abc import Callable

from micrograde.autograd import Variable
from micrograde.core.registry import Registry

ACTIVATION_EQUATIONS: Registry[Callable[..., Variable]] = Registry("activation's equation", __name__)
