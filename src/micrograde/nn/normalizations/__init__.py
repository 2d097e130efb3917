"""Normalizations of what a linear layer computes: one file for each, found by itself.

A normalization owes an equation, too, in ``gradcheck/equations/normalizations/``, which checks its gradients.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import DTypeLike

from micrograde.core.registry import Registry
from micrograde.nn.arrays import FloatArray, Shape
from micrograde.nn.layer import Layer

NORMALIZATIONS: "Registry[type[Normalization]]" = Registry("normalization", __name__)


class NormalizationLayer(Layer):
    """A layer that normalizes; its arrays are of the shape (H,), or (R, H) in a stack."""

    def follow(self, biases: FloatArray) -> None:
        """Take note of the biases of the linear layer before it, (H,) or (R, H), which it leaves out.

        Called after each ``bind``, of a normalization with ``cancels_biases`` alone.
        """


@dataclass(frozen=True, kw_only=True)
class Normalization(ABC):
    """What follows each linear layer; the fields are hyperparameters.

    Attributes
    ----------
    label
        What pictures and messages call it.
    layer_name
        The layers' names without their number: ``batchnorm`` for ``batchnorm1``.
    cancels_biases
        Whether it subtracts what is added to all rows alike. The linear layer before it then leaves its
        biases out of its output, and their gradients are exactly 0.
    least_rows
        The rows that a training batch needs at least.
    """

    name: str = ""  # each entry has its own
    label: ClassVar[str]
    layer_name: ClassVar[str]
    cancels_biases: ClassVar[bool] = False
    least_rows: ClassVar[int] = 1

    @abstractmethod
    def layer(self, features: int, *, replicas: Shape, dtype: DTypeLike) -> NormalizationLayer:
        """Return a new layer for H features, of R replicas if ``replicas`` is (R,), of one if it is ()."""


def make_normalization(name: str) -> Normalization:
    """Return a normalization by its name, with the default hyperparameters.

    Raises
    ------
    InputError
        If there is no such normalization.
    """
    return NORMALIZATIONS[name]()
