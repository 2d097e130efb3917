import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograde import Variable
from micrograde.autograd import concatenate, constant

numbers = st.floats(-10, 10)
matrices = arrays(np.float64, (2, 3), elements=numbers)


def test_part_one_of_the_notebook(capsys):
    x = Variable(5.0)
    y = (x + 2) * 3
    y.backward()
    print("Value of y:", y)
    print("Gradient of x:", x)
    assert capsys.readouterr().out == (
        "Value of y: Variable(value=21.0, grad=1.0)\nGradient of x: Variable(value=5.0, grad=3.0)\n"
    )


def test_the_notebooks_constructor_and_attributes():
    a, b = Variable(1.0), Variable(2.0)
    made = Variable(3.0, 0.5, (a, b), "+")
    assert (made.value, made.grad, set(made._prev), made._op) == (3.0, 0.5, {a, b}, "+")
    total = a + b
    assert (set(total._prev), total._op) == ({a, b}, "+")
    assert (a._prev, a._op) == ((), "")


@given(numbers, numbers)
def test_operators_with_plain_numbers_on_either_side(a, b):
    x = Variable(a)
    for ours, plain in (
        (x + b, a + b), (b + x, b + a), (x - b, a - b), (b - x, b - a), (x * b, a * b), (b * x, b * a), (-x, -a),
    ):  # fmt: skip
        assert ours.value == plain
        assert type(ours.value) is float
    if b:
        assert (x / b).value == a / b
    if a:
        assert (b / x).value == b / a


@given(matrices, matrices)
def test_operators_with_arrays_on_either_side(a, b):
    x = Variable(a)
    for ours, plain in (
        (a + x, a + a),
        (b - x, b - a),
        (b * x, b * a),
        (b.T @ x, b.T @ a),
        (x @ b.T, a @ b.T),
    ):
        assert type(ours) is Variable
        np.testing.assert_array_equal(ours.value, plain)


@given(matrices, arrays(np.float64, (3,), elements=numbers), numbers)
def test_broadcasting_is_undone(a, row, number):
    x, y, z = Variable(a), Variable(row), Variable(number)
    ((x + y) * z).sum().backward()
    assert x.grad.shape == (2, 3)
    np.testing.assert_allclose(x.grad, np.full((2, 3), number))
    np.testing.assert_allclose(y.grad, np.full(3, 2 * number))
    assert type(z.grad) is float
    assert z.grad == pytest.approx((a + row).sum(), abs=1e-9)


@given(matrices, matrices, numbers, numbers)
def test_gradients_are_linear(a, seed, p, q):
    """The gradient of p f + q g is p times that of f plus q times that of g."""

    def gradient(of):
        x = Variable(a)
        of(x).backward(seed)
        return x.grad

    f, g = (lambda x: x.tanh()), (lambda x: x * x)
    combined = gradient(lambda x: f(x) * p + g(x) * q)
    np.testing.assert_allclose(combined, p * gradient(f) + q * gradient(g), rtol=1e-9, atol=1e-9)


def test_gradients_of_leaves_accumulate_and_those_between_do_not():
    x = Variable(3.0)
    y = x * x
    z = y * 2
    z.backward()
    z.backward()
    assert (x.grad, y.grad, z.grad) == (24.0, 2.0, 1.0)
    (y * 10).backward()  # another output that shares y
    assert (x.grad, y.grad) == (84.0, 10.0)
    z.zero_grad()
    assert (x.grad, y.grad, z.grad) == (0.0, 0.0, 0.0)
    z.backward()
    assert x.grad == 12.0


def test_a_variable_used_twice_gets_both_shares():
    x = Variable(2.0)
    (x * x + x).backward()
    assert x.grad == 5.0


def test_in_place_forms_make_new_nodes():
    a = b = Variable(1.0)
    a += 2
    a *= 3
    assert (a.value, b.value) == (9.0, 1.0)
    array = Variable(np.ones(2))
    before = array
    array -= 1
    np.testing.assert_array_equal(before.value, np.ones(2))
    a.backward()
    assert b.grad == 3.0


def test_comparison_is_by_identity():
    a, b = Variable(1.0), Variable(1.0)
    assert a != b
    assert len({a, b, a}) == 2


def test_an_array_needs_a_seed():
    x = Variable(np.arange(3.0))
    y = x * x
    with pytest.raises(ValueError, match=r"shape \(3,\) needs a gradient of that shape to start from"):
        y.backward()
    with pytest.raises(ValueError, match=r"has shape \(3,\), the gradient \(2,\)"):
        y.backward(np.ones(2))
    y.backward(np.array([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(x.grad, [0, 20, 400])


def test_constants_get_no_gradient():
    x, c = Variable(2.0), constant(3.0)
    (x * c).backward()
    assert (x.grad, c.grad) == (3.0, 0.0)
    with pytest.raises(ValueError, match="nothing that this Variable depends on requires a gradient"):
        (c * 2).backward()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Variable(np.ones((2, 3))) + Variable(np.ones(2)),
            r"\+: shapes \(2, 3\) and \(2,\) do not fit",
        ),
        (lambda: Variable(np.ones((2, 3))) @ np.ones((2, 3)), r"@: shapes \(2, 3\) and \(2, 3\) do not fit"),
        (lambda: np.ones(4) * Variable(np.ones(3)), r"\*: shapes \(4,\) and \(3,\) do not fit"),
        (lambda: Variable(np.ones(3)).reshape(2, 2), r"reshape: does not fit the shape \(3,\)"),
        (lambda: Variable(np.ones(3)).maximum(np.ones(4)), r"maximum: shapes \(3,\) and \(4,\) do not fit"),
        (lambda: concatenate([]), "at least one array"),
    ],
)
def test_shapes_that_do_not_fit_are_named_with_the_operation(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("value", ["text", 1 + 2j, None, np.array(["a"])])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="a number or an array of real numbers"):
        Variable(value)
    with pytest.raises(TypeError):
        Variable(1.0) + value


def test_the_edges_of_the_numbers_are_numpys():
    with np.errstate(all="ignore"):
        assert np.isnan(Variable(-1.0).log().value)
        assert Variable(0.0).log().value == -np.inf
        assert (Variable(1.0) / 0).value == np.inf
        assert np.isnan((Variable(0.0) / 0.0).value)
        assert Variable(1e4).exp().value == np.inf
        assert (Variable(10.0) ** 400).value == np.inf
        assert (Variable(1e308) * 10).value == np.inf
        assert np.isnan((Variable(-8.0) ** (1 / 3)).value)
        x = Variable(np.array([-1.0, 0.0, 1e4]))
        np.testing.assert_array_equal(x.log().value, np.log(x.value))
        np.testing.assert_array_equal((1 / x).value, 1 / x.value)


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_softmax_is_exact_for_logits_far_apart(a, b):
    x = Variable(np.array([a, b]))
    np.testing.assert_allclose(x.softmax().value.sum(), 1)
    logs = x.log_softmax()
    assert np.isfinite(logs.value).all()
    np.testing.assert_allclose(logs.value[0] - logs.value[1], a - b, rtol=1e-12, atol=1e-9)
    logs[0].backward()
    np.testing.assert_allclose(x.grad.sum(), 0, atol=1e-15)


def test_names_and_kept_types():
    x = Variable(np.ones(2, np.float32), name="weights")
    assert x.name == "weights"
    assert (x * 2).value.dtype == np.float32
    assert Variable([1, 2]).value.dtype == np.float64
    x.name = "w"
    assert (x.name, (x * 2).name) == ("w", "")
    assert len(x) == 2
    assert x.shape == (2,)


def test_integers_beside_an_index_and_concatenation():
    x, y = Variable(np.arange(6.0).reshape(2, 3)), Variable(np.ones((1, 3)))
    joined = concatenate([x, y, 2 * x, np.zeros((1, 3))])
    np.testing.assert_array_equal(
        joined.value, np.concatenate([x.value, y.value, 2 * x.value, np.zeros((1, 3))])
    )
    (joined[[0, 0, 2, 3]]).sum().backward()
    np.testing.assert_array_equal(x.grad, [[4, 4, 4], [0, 0, 0]])
    np.testing.assert_array_equal(y.grad, [[1, 1, 1]])
