"""Numbers in the user's own unit: how they are read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.core.plain_numbers import plain_number
from micrograde.metrics import formatted, lower_is_better


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (46003.2, "46003"),
        (-46003.2, "-46003"),
        (9999.6, "10000"),
        (999.96, "1000"),
        (7316.4, "7316"),
        (12.3456, "12.35"),
        (0.0123456, "0.01235"),
        (1.23456e-5, "1.235e-05"),
        (1234567.8, "1234568"),
        (9.4e20, "9.4e+20"),
        (0.0, "0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_a_price_is_read_as_one(value, said):
    assert plain_number(value) == said


@given(st.floats(-1e14, 1e14, allow_nan=False))
def test_what_is_read_is_the_number_but_for_its_last_digits(value):
    said = plain_number(value)
    assert "e+" not in said
    assert math.isclose(float(said), value, rel_tol=6e-4, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("name", "said", "lower"),
    [
        ("kept/val/rmse", "46003", True),
        ("kept/val/rmse/price", "46003", True),
        ("kept/val/baseline_rmse", "46003", True),
        ("rmse mean", "46003", True),
        ("val/mae", "46003", True),
        ("kept/val/accuracy", "46003.2000", False),
        ("kept/val/baseline_accuracy", "46003.2000", False),
    ],
)
def test_errors_are_in_the_targets_unit_and_low_ones_are_good(name, said, lower):
    assert formatted(name, 46003.2, ".1f") == said
    assert lower_is_better(name) == lower
