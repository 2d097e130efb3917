"""Losses of numbers and of yes or no: known values, laws, and agreement with their equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograde.autograd import Variable
from micrograde.gradcheck.equations.losses import LOSS_EQUATIONS
from micrograde.nn import LOSSES
from micrograde.nn.classes import logistic
from micrograde.nn.losses import make_loss
from micrograde.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from micrograde.nn.losses.cross_entropy import CrossEntropy
from micrograde.nn.losses.huber import Huber

BY_OUTPUT = [name for name in LOSSES if LOSSES[name].learns != "classes"]
ERRORS = np.array([-3, -2, -1, 0, 1, 2, 3, 2.5])
DOUBLES = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(("delta", "mean"), [(1.0, 1.375), (2.0, 2.0), (0.5, 0.796875)])
def test_huber_is_pytorchs_and_not_smooth_l1(delta, mean):
    loss, zeros = Huber(delta=delta), np.zeros((8, 1))
    assert loss.value(ERRORS[:, np.newaxis], zeros).mean() == pytest.approx(mean, rel=1e-15)


def test_huber_is_half_the_square_and_then_a_line():
    loss, zeros = Huber(delta=2.0), np.zeros((8, 1))
    assert loss.value(ERRORS[:, np.newaxis], zeros).tolist() == [4, 2, 0.5, 0, 0.5, 2, 4, 3]
    assert loss.gradient(ERRORS[:, np.newaxis], zeros)[:, 0].tolist() == [-2, -2, -1, 0, 1, 2, 2, 2]


def test_the_absolute_error_has_no_slope_where_there_is_no_error():
    gradient = make_loss("mae").gradient(ERRORS[:, np.newaxis], np.zeros((8, 1)))
    assert gradient[:, 0].tolist() == [-1, -1, -1, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("name", BY_OUTPUT)
@given(data=st.data())
def test_the_gradient_is_that_of_the_equation_by_autograd(name, data):
    rows, outputs = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 9))
    logits = data.draw(arrays(np.float64, (rows, outputs), elements=DOUBLES))
    targets = data.draw(arrays(np.float64, (rows, outputs), elements=DOUBLES))
    if LOSSES[name].learns == "truths":
        targets = (targets > 0).astype(np.float64)
    layer, traced = make_loss(name).layer(np.float64), Variable(logits)
    hyperparameters = {"delta": 1.0} if name == "huber" else {}
    loss = LOSS_EQUATIONS[name].batch(traced, targets, **hyperparameters)
    loss.backward()
    np.testing.assert_allclose(layer.forward(logits, targets), loss.value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.backward(), traced.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", BY_OUTPUT)
@given(data=st.data())
def test_a_replica_in_a_stack_has_the_bits_that_it_has_alone(name, data):
    shape = (3, data.draw(st.integers(1, 6)), data.draw(st.integers(1, 20)))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    logits, targets = (random.standard_normal(shape).astype(dtype) for _ in range(2))
    loss = make_loss(name)
    values, gradients = loss.value(logits, targets), loss.gradient(logits, targets)
    assert values.dtype == gradients.dtype == dtype
    for row in range(3):
        np.testing.assert_array_equal(loss.value(logits[row], targets[row]), values[row])
        np.testing.assert_array_equal(loss.gradient(logits[row], targets[row]), gradients[row])


@given(arrays(np.float64, (6, 1), elements=st.floats(-1e4, 1e4)), arrays(np.bool_, (6, 1)))
def test_one_logit_is_softmax_of_zero_and_that_logit(logits, truths):
    targets = truths.astype(np.float64)
    of_two = np.hstack([np.zeros_like(logits), logits])
    two = np.hstack([1 - targets, targets])
    one, softmax = BinaryCrossEntropy(), CrossEntropy()
    np.testing.assert_allclose(one.value(logits, targets), softmax.value(of_two, two), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        one.gradient(logits, targets), softmax.gradient(of_two, two)[:, 1:], rtol=1e-12, atol=1e-15
    )


def test_yes_or_no_is_exact_however_sure_the_network_is():
    logits = np.array([[-2e4], [2e4], [0.0], [-745.5]])
    loss = BinaryCrossEntropy()
    assert loss.value(logits, np.ones((4, 1))).tolist() == [2e4, 0.0, np.log(2), 745.5]
    assert loss.gradient(logits, np.ones((4, 1)))[:, 0].tolist() == [-1.0, 0.0, -0.5, -1.0]
    assert logistic(np.array([-np.inf, np.inf])).tolist() == [0.0, 1.0]
