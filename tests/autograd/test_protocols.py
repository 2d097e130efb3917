"""What Python asks of any object: truth, length, entries, copies, pickles; and operations on nothing."""

import copy
import pickle

import numpy as np
import pytest

from micrograde import Variable
from micrograde.autograd import concatenate, constant, nodes

DEPTH = 20_000


def unpickled(text):
    return pickle.loads(text)  # noqa: S301 (our own)


@pytest.mark.parametrize(
    ("value", "truth"),
    [(0.0, False), (2.0, True), (np.nan, True), (np.zeros(1), False), (np.ones((1, 1)), True)],
)
def test_the_truth_of_one_number(value, truth):
    assert bool(Variable(value)) is truth


@pytest.mark.parametrize("shape", [(2,), (2, 2), (0,), (1, 2)])
def test_the_truth_of_several_or_none_is_an_error(shape):
    with pytest.raises(ValueError, match=r"the truth value of a Variable of shape .* is ambiguous"):
        bool(Variable(np.zeros(shape)))


def test_a_number_has_no_length_and_no_entries():
    x = Variable(2.0)
    for ask in (len, iter, list, lambda x: x[0]):
        with pytest.raises(TypeError, match="holds a number"):
            ask(x)
    with pytest.raises(ValueError, match=r"one of these is a number; x.reshape\(1\)"):
        concatenate([x, x])
    concatenate([x.reshape(1), x.reshape(1)]).sum().backward()
    assert x.grad == 2.0
    for axis in (1, -2):
        with pytest.raises(ValueError, match=f"concatenate: there is no axis {axis} in the shape"):
            concatenate([Variable(np.ones(2))] * 2, axis=axis)


def test_entries_can_be_gone_through_and_looked_for():
    x = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
    first, second = x
    (first * second).sum().backward()
    np.testing.assert_array_equal(x.grad, [[3.0, 4.0], [1.0, 2.0]])
    assert 3.0 in x
    assert Variable(3.0) in x
    assert 5.0 not in x
    assert len(x) == 2
    assert x in {x}
    assert x not in {Variable(x.value)}  # a set goes by identity


@pytest.mark.parametrize("name", ["sum", "mean", "var"])
@pytest.mark.parametrize("value", [np.zeros(0), np.zeros((0, 3))], ids=str)
def test_reductions_of_nothing_have_a_gradient_of_nothing(name, value):
    x = Variable(value)
    with np.errstate(all="ignore"):
        y = getattr(x, name)()
        y.backward()
        assert y.value == 0.0 if name == "sum" else np.isnan(y.value)
    assert x.grad.shape == value.shape


@pytest.mark.parametrize("name", ["mean", "var"])
def test_reductions_over_an_axis_of_nothing_are_nan(name):
    x = Variable(np.zeros((3, 0)))
    with np.errstate(all="ignore"):
        y = getattr(x, name)(axis=1)
        y.backward(np.ones(3))
    assert np.isnan(y.value).tolist() == [True] * 3
    assert x.grad.shape == (3, 0)


def test_the_largest_of_nothing_is_an_error():
    with pytest.raises(ValueError, match=r"max: does not fit the shape \(0,\)"):
        Variable(np.zeros(0)).max()


def a_graph(value):
    x = Variable(value, name="x")
    y = (x * x).tanh() + x
    return x, y.sum() if x.shape else y


@pytest.mark.parametrize(
    "value", [0.3, np.array([0.3, -0.2]), np.linspace(-1, 1, 20_000)], ids=["one", "few", "many"]
)
def test_a_deep_copy_is_a_graph_of_its_own(value):
    x, y = a_graph(value)
    y.backward()
    other, end = copy.deepcopy((x, y))
    assert len(list(nodes(end))) == len(list(nodes(y)))
    assert not set(map(id, nodes(end))) & set(map(id, nodes(y)))
    assert any(node is other for node in nodes(end))
    assert (other.name, end.value) == ("x", y.value)
    np.testing.assert_array_equal(other.grad, x.grad)
    end.backward()
    np.testing.assert_allclose(other.grad, 2 * x.grad, rtol=1e-12)
    if other.shape:
        assert not np.shares_memory(other.value, x.value)
        other.value[0] = 9.0
        with pytest.raises(RuntimeError, match="changed in place"):
            end.backward()
        x.grad = 0.0
        y.backward()  # whose own array is as it was


def test_a_shallow_copy_is_made_from_the_same():
    x, y = a_graph(np.array([0.3, -0.2]))
    again = copy.copy(y)
    assert again is not y
    assert again._prev == y._prev
    again.backward()
    once = x.grad.copy()
    y.backward()
    np.testing.assert_array_equal(x.grad, 2 * once)


@pytest.mark.parametrize("value", [0.3, np.array([0.3, -0.2])], ids=str)
def test_a_pickle_keeps_the_value_and_not_the_graph(value):
    x, y = a_graph(value)
    y.backward()
    for variable in (x, y, constant(value)):
        back = unpickled(pickle.dumps(variable))
        np.testing.assert_array_equal(back.value, variable.value)
        np.testing.assert_array_equal(back.grad, variable.grad)
        assert (back.name, back.requires_grad, back._prev) == (variable.name, variable.requires_grad, ())
    back = unpickled(pickle.dumps(y))
    (back * 2).backward()


def test_depth_is_no_matter():
    x = y = Variable(1.0)
    for _ in range(DEPTH):
        y = y + x
    other = copy.deepcopy(y)
    assert (other.value, len(list(nodes(other)))) == (DEPTH + 1.0, DEPTH + 1)
    other.backward()
    assert x.grad == 0.0
    assert unpickled(pickle.dumps(y)).value == DEPTH + 1.0
    assert repr(other) == f"Variable(value={DEPTH + 1.0}, grad=1.0)"
    copy.copy(y).backward()
    assert x.grad == DEPTH + 1.0
