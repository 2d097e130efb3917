"""Evidence for gradients: those written by hand against autograd, autograd against differences.

``equations`` holds the network's forward pass a second time, in ``Variable``; it shares no code with ``nn``.
"""

from micrograde.gradcheck.comparison import (
    TOLERANCE,
    GradientEvidence,
    GradientMismatch,
    ParameterEvidence,
    architecture_of,
    check_gradients,
    check_network,
    require_agreement,
    trace_first_sample,
    trace_replica,
)
from micrograde.gradcheck.equations import Architecture, Trace, trace_batch, trace_sample

__all__ = [
    "TOLERANCE",
    "Architecture",
    "GradientEvidence",
    "GradientMismatch",
    "ParameterEvidence",
    "Trace",
    "architecture_of",
    "check_gradients",
    "check_network",
    "require_agreement",
    "trace_batch",
    "trace_first_sample",
    "trace_replica",
    "trace_sample",
]
