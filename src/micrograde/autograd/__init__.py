"""Automatic differentiation: values that record how they were computed. Imports NumPy alone.

``variable.py`` holds ``Variable`` and its operators, ``engine.py`` the backward pass, ``modes.py``
``no_grad`` and ``detect_anomaly``. The operations are grouped in families, each gradient rule next to its
forward function: ``arithmetic``, ``elementwise``, ``reductions``, ``shapes``, ``softmax``.
docs/autograd/ derives them.
"""

from micrograde.autograd.engine import nodes
from micrograde.autograd.modes import detect_anomaly, no_grad
from micrograde.autograd.variable import Variable, concatenate, constant

__all__ = ["Variable", "concatenate", "constant", "detect_anomaly", "no_grad", "nodes"]
