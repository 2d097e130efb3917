"""The network's forward pass, written a second time: from the equations, in ``Variable``.

It shares no code with ``nn``: what both compute alike is right, or wrong twice in the same way. The
equations are those of docs/backward/. They are written once with arrays, to check gradients on real batches,
and once with single numbers, for a graph in which every weight is a node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.gradcheck.equations.normalizations import NORMALIZATION_EQUATIONS

ArrayT = TypeVar("ArrayT", Variable, FloatArray)


@dataclass(frozen=True)
class Part:
    """An activation, a normalization or a loss: the name of its equation, and its hyperparameters."""

    name: str
    hyperparameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Architecture:
    """The architecture of a network: everything but the values of its parameters.

    Attributes
    ----------
    sizes
        (D, H, ..., C).
    normalization
        None if there is none.
    normalization_layer
        The normalization's layers without their number: ``batchnorm``.
    output_batch_norm
        Whether the last linear layer is normalized, too.
    """

    sizes: tuple[int, ...]
    activation: Part
    loss: Part
    normalization: Part | None = None
    normalization_layer: str = ""
    output_batch_norm: bool = True

    @property
    def layers(self) -> int:
        """The number of linear layers."""
        return len(self.sizes) - 1

    def normalization_after(self, number: int) -> Part | None:
        """Return the normalization that follows the linear layer ``number``, counted from 1; None if none."""
        return self.normalization if number < self.layers or self.output_batch_norm else None


@dataclass
class Trace:
    """A forward pass in ``Variable``, ready for ``loss.backward()``.

    Attributes
    ----------
    parameters
        The parameters by the network's names, such as ``layer1.weights``.
    outputs
        The output of each layer by its name (``layer1``, ``batchnorm1``, ``activation1``, ...), in order.
    """

    input: Variable
    parameters: dict[str, Variable]
    outputs: dict[str, Variable] = field(default_factory=dict)
    loss: Variable = field(default_factory=lambda: Variable(0.0))


def trace_batch(
    architecture: Architecture,
    parameters: Mapping[str, FloatArray],
    x: FloatArray,
    targets: FloatArray,
    shares: FloatArray | None = None,
) -> Trace:
    """Compute the mean loss of a training batch: x (N, D), targets (N, C), all float64.

    With ``shares`` (N,) it is the sum of the rows' losses, each times its share.
    """
    trace = Trace(
        _named("input", Variable(x)),
        {name: _named(name, Variable(value)) for name, value in parameters.items()},
    )
    p, out = trace.parameters, trace.input
    for number in range(1, architecture.layers + 1):
        out = out @ p[f"layer{number}.weights"] + p[f"layer{number}.biases"]  # (L1)
        trace.outputs[f"layer{number}"] = out
        if norm := architecture.normalization_after(number):
            layer = f"{architecture.normalization_layer}{number}"
            equation = NORMALIZATION_EQUATIONS[norm.name]
            out = equation.batch(out, _of_layer(p, layer), **norm.hyperparameters)
            trace.outputs[layer] = out
        if number < architecture.layers:
            out = activate(out, architecture.activation)
            trace.outputs[f"activation{number}"] = out
    loss = architecture.loss
    equation_of_loss = LOSS_EQUATIONS[loss.name]
    if shares is None:
        trace.loss = equation_of_loss.batch(out, targets, **loss.hyperparameters)
    else:
        trace.loss = equation_of_loss.weighted(out, targets, shares, **loss.hyperparameters)
    return trace


def trace_sample(
    architecture: Architecture,
    parameters: Mapping[str, FloatArray],
    statistics: Mapping[str, FloatArray],
    x: Sequence[float],
    targets: Sequence[float],
) -> Trace:
    """Compute the loss of one sample, number by number.

    In evaluation mode, as batch norm has no variance for a single sample.
    """
    scalars = {
        f"{name}[{','.join(map(str, index))}]": Variable(float(array[index]))
        for name, array in parameters.items()
        for index in np.ndindex(array.shape)
    }
    trace = Trace(Variable(0.0), {name: _named(name, value) for name, value in scalars.items()})
    p, out = trace.parameters, [_named(f"x[{d}]", Variable(float(value))) for d, value in enumerate(x)]
    for number, size in enumerate(architecture.sizes[1:], start=1):
        out = [
            sum(
                (value * p[f"layer{number}.weights[{d},{h}]"] for d, value in enumerate(out)),
                p[f"layer{number}.biases[{h}]"],
            )  # (L1)
            for h in range(size)
        ]
        if norm := architecture.normalization_after(number):
            layer = f"{architecture.normalization_layer}{number}"
            own = {
                name: [p[f"{layer}.{name}[{h}]"] for h in range(size)]
                for name in _of_layer(parameters, layer)
            }
            equation = NORMALIZATION_EQUATIONS[norm.name]
            out = equation.sample(out, own, _of_layer(statistics, layer), **norm.hyperparameters)
        if number < architecture.layers:
            out = [activate(value, architecture.activation) for value in out]
    loss = architecture.loss
    trace.loss = LOSS_EQUATIONS[loss.name].sample(out, targets, **loss.hyperparameters)
    return trace


def activate(x: Variable, activation: Part) -> Variable:
    """Apply an activation's equation."""
    return ACTIVATION_EQUATIONS[activation.name](x, **activation.hyperparameters)


def _of_layer(arrays: Mapping[str, ArrayT], layer: str) -> dict[str, ArrayT]:
    """Return the arrays of one layer by their names in it."""
    return {
        name.removeprefix(f"{layer}."): array
        for name, array in arrays.items()
        if name.startswith(f"{layer}.")
    }


def _named(name: str, variable: Variable) -> Variable:
    variable.name = name
    return variable
