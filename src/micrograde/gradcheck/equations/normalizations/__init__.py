"""The normalizations' equations, in ``Variable``: one file for each normalization, found by itself.

An equation is registered by the normalization's name. It is written from the formula, and shares no code
with ``nn``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.core.registry import Registry

NORMALIZATION_EQUATIONS: "Registry[NormalizationEquation]" = Registry("normalization's equation", __name__)


class NormalizationEquation(ABC):
    """The forward pass of a normalization; its hyperparameters are the keyword arguments."""

    @abstractmethod
    def batch(self, x: Variable, parameters: Mapping[str, Variable], **hyperparameters: float) -> Variable:
        """Return the output for a training batch x (N, H); ``parameters`` by the layer's names, (H,) each."""

    @abstractmethod
    def sample(
        self,
        x: Sequence[Variable],
        parameters: Mapping[str, Sequence[Variable]],
        statistics: Mapping[str, FloatArray],
        **hyperparameters: float,
    ) -> list[Variable]:
        """Return the output for one sample in evaluation mode, number by number, H of each."""
