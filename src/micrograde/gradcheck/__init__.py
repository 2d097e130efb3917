"""Checks of gradients: hand-written ones against autograd, and autograd against finite differences.

``equations`` holds the network's forward pass a second time, in ``Variable``; it shares no code with ``nn``.
"""

from micrograde.gradcheck.comparison import (
    GradientEvidence,
    GradientMismatch,
    ParameterEvidence,
    check_gradients,
    check_network,
    require_agreement,
)

__all__ = [
    "GradientEvidence",
    "GradientMismatch",
    "ParameterEvidence",
    "check_gradients",
    "check_network",
    "require_agreement",
]
