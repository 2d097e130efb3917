"""Floating-point flags that BLAS sets falsely are no warnings; what does overflow is still told."""

import ctypes

import numpy as np
import pytest

from micrograde.nn import MLP, CrossEntropyLoss, LinearLayer, one_hot

SIGNALLING = 0x7FA00001  # the bits of a NaN of float32 that sets the flag when it is added to anything
WORDS = 16384


class Words(ctypes.Structure):
    """So many that they are passed on the stack."""

    _fields_ = [("words", ctypes.c_uint32 * WORDS)]


@pytest.fixture
def leave_on_stack():
    """Leaves signalling NaNs where the next function called keeps its variables."""
    function = ctypes.CDLL(None).getpid
    function.argtypes = [Words]
    words = Words((ctypes.c_uint32 * WORDS)(*[SIGNALLING] * WORDS))
    return lambda: function(words)


@pytest.mark.parametrize("rows", range(2, 12))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sum_over_five_classes_is_no_warning(leave_on_stack, rows, dtype):
    random = np.random.default_rng(rows)
    logits = random.standard_normal((rows, 5)).astype(dtype)
    targets = one_hot(random.integers(0, 5, rows), 5, dtype)
    loss = CrossEntropyLoss(dtype=dtype)
    leave_on_stack()
    with np.errstate(all="raise"):
        found = loss.forward(logits, targets)
    assert found == pytest.approx(CrossEntropyLoss().forward(logits.astype(float), targets.astype(float)))


@pytest.mark.parametrize(
    ("rows", "inputs", "outputs"), [(3, 5, 1), (6, 1, 5), (1, 2, 5), (1, 5, 3), (7, 5, 2)]
)
def test_a_layer_that_multiplies_by_a_vector_gives_no_warning(leave_on_stack, rows, inputs, outputs):
    random = np.random.default_rng(0)
    layer = LinearLayer(inputs, outputs, generators=random, dtype="float32")
    exact = LinearLayer(inputs, outputs, generators=np.random.default_rng(0))
    x, grad = (random.standard_normal((rows, size)).astype("float32") for size in (inputs, outputs))
    with np.errstate(all="raise"):
        leave_on_stack()
        output = layer.forward(x)
        leave_on_stack()
        evaluated = layer.evaluate(x)
        leave_on_stack()
        grad_input = layer.backward(grad)
    np.testing.assert_allclose(output, exact.forward(x.astype(float)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(evaluated, output, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(grad_input, exact.backward(grad.astype(float)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.grad_weights, exact.grad_weights, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("hidden", [1, 4])
def test_numbers_that_overflow_are_a_warning(hidden):
    model = MLP(5, hidden, 5, generators=np.random.default_rng(0), dtype="float32", batch_norm=False)
    model.layer1.weights[...] = 1e30
    with pytest.warns(RuntimeWarning, match="overflow"):
        model.forward(np.full((3, 5), 1e30), np.eye(5)[:3])
