"""Values that are changed between forward and backward: the gradient is that of the values computed with, or an error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde import Variable
from micrograde.autograd import concatenate, constant, no_grad

CHANGED = "an array was changed in place after .* was computed from it; change it after backward"
LARGE = 100_000  # of which a copy is kept, and not the bytes


def numbers(size=4):
    return np.linspace(1.0, 2.0, size)


IN_PLACE = {
    "an entry": lambda array: array.__setitem__(0, 10.0),
    "a little": lambda array: array.__setitem__(-1, np.nextafter(array[-1], 9)),
    "all": lambda array: np.add(array, 1, out=array),
    "the order": lambda array: array.sort(),
    "a view": lambda array: array[1:].fill(3.0),
    "to NaN": lambda array: array.__setitem__(0, np.nan),
}
READING = {
    "*": lambda x: x * x,
    "* constant": lambda x: constant(np.ones(x.shape)) * x * x,
    "/": lambda x: 1 / x,
    "**": lambda x: x**2,
    "@": lambda x: x @ x,
    "log": lambda x: x.log(),
    "relu": lambda x: x.relu(),
    "abs": lambda x: x.abs(),
    "max": lambda x: x.max(),
    "var": lambda x: x.var(),
    "maximum": lambda x: x.maximum(1.5),
    "a view of it": lambda x: x.reshape(2, -1).T[0] ** 2,
    "a slice of it": lambda x: x[:-1] * x[1:],
}


@pytest.mark.parametrize("size", [4, LARGE])
@pytest.mark.parametrize("change", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("make", READING.values(), ids=READING)
def test_an_array_changed_in_place_that_the_gradient_needs_is_noticed(size, change, make):
    x = Variable(numbers(size)[::-1].copy())
    y = make(x).sum() if make(x).shape else make(x)
    y.backward()
    change(x.value)
    with pytest.raises(RuntimeError, match=CHANGED):
        y.backward()


NOT_READING = {
    "+": (lambda x: x + 1, 1.0), "-": (lambda x: 2 - x, -1.0), "neg": (lambda x: -x, -1.0), "sum": (lambda x: x.sum(), 1.0),
    "mean": (lambda x: x.mean(), 0.25), "* number": (lambda x: x * 3, 3.0), "/ number": (lambda x: x / 2, 0.5),
    "concatenate": (lambda x: concatenate([x, x]), 2.0),
}  # fmt: skip


@pytest.mark.parametrize(("make", "slope"), NOT_READING.values(), ids=NOT_READING)
def test_a_change_that_the_gradient_does_not_depend_on_is_none_of_its_business(make, slope):
    x = Variable(numbers())
    y = make(x).sum()
    x.value[0] = 10.0
    y.backward()
    np.testing.assert_array_equal(x.grad, np.full(4, slope))


@pytest.mark.parametrize(
    "make", [lambda x: x.tanh(), lambda x: x.exp(), lambda x: x.sigmoid(), lambda x: x.softmax()]
)
def test_what_is_read_of_the_output_alone_stays_right(make):
    x, same = Variable(numbers()), Variable(numbers())
    weights = np.arange(4.0)
    y = make(x)
    y.backward(weights)
    make(same).backward(weights)
    z = make(x)
    x.value[:] = 7.0
    x.grad = 0.0
    z.backward(weights)
    np.testing.assert_array_equal(x.grad, same.grad)


def test_the_users_own_array_and_constants_are_looked_at_as_well():
    for change in IN_PLACE.values():
        own, factor = numbers()[::-1].copy(), numbers()[::-1].copy()
        x = Variable(own)
        square, scaled = (x * x).sum(), (x * factor).sum()
        change(own)
        with pytest.raises(RuntimeError, match=CHANGED):
            square.backward()
        scaled.backward()  # which needs the factor alone
        change(factor)
        with pytest.raises(RuntimeError, match=CHANGED):
            scaled.backward()


def test_a_change_that_is_taken_back_is_none():
    x = Variable(np.array([1.0, np.nan]))
    y = (x * x).sum()
    x.value[0] = 5.0
    x.value[0] = 1.0
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, np.nan])


def test_a_value_that_is_replaced_leaves_the_graph_what_it_was():
    for value, other in ((2.0, 5.0), (numbers(), numbers() + 3), (numbers(LARGE), numbers(LARGE) + 3)):
        x = Variable(value)
        y = (x * x * 3).sum() if x.shape else x * x * 3
        x.value = other
        y.backward()
        np.testing.assert_array_equal(x.grad, 6 * value)
        assert x.value is other
    x.value = 3  # as in the constructor
    assert (x.value, x.shape) == (3.0, ())


def test_training_in_place_and_by_replacement_go_the_same_way():
    own = numbers()
    in_place, replaced, scalar = Variable(own), Variable(numbers()), Variable(2.0)
    for _ in range(5):
        for x in (in_place, replaced, scalar):
            x.grad = 0.0
        (in_place * in_place).sum().backward()
        (replaced * replaced).sum().backward()
        (scalar * scalar).backward()
        in_place.value -= 0.1 * in_place.grad
        replaced.value = replaced.value - 0.1 * replaced.grad
        scalar.value -= 0.1 * scalar.grad
    np.testing.assert_array_equal(in_place.value, replaced.value)
    assert in_place.value is own
    assert scalar.value == pytest.approx(2 * 0.8**5)


def test_differences_by_changing_entries_need_no_care():
    """Forward alone, again and again: nothing is looked at."""
    x = Variable(numbers())
    (x**3).sum().backward()
    for index in range(4):
        there = x.value[index]
        x.value[index] = there + 1e-6
        above = (x**3).sum().value
        x.value[index] = there - 1e-6
        below = (x**3).sum().value
        x.value[index] = there
        assert (above - below) / 2e-6 == pytest.approx(x.grad[index])


def test_what_an_operation_gave_cannot_be_changed_under_its_graph():
    x = Variable(numbers())
    y = x * 2
    for change in IN_PLACE.values():
        with pytest.raises(ValueError, match="read-only"):
            change(y.value)
    with pytest.raises(ValueError, match="read-only"):
        y.value += 1
    with pytest.raises(
        ValueError, match=r"value: this Variable is the result of \*, so its value cannot be set"
    ):
        y.value = numbers()
    y.value.copy()[0] = 1.0
    with no_grad():
        free = x * 2
    free.value[0] = 1.0  # it is in no graph
    (constant(numbers()) * 2).value[0] = 1.0


def test_constants_that_were_computed_are_looked_at_where_a_gradient_needs_them():
    x, factor = Variable(numbers()), constant(numbers()) * 2
    y = (x * factor).sum()
    factor.value[0] = 9.0
    with pytest.raises(RuntimeError, match=CHANGED):
        y.backward()


def test_of_a_large_array_used_again_and_again_one_copy_is_kept():
    x = Variable(numbers(LARGE))
    made = [x * factor * x for factor in range(5)]
    assert x._x is not None
    first = x._x
    made.append(x * x)
    assert x._x is first
    x.value[0] = 9.0
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * x.value)
    with pytest.raises(RuntimeError, match=CHANGED):
        made[-1].sum().backward()


@given(st.lists(st.sampled_from(["square", "in place", "replace", "backward"]), max_size=12))
@settings(max_examples=60)
def test_whatever_happens_in_whatever_order_no_gradient_is_wrong(events):
    """Each graph either has the gradient of the values it was computed with, or raises."""
    x, graphs = Variable(numbers(3)), []
    for event in events:
        if event == "square":
            graphs.append(((x * x).sum(), x.value.copy(), x.value))
        elif event == "in place":
            x.value[1] += 1
        elif event == "replace":
            x.value = x.value * 2
        else:
            for y, then, array in graphs:
                x.grad = 0.0
                if np.array_equal(array, then):
                    y.backward()
                    np.testing.assert_array_equal(x.grad, 2 * then)
                else:
                    with pytest.raises(RuntimeError, match=CHANGED):
                        y.backward()
