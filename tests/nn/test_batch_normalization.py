import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.nn import BatchNormalization


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=30)
def test_training_output_has_the_mean_and_deviation_asked_for(rows, dim, seed):
    random = np.random.default_rng(seed)
    layer = BatchNormalization(dim, epsilon=0.0)
    layer.gamma[...] = random.uniform(0.5, 2, dim)
    layer.beta[...] = random.standard_normal(dim)
    output = layer.forward(3 + random.standard_normal((rows, dim)))
    np.testing.assert_allclose(output.mean(axis=0), layer.beta, atol=1e-9)
    np.testing.assert_allclose(output.std(axis=0), layer.gamma, rtol=1e-9)


def test_running_statistics_follow_pytorchs_convention():
    random = np.random.default_rng(0)
    layer = BatchNormalization(3)
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(5):
        batch = random.normal(2, 3, (7, 3))
        layer.forward(batch)
        mean = 0.9 * mean + 0.1 * batch.mean(axis=0)
        var = 0.9 * var + 0.1 * batch.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean)
    np.testing.assert_allclose(layer.running_var, var)
    np.testing.assert_allclose(layer.mean, batch.mean(axis=0))
    np.testing.assert_allclose(layer.var, batch.var(axis=0))

    before = layer.running_mean.copy(), layer.running_var.copy()
    row = random.standard_normal((1, 3))
    np.testing.assert_allclose(layer.evaluate(row), (row - mean) / np.sqrt(var + 1e-5))
    np.testing.assert_array_equal(before, (layer.running_mean, layer.running_var))


def test_evaluation_between_forward_and_backward_does_not_disturb_the_gradient():
    random = np.random.default_rng(1)
    layer, batch, slope = BatchNormalization(3), random.normal(size=(4, 3)), random.normal(size=(4, 3))
    layer.forward(batch)
    expected = layer.backward(slope).copy()
    layer.forward(batch)
    layer.evaluate(random.normal(size=(4, 3)))
    np.testing.assert_array_equal(layer.backward(slope), expected)


def test_one_row_in_training_is_refused():
    with pytest.raises(ValueError, match=r"at least 2 rows, got shape \(1, 3\)"):
        BatchNormalization(3).forward(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"expected a batch of shape \(N, 3\), got \(5, 4\)"):
        BatchNormalization(3).forward(np.zeros((5, 4)))
    with pytest.raises(ValueError, match="dim must be an integer of at least 1, got 0"):
        BatchNormalization(0)
