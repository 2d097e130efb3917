"""Automatic differentiation: values that remember how they were made. Imports NumPy alone.

``variable.py`` holds ``Variable`` and its operators, ``engine.py`` the backward pass, ``modes.py``
``no_grad`` and ``detect_anomaly``. The operations stand in families, each rule beside its value:
``arithmetic``, ``elementwise``, ``reductions``, ``shapes``, ``softmax``; docs/autograd/ derives them.
"""

from micrograde.autograd.engine import nodes
from micrograde.autograd.modes import detect_anomaly, no_grad
from micrograde.autograd.variable import Variable, concatenate, constant

__all__ = ["Variable", "concatenate", "constant", "detect_anomaly", "no_grad", "nodes"]
