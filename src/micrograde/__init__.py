"""micrograde: a laboratory for watching small neural networks learn.

The notebook's names live here, so that its cells run on ``from micrograde import ...``; everything
else is imported from the room it lives in, such as ``micrograde.training``.
"""

from micrograde.nn import (
    MLP,
    BatchNormalization,
    CrossEntropyLoss,
    LinearLayer,
    ReLUActivation,
    SigmoidActivation,
    TanhActivation,
    calculate_accuracy,
)

__all__ = [
    "MLP",
    "BatchNormalization",
    "CrossEntropyLoss",
    "LinearLayer",
    "ReLUActivation",
    "SigmoidActivation",
    "TanhActivation",
    "calculate_accuracy",
]
