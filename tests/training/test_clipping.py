"""Gradient clipping by norm and by value: PyTorch's rule, with a norm that does not overflow."""

import numpy as np
import pytest

from micrograde.nn import MLP
from micrograde.training.callbacks.clip import GradientClipping

NAN, INF = float("nan"), float("inf")


def clipped(gradients, *, norm=None, value=None):
    values = np.array(gradients)
    model = MLP(1, (), 1, batch_norm=False, generators=[np.random.default_rng(0)] * len(values))
    model.gradients = values
    columns = (None if limit is None else np.full(len(gradients), limit) for limit in (norm, value))
    with np.errstate(all="ignore"):
        GradientClipping(*columns).on_gradients(model)
    return model.gradients


def test_by_norm_a_longer_gradient_is_scaled_as_pytorch_does_and_a_shorter_one_is_untouched():
    found = clipped([[3.0, 4.0], [0.3, 0.4]], norm=1.0)
    np.testing.assert_allclose(found[0], np.array([3, 4]) / (5 + 1e-6), rtol=1e-15)
    assert found[1].tolist() == [0.3, 0.4]


def test_the_norm_of_large_gradients_does_not_overflow():
    large = np.full((1, 128), 1e19, np.float32)
    np.testing.assert_allclose(clipped(large, norm=2.0), 0.17677669529663687, rtol=1e-6)
    np.testing.assert_allclose(clipped(np.full((1, 128), 1e200), norm=2.0), 0.17677669529663687, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_limit_far_below_the_norm_does_not_make_gradients_zero(dtype):
    large, limit = np.finfo(dtype).max / 16, np.finfo(dtype).tiny * 64
    found = clipped(np.full((1, 4), large, dtype), norm=limit)
    np.testing.assert_allclose(found, limit / 2, rtol=1e-6)


def test_gradients_without_a_finite_norm_are_left_as_they_are():
    gradients = np.array([[NAN, 3.0], [INF, 3.0], [-INF, 3.0], [30.0, 40.0]])
    found = clipped(gradients, norm=1.0)
    np.testing.assert_array_equal(found[:3], gradients[:3])
    np.testing.assert_allclose(np.linalg.norm(found[3]), 1.0, rtol=1e-6)
    assert clipped(np.zeros((1, 3)), norm=1.0).tolist() == [[0.0, 0.0, 0.0]]


def test_by_value_each_gradient_is_cut_and_nan_stays():
    found = clipped([[NAN, -3.0, 0.5, INF]], value=1.0)
    np.testing.assert_array_equal(found, [[NAN, -1.0, 0.5, 1.0]])


def test_by_value_comes_before_by_norm():
    found = clipped([[100.0, 1.0]], norm=1.0, value=1.0)
    np.testing.assert_allclose(found, 1 / (np.sqrt(2) + 1e-6), rtol=1e-14)
