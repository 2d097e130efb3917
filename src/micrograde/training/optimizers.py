"""Optimizers that step all parameters of a stack at once; equations in docs/backward/optimizers.md.

The conventions are PyTorch's, so that runs can be compared number for number. Every hyperparameter is
an array of shape (R,), one value per replica; parameters and gradients are the network's (R, P) buffers.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray


class Optimizer(ABC):
    """Changes ``parameters`` in place, by ``gradients`` and a learning rate given at each step.

    Attributes
    ----------
    state : arrays of shape (R, P) that the next step depends on, by name
    steps : the number of steps taken
    """

    _decays = False

    def __init__(self, parameters: FloatArray, gradients: FloatArray, **hyperparameters: FloatArray) -> None:
        self.state: dict[str, FloatArray] = {}
        self.steps = 0
        self._hyperparameters = {key: np.asarray(each, np.float64) for key, each in hyperparameters.items()}
        self._bind(parameters, gradients)

    def _bind(self, parameters: FloatArray, gradients: FloatArray) -> None:
        self.parameters, self.gradients = parameters, gradients
        self._scratch, self._update = np.empty_like(parameters), np.empty_like(parameters)
        self._columns = {key: self._column(each) for key, each in self._hyperparameters.items()}

    def keep_replicas(self, rows: IntArray, parameters: FloatArray, gradients: FloatArray) -> None:
        """Keep only the replicas in these rows; the buffers are the network's new ones."""
        self.state = {name: array[rows] for name, array in self.state.items()}
        self._hyperparameters = {name: array[rows] for name, array in self._hyperparameters.items()}
        self._bind(parameters, gradients)

    @abstractmethod
    def step(self, learning_rate: FloatArray) -> None:
        """Take one step; ``learning_rate`` is (R,)."""

    def _column(self, values: FloatArray) -> FloatArray:
        """Return values (R,) in the parameters' dtype, shaped to multiply (R, P)."""
        with np.errstate(over="ignore"):  # beyond float32's range they become infinite, which the loss shows
            column = values.astype(self.parameters.dtype)
        # For a single replica a number without axes, which NumPy multiplies in half the time of a column.
        return column.reshape((-1, 1) if len(values) > 1 else ())

    def _decayed_gradients(self) -> FloatArray:
        """Return the gradients of the loss plus weight_decay / 2 * |parameters|**2, equation (O2)."""
        if not self._decays:
            return self.gradients
        np.multiply(self.parameters, self._columns["weight_decay"], out=self._scratch)
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
        super().__init__(parameters, gradients, momentum=momentum, weight_decay=weight_decay)
        # What is zero for every replica is left out: it would cost a pass over the parameters at each step.
        self._has_momentum, self._decays = bool(np.any(momentum)), bool(np.any(weight_decay))
        self._nesterov = nesterov
        if self._has_momentum:
            self.state["velocity"] = np.zeros_like(parameters)

    def step(self, learning_rate: FloatArray) -> None:
        """Take one step against the velocity or gradient; ``learning_rate`` is (R,)."""
        self.steps += 1
        direction = self._decayed_gradients()
        if self._has_momentum:
            velocity = self.state["velocity"]
            np.multiply(velocity, self._columns["momentum"], out=velocity)
            np.add(velocity, direction, out=velocity)  # (O3)
            if self._nesterov:
                np.multiply(velocity, self._columns["momentum"], out=self._update)
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
        super().__init__(
            parameters, gradients, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay
        )
        self._decays = bool(np.any(weight_decay))
        self.state["mean"] = np.zeros_like(parameters)
        self.state["square"] = np.zeros_like(parameters)

    def step(self, learning_rate: FloatArray) -> None:
        """Take one step against the corrected mean over the root of the corrected square."""
        self.steps += 1
        gradients = self._decayed_gradients()
        mean, square = self.state["mean"], self.state["square"]
        # In float64, whatever the parameters' dtype: the bias corrections are differences of near equals.
        beta1, beta2 = self._hyperparameters["beta1"], self._hyperparameters["beta2"]
        np.multiply(mean, self._columns["beta1"], out=mean)
        np.multiply(gradients, self._column(1 - beta1), out=self._update)
        np.add(mean, self._update, out=mean)  # (O5)
        np.multiply(square, self._columns["beta2"], out=square)
        np.multiply(gradients, gradients, out=self._update)
        np.multiply(self._update, self._column(1 - beta2), out=self._update)
        np.add(square, self._update, out=square)  # (O6)
        corrected_rate = learning_rate / (1 - beta1**self.steps)  # (O7)
        correction = np.sqrt(1 - beta2**self.steps)
        np.sqrt(square, out=self._update)
        np.divide(self._update, self._column(correction), out=self._update)
        np.add(self._update, self._columns["epsilon"], out=self._update)
        np.divide(mean, self._update, out=self._update)
        np.multiply(self._update, self._column(corrected_rate), out=self._update)
        np.subtract(self.parameters, self._update, out=self.parameters)  # (O8)
