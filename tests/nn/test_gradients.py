"""Every hand-written gradient against central differences, over random architectures."""

from collections.abc import Callable

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.narrowing import of_type

from micrograde.nn import (
    ACTIVATIONS,
    INITIALIZERS,
    MLP,
    ActivationLayer,
    BatchNormalization,
    CrossEntropyLoss,
    one_hot,
)

TOLERANCE = 1e-7

networks = st.fixed_dictionaries(
    {
        "input_size": st.integers(1, 6),
        "hidden_size": st.lists(st.integers(1, 6), min_size=0, max_size=3),
        "output_size": st.integers(2, 5),
        "activation": st.sampled_from(sorted(ACTIVATIONS)),
        "batch_norm": st.booleans(),
        "initializer": st.sampled_from(sorted(INITIALIZERS)),
    }
)


def central_difference(loss: Callable[[], np.ndarray], array: np.ndarray, step: float = 3e-4) -> np.ndarray:
    """Fourth-order central differences of ``loss`` by each entry of ``array``, which is changed in place."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        moved = []
        for steps in (1, -1, 2, -2):
            array[index] = value + steps * step
            moved.append(loss())
        array[index] = value
        gradient[index] = (8 * (moved[0] - moved[1]) - (moved[2] - moved[3])) / (12 * step)
    return gradient


def relative_error(actual: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(actual - expected) / np.linalg.norm(expected))


def away_from_kinks(model: MLP, x: np.ndarray) -> bool:
    """Whether no kink, or jump of a second derivative, is so near that a difference would step over it."""
    out, margin = x, np.inf
    for layer in model.layers.values():
        if isinstance(layer, ActivationLayer) and layer.kind in ("relu", "leaky_relu", "elu"):
            margin = min(margin, np.abs(out).min())
        out = layer.forward(out)
    return bool(margin > 0.1)


@settings(max_examples=60)
@given(networks, st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_all_gradients_agree_with_central_differences(network, rows, seed):
    random = np.random.default_rng(seed)
    # Weights of the size that training ends at: with the notebook's 0.01 a difference is all rounding.
    model = MLP(**network, generators=random, initial_scale=30 if network["initializer"] == "normal" else 1)
    model.parameters += 0.1 * random.standard_normal(model.parameters.shape)
    x = random.standard_normal((rows, network["input_size"]))
    targets = random.dirichlet(np.ones(network["output_size"]), size=rows)
    of_type(CrossEntropyLoss, model.loss).epsilon = 0.0
    assume(away_from_kinks(model, x))
    # A feature that hardly varies makes the loss a cliff, where no difference of this step is exact.
    normalizers = [layer for layer in model.layers.values() if isinstance(layer, BatchNormalization)]
    assume(all(layer.var.min() > 1e-2 for layer in normalizers))

    def loss() -> np.ndarray:
        return model.forward(x, targets)

    expected = central_difference(loss, model.parameters)
    expected_input = central_difference(loss, x)
    assume(np.linalg.norm(expected) > 1e-3)
    assume(np.linalg.norm(expected_input) > 1e-3)
    loss()
    model.backward(input_gradient=True)

    assert relative_error(model.gradients, expected) < TOLERANCE
    assert relative_error(model.grad_input, expected_input) < TOLERANCE


@settings(max_examples=30)
@given(networks, st.integers(1, 4), st.integers(2, 8), st.sampled_from(["float32", "float64"]))
def test_a_replica_in_a_stack_is_the_network_alone(network, replicas, rows, dtype):
    random, classes = np.random.default_rng(5), network["output_size"]
    x = random.standard_normal((replicas, rows, network["input_size"])).astype(dtype)
    targets = one_hot(random.integers(0, classes, (replicas, rows)), classes, dtype)
    stack = MLP(**network, generators=[np.random.default_rng(r) for r in range(replicas)], dtype=dtype)
    losses = stack.forward(x, targets)
    stack.backward(input_gradient=True)
    for replica in range(replicas):
        alone = MLP(**network, generators=[np.random.default_rng(replica)], dtype=dtype)
        loss = alone.forward(x[replica : replica + 1], targets[replica : replica + 1])
        alone.backward(input_gradient=True)
        assert loss[0] == losses[replica]
        assert alone.gradients[0].tobytes() == stack.gradients[replica].tobytes()
        assert alone.statistics[0].tobytes() == stack.statistics[replica].tobytes()
        assert alone.grad_input[0].tobytes() == stack.grad_input[replica].tobytes()
        predicted = stack.predict_logits(x[replica])[replica]
        assert alone.predict_logits(x[replica])[0].tobytes() == predicted.tobytes()
