"""The contract of a layer: what it computes, and the arrays that it declares."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.arrays import FloatArray, Shape
from micrograde.nn.onnx_graph import OnnxGraph

Role = Literal["parameter", "statistic"]
"""Parameters are learned and have gradients; statistics are gathered while training, for evaluation."""


@dataclass(frozen=True)
class LayerArray:
    """An array that a layer keeps from step to step; ``shape`` is that in a single network.

    The memory that a step reuses, a layer's workspace, is declared by a data class of its own in the layer's
    file, as its shapes are those of a batch.
    """

    name: str
    shape: Shape
    role: Role = "parameter"


class Layer(ABC):
    """A part of a network: rows in, rows out, on the last two axes (..., N, D).

    A network places a layer's arrays in buffers that all layers share, by ``bind``; a layer makes none
    itself. What it declares in ``arrays`` is then an attribute by its name, and the gradient of a parameter
    one named ``grad_<name>``; in a stack of R replicas all have a leading axis R.

    Attributes
    ----------
    kind
        What the layer is, as pictures name it.
    arrays
        The arrays that it keeps, in the order in which they lie in the buffers.
    """

    kind: str
    arrays: tuple[LayerArray, ...] = ()

    @abstractmethod
    def forward(self, input: FloatArray) -> FloatArray:
        """Return the output of a training batch; it is overwritten by the next batch of the same shape."""

    @abstractmethod
    def evaluate(self, input: FloatArray) -> FloatArray:
        """Return the output in evaluation mode as a new array; no state of the layer changes."""

    @abstractmethod
    def backward(self, grad_output: FloatArray) -> FloatArray:
        """Return the gradient of the last ``forward``'s input; set those of the parameters."""

    def backward_parameters(self, grad_output: FloatArray) -> None:
        """Set the gradients of the parameters alone, which is all that a network's first layer needs."""
        self.backward(grad_output)

    def onnx(self, graph: OnnxGraph, x: str) -> str:
        """Add the layer in evaluation mode to a graph, applied to ``x``; return the name of the result."""
        raise NotImplementedError(f"{type(self).__name__} has no rule for ONNX")

    def bound(self) -> None:  # noqa: B027 (not every layer has something to make)
        """Make what depends on where the arrays are; called at the end of ``bind``."""

    def views(self, role: Role) -> dict[str, FloatArray]:
        """Return the arrays of one role by name."""
        return {each.name: getattr(self, each.name) for each in self.arrays if each.role == role}

    def size(self, role: Role) -> int:
        """Return how many numbers the arrays of one role hold in a single network."""
        return sum(prod(each.shape) for each in self.arrays if each.role == role)

    def bind(self, parameters: FloatArray, gradients: FloatArray, statistics: FloatArray) -> None:
        """Store the arrays in these stretches of a network's buffers from now on.

        Parameters
        ----------
        parameters, gradients
            (size,), in a stack (R, size), one array after the other; ``size("parameter")`` of them.
        statistics
            The same for ``size("statistic")``.
        """
        for stretch, role, prefix in (
            (parameters, "parameter", ""),
            (gradients, "parameter", "grad_"),
            (statistics, "statistic", ""),
        ):
            start = 0
            for each in (one for one in self.arrays if one.role == role):
                end = start + prod(each.shape)
                view = stretch[..., start:end].reshape(*stretch.shape[:-1], *each.shape)
                setattr(self, prefix + each.name, view)
                start = end
        self.bound()

    def allocate(self, replicas: Shape, dtype: DTypeLike, start: Mapping[str, float] | None = None) -> None:
        """Bind to new buffers of zeros, for a layer by itself or one that is about to join a network.

        Parameters
        ----------
        start
            The value with which an array begins, if that is not 0.
        """
        of_parameters, of_statistics = ((*replicas, self.size(role)) for role in ("parameter", "statistic"))
        self.bind(
            np.zeros(of_parameters, dtype), np.zeros(of_parameters, dtype), np.zeros(of_statistics, dtype)
        )
        for name, value in (start or {}).items():
            getattr(self, name)[...] = value
