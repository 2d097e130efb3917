"""Batch normalization, equations (B1)-(B6) of docs/backward/batch_normalization.md."""

from collections.abc import Mapping, Sequence

import numpy as np

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.gradcheck.equations.normalizations import NORMALIZATION_EQUATIONS, NormalizationEquation


class _BatchNorm(NormalizationEquation):
    """Batch normalization: (B1)-(B4) for a batch, (B6) for a sample."""

    def batch(self, x: Variable, parameters: Mapping[str, Variable], **hyperparameters: float) -> Variable:
        centered = x - x.mean(axis=0, keepdims=True)  # (B1)
        variance = (centered * centered).mean(axis=0, keepdims=True)  # (B2)
        normalized = centered / (variance + hyperparameters["epsilon"]).sqrt()  # (B3)
        return normalized * parameters["gamma"] + parameters["beta"]  # (B4)

    def sample(
        self,
        x: Sequence[Variable],
        parameters: Mapping[str, Sequence[Variable]],
        statistics: Mapping[str, FloatArray],
        **hyperparameters: float,
    ) -> list[Variable]:
        mean = statistics["running_mean"]
        deviation = np.sqrt(statistics["running_var"] + hyperparameters["epsilon"])
        return [
            (value - float(mean[h])) / float(deviation[h]) * parameters["gamma"][h] + parameters["beta"][h]
            for h, value in enumerate(x)  # (B6)
        ]


NORMALIZATION_EQUATIONS.register("batch_norm")(_BatchNorm())
