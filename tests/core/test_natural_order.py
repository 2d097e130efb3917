"""Values in the order in which somebody would list them."""

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from micrograde.core.natural_order import natural_key
from micrograde.drawing.sweep.swept import scale_of

numbers = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)


def test_numbers_then_lists_of_numbers_by_size_then_words_then_what_is_missing():
    wanted = [None, "relu", "[128]", "[16, 16]", 32, "8", "[8, 8]", "16", "null", "[a]", pd.NA, math.nan]
    listed = sorted(wanted, key=natural_key)
    assert listed[:9] == ["8", "[8, 8]", "16", "[16, 16]", 32, "[128]", "[a]", "null", "relu"]
    assert len(listed) == 12


@given(st.lists(numbers), st.lists(st.lists(numbers, max_size=4)))
def test_order_is_that_of_the_numbers(alone, lists):
    assert sorted(map(str, alone), key=lambda text: natural_key(text)[:2]) == [str(x) for x in sorted(alone)]
    assert [natural_key(each)[1] for each in sorted(map(str, lists), key=natural_key)] == sorted(
        tuple(map(float, each)) for each in lists
    )


@given(st.lists(st.text() | numbers | st.none() | st.booleans() | st.lists(st.integers())))
def test_whatever_there_is_can_be_sorted(values):
    keys = sorted(natural_key(value) for value in values)
    assert len(keys) == len(values)


def test_an_axis_has_hidden_sizes_by_size():
    scale = scale_of(["128", "[64, 32]", "8", "[16, 16]", "8", "[8, 8]"])
    assert scale.labels == ("8", "[8, 8]", "[16, 16]", "[64, 32]", "128")
    assert list(scale.positions) == [4, 3, 0, 2, 0, 1]
