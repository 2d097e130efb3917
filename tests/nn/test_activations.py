"""Each activation's value and derivative, at ordinary places and far out."""

import numpy as np
import pytest

from micrograde.autograd import Variable
from micrograde.core.hyperparameters import hyperparameters_of
from micrograde.gradcheck.equations.activations import ACTIVATION_EQUATIONS
from micrograde.nn.activations import ACTIVATIONS
from micrograde.nn.activations.elu import ELU
from micrograde.nn.activations.leaky_relu import LeakyReLU

# x, then value and gradient of the exact form and of the one with tanh; computed with 60 digits.
TAILS = np.array(
    [
        "-1",
        "-0.158655253931",
        "-0.0833154705877",
        "-0.158808009392",
        "-0.0829640838458",
        "-3",
        "-0.00404969409489",
        "-0.0119456472042",
        "-0.00363739208177",
        "-0.011584166631",
        "-4",
        "-0.000126684967332",
        "-0.000503649661226",
        "-7.02459481924e-5",
        "-0.000335123197123",
        "-5",
        "-1.4332578594e-6",
        "-7.14694600179e-6",
        "-2.29179619663e-7",
        "-1.54636198753e-6",
        "-5.5",
        "-1.04442593562e-7",
        "-5.73347239874e-7",
        "-5.92764026388e-9",
        "-4.67655281081e-8",
        "-6",
        "-5.91952587023e-9",
        "-3.54687094539e-8",
        "-8.43964670076e-11",
        "-7.70997393095e-10",
        "-8",
        "-4.97676845942e-15",
        "-3.97960726109e-14",
        "-3.1077829375e-21",
        "-4.71478450411e-20",
        "-10",
        "-7.61985302416e-23",
        "-7.61840009646e-22",
        "-1.20409234821e-37",
        "-2.75763806385e-36",
    ],
    float,
).reshape(-1, 5)


@pytest.mark.parametrize(("name", "column"), [("gelu", 1), ("gelu_tanh", 3)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_the_tails_of_gelu_keep_their_digits(name, column, dtype, tolerance):
    activation, x = ACTIVATIONS[name](), TAILS[:, :1].astype(dtype)
    with np.errstate(all="raise"):
        value = activation.value(x)
        gradient = activation.gradient(x, value)
    np.testing.assert_allclose(value[:, 0], TAILS[:, column], rtol=tolerance)
    np.testing.assert_allclose(gradient[:, 0], TAILS[:, column + 1], rtol=tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nothing_overflows_and_nothing_becomes_nan(name, dtype):
    activation = ACTIVATIONS[name]()
    x = np.array([[-1e20, -1e4, -30.0, -1.0, 0.0, 1.0, 30.0, 1e4, 1e20]], dtype)
    before = x.copy()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = activation.value(x, np.full_like(x, np.nan))
        gradient = activation.gradient(x, value, np.full_like(x, np.nan))
        backward = activation.backward(np.full_like(x, 2), x, value, np.full_like(x, np.nan))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert value.dtype == gradient.dtype == backward.dtype == x.dtype
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(backward, 2 * gradient, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(activation.value(x), value)  # without out, the same
    np.testing.assert_array_equal(activation.gradient(x, value), gradient)


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu"])
def test_far_out_a_gated_unit_is_0_or_its_input(name):
    activation, x = ACTIVATIONS[name](), np.array([-1e20, -1e4, 1e4, 1e20])
    value = activation.value(x)
    np.testing.assert_array_equal(value, [0, 0, 1e4, 1e20])
    np.testing.assert_array_equal(activation.gradient(x, value), [0, 0, 1, 1])


@pytest.mark.parametrize(
    "activation",
    [*(entry() for entry in ACTIVATIONS.values()), LeakyReLU(negative_slope=0.3), ELU(alpha=2.5)],
    ids=repr,
)
def test_value_and_gradient_are_those_of_the_equation(activation):
    x = np.random.default_rng(0).standard_normal((6, 7)) * 3
    kind: type = type(activation)
    values = {name: each.of(activation) for name, each in hyperparameters_of(kind).items()}
    variable = Variable(x)
    output = ACTIVATION_EQUATIONS[activation.name](variable, **values)
    output.sum().backward()
    np.testing.assert_allclose(activation.value(x), output.value, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        activation.gradient(x, activation.value(x)), variable.grad, rtol=1e-11, atol=1e-15
    )


def test_at_0_a_leaky_relu_has_the_negative_slope():
    activation = LeakyReLU(negative_slope=0.25)
    assert activation.gradient(np.zeros(1), np.zeros(1)) == 0.25


@pytest.mark.parametrize(
    "name", [name for name, entry in ACTIVATIONS.items() if entry.saturation == "values"]
)
def test_where_an_output_is_saturated_the_slope_is_small(name):
    activation, x = ACTIVATIONS[name](), np.linspace(-8, 8, 1001)
    value = activation.value(x)
    saturated = activation.saturated(value)
    assert saturated.any()
    assert activation.gradient(x, value)[saturated].max() < 0.06
