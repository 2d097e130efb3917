import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.drawing.sweep.swept import TICKS, scale_of, shown


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.01, 0.1, 1.0], "log"),
        ([0.01, 0.1], "log"),
        ([16, 32, 64, 128, 256], "log"),
        ([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0], "log"),
        ([0.0, 0.3, 0.6, 0.9], "linear"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "linear"),
        ([0.1], "linear"),
        ([-1.0, 1.0, 100.0], "linear"),
        (["tanh", "relu"], "category"),
        ([True, False], "category"),
        ([16, 32, None], "category"),
        ([None, None], "category"),
        ([32, "[8, 8]"], "category"),
        ([1.0, float("inf")], "category"),
        ([-1e308, 1e308], "category"),
    ],
)
def test_the_kind_of_axis(values, kind):
    assert scale_of(values).kind == kind


@given(st.integers(0, 2**32), st.integers(20, 200))
def test_what_is_drawn_at_random_is_told_apart_by_how_it_is_spread(seed, runs):
    # One from each of as many equal parts: a sample without any plan may look like either.
    shares = (np.arange(runs) + np.random.default_rng(seed).random(runs)) / runs
    assert scale_of((10 ** (4 * shares - 4)).tolist()).kind == "log"
    assert scale_of(shares.tolist()).kind == "linear"


def test_categories_are_numbers_by_size_then_words_then_what_is_missing():
    scale = scale_of(["tanh", 64, None, "relu", 8, 64, pd.NA, float("nan")])
    assert scale.labels == ("8", "64", "relu", "tanh", "null")
    assert list(scale.positions) == [3, 1, 4, 2, 0, 1, 4, 4]


numbers = st.lists(st.floats(-1e6, 1e6) | st.integers(-1000, 1000), min_size=1, max_size=60)


@given(numbers, st.integers(0, 3))
def test_numbers_keep_their_order_and_lie_within_the_axis(values, missing):
    scale = scale_of([*values, *[None] * missing])
    positions = scale.positions[: len(values)]
    assert (np.diff(positions[np.argsort(np.array(values, float), kind="stable")]) >= 0).all()
    low, high = scale.limits
    assert low < np.nanmin(scale.positions)
    assert high > np.nanmax(scale.positions)
    assert ((scale.ticks >= low) & (scale.ticks <= high)).all()
    assert len(scale.ticks) == len(scale.labels)


def test_few_values_are_all_written_and_many_by_round_numbers():
    assert scale_of([0.1, 0.3, 1.0]).labels == ("0.1", "0.3", "1")
    many = scale_of(np.linspace(0.013, 0.987, 50).tolist())
    assert many.labels == ("0.2", "0.4", "0.6", "0.8")
    assert len(scale_of([f"word {number}" for number in range(100)]).labels) <= 2 * TICKS
    wide = scale_of(np.logspace(-5.3, 1.3, 50).tolist())
    assert wide.labels == ("1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10")


def test_labels_do_not_run_into_each_other():
    scale = scale_of([1.0, 1.001, 1.002, 5.0, 10.0])
    assert scale.labels == ("1", "5", "10")


def test_values_are_written_short_and_as_they_are():
    assert [shown(value) for value in (0.1 + 0.2, True, None, "a\nb", "x" * 40, "$x$")] == [
        "0.3", "true", "null", "a b", "x" * 15 + "…", "$x$",
    ]  # fmt: skip
