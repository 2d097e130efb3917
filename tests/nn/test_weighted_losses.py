"""A loss with weights of rows: every entry's layer, its gradient and its equation."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.autograd import Variable
from micrograde.core.hyperparameters import hyperparameters_of
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS, LossEquation
from micrograde.nn import LOSSES
from micrograde.nn.classes import softmax
from micrograde.nn.losses import LossLayer, make_loss


def layer_of(name, dtype=np.float64):
    layer = make_loss(name).layer(dtype)
    assert isinstance(layer, LossLayer)
    return layer


def drawn(name, shape, seed=0):
    """Logits and targets of a loss."""
    random = np.random.default_rng(seed)
    logits, targets = random.standard_normal((2, *shape))
    if LOSSES[name].learns == "classes":
        targets = softmax(targets)
    elif LOSSES[name].learns == "truths":
        targets = (targets > 0).astype(np.float64)
    return 2 * logits, targets


@pytest.mark.parametrize("name", LOSSES)
def test_the_weighted_gradient_is_that_of_the_equation_by_autograd(name):
    logits, targets = drawn(name, (9, 3))
    shares = np.random.default_rng(1).uniform(0, 2, 9)
    layer, equation = layer_of(name), LOSS_EQUATIONS[name]
    numbers = {key: each.default for key, each in hyperparameters_of(LOSSES[name]).items()}
    found = layer.forward(logits, targets, shares, 1)
    for way in (equation.weighted, lambda *args, **more: LossEquation.weighted(equation, *args, **more)):
        traced = Variable(logits)
        loss = way(traced, targets, shares, **numbers)
        loss.backward()
        np.testing.assert_allclose(found, loss.value, rtol=1e-13)
        np.testing.assert_allclose(layer.backward(), traced.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@given(counts=st.lists(st.integers(0, 5), min_size=6, max_size=6).filter(any))
def test_a_weight_of_k_is_the_row_k_times(name, counts):
    logits, targets = drawn(name, (2, 6, 3))
    weighted, repeated = layer_of(name), layer_of(name)
    found = weighted.forward(logits, targets, np.array(counts, np.float64))
    again = repeated.forward(logits.repeat(counts, axis=1), targets.repeat(counts, axis=1))
    np.testing.assert_allclose(found, again, rtol=1e-13)
    starts = np.concatenate([[0], np.cumsum(counts)])
    of_rows = repeated.backward()
    summed = np.stack([of_rows[:, a:b].sum(axis=1) for a, b in pairwise(starts)], axis=1)
    np.testing.assert_allclose(weighted.backward(), summed, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", LOSSES)
def test_without_weights_a_layer_that_had_some_is_as_it_was(name):
    logits, targets = drawn(name, (2, 6, 3))
    layer, other = layer_of(name), layer_of(name)
    layer.forward(logits, targets, np.full((2, 6), 3.0))
    layer.backward()
    np.testing.assert_array_equal(layer.forward(logits, targets), other.forward(logits, targets))
    np.testing.assert_array_equal(layer.backward(), other.backward())
    np.testing.assert_array_equal(layer.evaluate(logits, targets), other.evaluate(logits, targets))


@pytest.mark.parametrize("name", LOSSES)
def test_weights_of_another_shape_are_refused(name):
    logits, targets = drawn(name, (2, 6, 3))
    with pytest.raises(ValueError, match=r"weights \(5,\) do not fit predictions \(2, 6, 3\)"):
        layer_of(name).forward(logits, targets, np.ones(5))
