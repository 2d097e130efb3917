"""Initial weights of a network: one file for each distribution, found by itself.

The equations are in docs/backward/initializers.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from micrograde.core.registry import Registry
from micrograde.nn.arrays import FloatArray

INITIALIZERS: "Registry[type[Initializer]]" = Registry("initializer", __name__)

Generators = np.random.Generator | Sequence[np.random.Generator] | None
Stream = np.random.Generator | np.random.RandomState
"""What random numbers are drawn from: a replica's own stream, or NumPy's global one."""


@dataclass(frozen=True, kw_only=True)
class Initializer(ABC):
    """A distribution of initial weights; the fields are hyperparameters."""

    name: str = ""  # each entry has its own

    @abstractmethod
    def draw(self, input_size: int, output_size: int, stream: Stream) -> FloatArray:
        """Return random weights of shape (input_size, output_size), float64."""


def make_initializer(name: str) -> Initializer:
    """Return an initializer by its name, with the default hyperparameters.

    Raises
    ------
    InputError
        If there is no such initializer.
    """
    return INITIALIZERS[name]()


def initial_weights(
    initializer: str | Initializer,
    input_size: int,
    output_size: int,
    generator: np.random.Generator | None = None,
) -> FloatArray:
    """Return random weights of shape (input_size, output_size), float64.

    Parameters
    ----------
    initializer
        One of ``INITIALIZERS``, or its name.
    generator
        The stream to draw from; None draws from NumPy's global state, as the notebook does.
    """
    drawn = make_initializer(initializer) if isinstance(initializer, str) else initializer
    stream: Stream = np.random.mtrand._rand if generator is None else generator
    return drawn.draw(input_size, output_size, stream)


def stacked_weights(
    initializer: str | Initializer, input_size: int, output_size: int, generators: Generators = None
) -> FloatArray:
    """Return ``initial_weights``; for a sequence of R generators a stack (R, input_size, output_size).

    Each replica draws from its own generator, so its weights do not depend on the other replicas.
    """
    if generators is None or isinstance(generators, np.random.Generator):
        return initial_weights(initializer, input_size, output_size, generators)
    return np.stack([initial_weights(initializer, input_size, output_size, each) for each in generators])


def replica_axis(generators: Generators) -> tuple[int, ...]:
    """Return ``(R,)`` for a sequence of R generators, ``()`` for a single network."""
    if generators is None or isinstance(generators, np.random.Generator):
        return ()
    if not generators:
        raise ValueError("a stack needs at least one generator, got an empty sequence")
    return (len(generators),)
