"""Layers, losses and network, forward and backward by hand, in NumPy alone.

Each layer has its own file, with the backward pass next to the forward pass; the derivations are in
docs/backward/. ``arrays.py`` explains the axes and the workspaces that layers share.
"""

from micrograde.nn.activation_layer import (
    ActivationLayer,
    ReLUActivation,
    SigmoidActivation,
    TanhActivation,
)
from micrograde.nn.activations import ACTIVATIONS, Activation, make_activation
from micrograde.nn.classes import calculate_accuracy, one_hot, predicted_classes, softmax
from micrograde.nn.initializers import INITIALIZERS, Initializer, initial_weights
from micrograde.nn.layer import Layer, LayerArray
from micrograde.nn.linear import LinearLayer
from micrograde.nn.losses import LOSSES, Loss
from micrograde.nn.losses.cross_entropy import CrossEntropyLoss
from micrograde.nn.mlp import MLP
from micrograde.nn.normalizations import NORMALIZATIONS, Normalization
from micrograde.nn.normalizations.batch_norm import BatchNormalization
from micrograde.nn.parameters import ArrayLayout

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "MLP",
    "NORMALIZATIONS",
    "Activation",
    "ActivationLayer",
    "ArrayLayout",
    "BatchNormalization",
    "CrossEntropyLoss",
    "Initializer",
    "Layer",
    "LayerArray",
    "LinearLayer",
    "Loss",
    "Normalization",
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
