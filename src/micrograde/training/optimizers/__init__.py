"""Optimizers that step all parameters of a stack at once: one file for each, found by itself.

Equations are in docs/backward/optimizers.md. The conventions are PyTorch's, so that runs can be compared
number for number.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from micrograde.core.hyperparameters import (
    PER_REPLICA,
    PerReplica,
    PositiveFloat,
    hyperparameters_of,
    program_of,
)
from micrograde.core.registry import Registry
from micrograde.nn.arrays import FloatArray, IntArray

OPTIMIZERS: "Registry[type[Optimizer]]" = Registry("optimizer", __name__)


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """How parameters move along their gradients; the fields are hyperparameters.

    An entry describes one replica. ``step`` moves all replicas of a stack at once: it is called on the entry
    of the first, and may ask of itself what all replicas share, which are hyperparameters marked ``PROGRAM``
    and whether one marked ``PER_REPLICA_ZERO_APART`` is zero. What is zero needs no pass over the parameters.
    A rule of several hyperparameters is checked in ``__post_init__``, which raises ``ValueError`` with the
    whole line.

    Parameters
    ----------
    learning_rate
        The length of a step; the schedule multiplies it.
    """

    name: str = ""  # each entry has its own
    learning_rate: Annotated[PositiveFloat, PER_REPLICA]

    @property
    def state(self) -> tuple[str, ...]:
        """The names of the arrays (R, P), at first 0, that the next step depends on."""
        return ()

    def constants(self, values: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:  # noqa: ARG002
        """Return further columns (R,) by name, computed from the hyperparameters (R,) in float64."""
        return {}

    @abstractmethod
    def step(self, stack: "StackOptimizer", learning_rate: FloatArray) -> None:
        """Move ``stack.parameters`` in place; ``learning_rate`` is (R,)."""


class StackOptimizer:
    """The optimizer of a stack: R entries of one program, bound to the network's (R, P) buffers.

    Parameters
    ----------
    frozen
        Where in the P parameters those lie that are to stay as they are, whatever an entry does to them.

    Attributes
    ----------
    parameters, gradients : (R, P), the network's buffers
    state : arrays of shape (R, P) that the next step depends on, by name
    steps : the number of steps taken; in a step, with that step
    values : the hyperparameters, (R,) in float64, by name
    columns : the same and the entry's constants, in the parameters' dtype, shaped to multiply (R, P)
    scratch, update : (R, P), workspace

    Raises
    ------
    ValueError
        If the entries are of different programs.
    """

    def __init__(
        self,
        entries: Sequence[Optimizer],
        parameters: FloatArray,
        gradients: FloatArray,
        frozen: Sequence[slice] = (),
    ) -> None:
        first = entries[0]
        if any(program_of(entry) != program_of(first) for entry in entries):
            raise ValueError("the optimizers of a stack must be of one program")
        self._first, self._frozen, self.steps = first, frozen, 0
        varying = [
            each for each in hyperparameters_of(type(first)).values() if isinstance(each.varies, PerReplica)
        ]
        self.values = {each.name: np.array([each.of(entry) for entry in entries], float) for each in varying}
        self.state = {name: np.zeros_like(parameters) for name in first.state}
        self._bind(parameters, gradients)

    def _bind(self, parameters: FloatArray, gradients: FloatArray) -> None:
        self.parameters, self.gradients = parameters, gradients
        self.scratch, self.update = np.empty_like(parameters), np.empty_like(parameters)
        constants = self._first.constants(self.values)
        self.columns = {name: self.column(each) for name, each in {**self.values, **constants}.items()}

    def keep_replicas(self, rows: IntArray, parameters: FloatArray, gradients: FloatArray) -> None:
        """Keep only the replicas in these rows; the buffers are the network's new ones."""
        self.state = {name: array[rows] for name, array in self.state.items()}
        self.values = {name: array[rows] for name, array in self.values.items()}
        self._bind(parameters, gradients)

    def step(self, learning_rate: FloatArray) -> None:
        """Take one step; ``learning_rate`` is (R,)."""
        self.steps += 1
        if not self._frozen:
            self._first.step(self, learning_rate)
            return
        kept = [self.parameters[:, each].copy() for each in self._frozen]
        self._first.step(self, learning_rate)
        for stretch, values in zip(self._frozen, kept, strict=True):
            self.parameters[:, stretch] = values

    def column(self, values: FloatArray) -> FloatArray:
        """Return values (R,) in the parameters' dtype, shaped to multiply (R, P)."""
        with np.errstate(over="ignore"):  # beyond float32's range they become infinite, which the loss shows
            column: np.ndarray[Any, np.dtype[Any]] = values.astype(self.parameters.dtype)
        # For a single replica a number without axes, which NumPy multiplies in half the time of a column.
        return column.reshape((-1, 1) if len(values) > 1 else ())

    def decayed_gradients(self) -> FloatArray:
        """Return the gradients of the loss plus ``weight_decay / 2 * |parameters|**2``, equation (O2)."""
        np.multiply(self.parameters, self.columns["weight_decay"], out=self.scratch)
        return np.add(self.gradients, self.scratch, out=self.scratch)

    def subtract(self, direction: FloatArray, learning_rate: FloatArray) -> None:
        """Subtract learning_rate (R,) * direction (R, P) from the parameters, equation (O1)."""
        np.multiply(direction, self.column(learning_rate), out=self.update)
        np.subtract(self.parameters, self.update, out=self.parameters)
