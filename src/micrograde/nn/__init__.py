"""Layers, loss and network, forward and backward by hand, in NumPy alone.

Each layer stands in a file of its own, its backward pass beside its forward pass; the derivations are
in docs/backward/. ``arrays.py`` says how axes and workspaces are laid out.
"""

from micrograde.nn.activations import (
    ACTIVATIONS,
    Activation,
    ReLUActivation,
    SigmoidActivation,
    TanhActivation,
    make_activation,
)
from micrograde.nn.batch_normalization import BatchNormalization
from micrograde.nn.cross_entropy import (
    CrossEntropyLoss,
    calculate_accuracy,
    one_hot,
    predicted_classes,
    softmax,
)
from micrograde.nn.initializers import INITIALIZERS, initial_weights
from micrograde.nn.linear import LinearLayer
from micrograde.nn.mlp import MLP
from micrograde.nn.parameters import ArrayLayout

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "MLP",
    "Activation",
    "ArrayLayout",
    "BatchNormalization",
    "CrossEntropyLoss",
    "LinearLayer",
    "ReLUActivation",
    "SigmoidActivation",
    "TanhActivation",
    "calculate_accuracy",
    "initial_weights",
    "make_activation",
    "one_hot",
    "predicted_classes",
    "softmax",
]
