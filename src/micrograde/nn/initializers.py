"""Initial weights of a network. The equations are in docs/backward/initializers.md."""

from collections.abc import Sequence

import numpy as np

from micrograde.nn.arrays import FloatArray

Generators = np.random.Generator | Sequence[np.random.Generator] | None

INITIALIZERS = ("normal", "xavier", "kaiming")


def initial_weights(
    initializer: str, input_size: int, output_size: int, generator: np.random.Generator | None = None
) -> FloatArray:
    """Return random weights of shape (input_size, output_size), float64.

    Parameters
    ----------
    initializer
        ``normal``: 0.01 N(0, 1), the notebook's (I1).
        ``xavier``: uniform, variance 2 / (inputs + outputs) (I2; Glorot & Bengio 2010).
        ``kaiming``: normal, variance 2 / inputs (I3; He et al. 2015).
    generator
        The stream to draw from; None draws from NumPy's global state, as the notebook does.
    """
    shape = (input_size, output_size)
    if initializer == "normal":
        return _standard_normal(shape, generator) * 0.01
    if initializer == "xavier":
        limit = np.sqrt(6.0 / (input_size + output_size))
        uniform = np.random.uniform if generator is None else generator.uniform
        return np.asarray(uniform(-limit, limit, shape))
    if initializer == "kaiming":
        return np.asarray(_standard_normal(shape, generator) * np.sqrt(2.0 / input_size))
    raise ValueError(f"initializer must be one of {', '.join(INITIALIZERS)}, got {initializer!r}")


def stacked_weights(
    initializer: str, input_size: int, output_size: int, generators: Generators = None
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


def _standard_normal(shape: tuple[int, int], generator: np.random.Generator | None) -> FloatArray:
    if generator is None:
        return np.asarray(np.random.standard_normal(shape))  # noqa: NPY002
    return generator.standard_normal(shape)
