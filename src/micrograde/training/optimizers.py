"""Optimizers that step all parameters of a stack at once; equations in docs/backward/optimizers.md.

The conventions are PyTorch's, so that runs can be compared number for number. Every hyperparameter is
an array of shape (R,), one value a replica; parameters and gradients are the network's (R, P) buffers.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from micrograde.nn.arrays import FloatArray


class Optimizer(ABC):
    """Changes ``parameters`` in place, by ``gradients`` and a learning rate given at each step.

    Attributes
    ----------
    state : arrays of shape (R, P) that the next step depends on, by name
    steps : how many have been taken
    """

    def __init__(self, parameters: FloatArray, gradients: FloatArray) -> None:
        self.parameters, self.gradients = parameters, gradients
        self.state: dict[str, FloatArray] = {}
        self.steps = 0
        self._scratch = np.empty_like(parameters)
        self._update = np.empty_like(parameters)

    @abstractmethod
    def step(self, learning_rate: FloatArray) -> None:
        """One step; ``learning_rate`` is (R,)."""

    def _column(self, values: FloatArray) -> FloatArray:
        """(R,) as (R, 1) of the parameters' dtype, to multiply (R, P)."""
        return np.asarray(values, self.parameters.dtype).reshape(-1, 1)

    def _decayed_gradients(self, weight_decay: FloatArray | None) -> FloatArray:
        """Gradients of the loss plus weight_decay / 2 * |parameters|**2, equation (O2)."""
        if weight_decay is None:
            return self.gradients
        np.multiply(self.parameters, weight_decay, out=self._scratch)
        return np.add(self.gradients, self._scratch, out=self._scratch)


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, Nesterov's or not, equations (O1)-(O4)."""

    name: ClassVar[str] = "sgd"

    def __init__(
        self,
        parameters: FloatArray,
        gradients: FloatArray,
        *,
        momentum: FloatArray,
        weight_decay: FloatArray,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, gradients)
        # What is zero for every replica is left out: it would cost a pass over the parameters a step.
        self._momentum = self._column(momentum) if np.any(momentum) else None
        self._weight_decay = self._column(weight_decay) if np.any(weight_decay) else None
        self._nesterov = nesterov
        if self._momentum is not None:
            self.state["velocity"] = np.zeros_like(parameters)

    def step(self, learning_rate: FloatArray) -> None:
        """One step against the velocity or gradient; ``learning_rate`` is (R,)."""
        self.steps += 1
        direction = self._decayed_gradients(self._weight_decay)
        if self._momentum is not None:
            velocity = self.state["velocity"]
            np.multiply(velocity, self._momentum, out=velocity)
            np.add(velocity, direction, out=velocity)  # (O3)
            if self._nesterov:
                np.multiply(velocity, self._momentum, out=self._update)
                direction = np.add(direction, self._update, out=self._update)  # (O4)
            else:
                direction = velocity
        np.multiply(direction, self._column(learning_rate), out=self._update)
        np.subtract(self.parameters, self._update, out=self.parameters)  # (O1)


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), equations (O5)-(O8)."""

    name: ClassVar[str] = "adam"

    def __init__(
        self,
        parameters: FloatArray,
        gradients: FloatArray,
        *,
        beta1: FloatArray,
        beta2: FloatArray,
        epsilon: FloatArray,
        weight_decay: FloatArray,
    ) -> None:
        super().__init__(parameters, gradients)
        # The bias corrections are powers: computed in float64, whatever the parameters' dtype.
        self._beta1, self._beta2 = np.asarray(beta1, np.float64), np.asarray(beta2, np.float64)
        self._epsilon = self._column(epsilon)
        self._weight_decay = self._column(weight_decay) if np.any(weight_decay) else None
        self.state["mean"] = np.zeros_like(parameters)
        self.state["square"] = np.zeros_like(parameters)

    def step(self, learning_rate: FloatArray) -> None:
        """One step along the corrected mean over the root of the corrected square."""
        self.steps += 1
        gradients = self._decayed_gradients(self._weight_decay)
        mean, square = self.state["mean"], self.state["square"]
        np.multiply(mean, self._column(self._beta1), out=mean)
        np.multiply(gradients, self._column(1 - self._beta1), out=self._update)
        np.add(mean, self._update, out=mean)  # (O5)
        np.multiply(square, self._column(self._beta2), out=square)
        np.multiply(gradients, gradients, out=self._update)
        np.multiply(self._update, self._column(1 - self._beta2), out=self._update)
        np.add(square, self._update, out=square)  # (O6)
        corrected_rate = learning_rate / (1 - self._beta1**self.steps)  # (O7)
        correction = np.sqrt(1 - self._beta2**self.steps)
        np.sqrt(square, out=self._update)
        np.divide(self._update, self._column(correction), out=self._update)
        np.add(self._update, self._epsilon, out=self._update)
        np.divide(mean, self._update, out=self._update)
        np.multiply(self._update, self._column(corrected_rate), out=self._update)
        np.subtract(self.parameters, self._update, out=self.parameters)  # (O8)
