import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis.typing_columns import typed

values = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
    st.lists(st.booleans(), min_size=1),
    st.lists(st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False), min_size=1),
)


@given(values, st.integers(0, 2))
def test_numbers_and_booleans_come_back_as_they_went_in(column, missing):
    back = typed([json.dumps(value) for value in column] + [None] * missing)
    assert list(back.dropna()) == column
    assert back.isna().sum() == missing
    assert back.dtype != "str"


@given(st.lists(st.text(min_size=1), min_size=1))
def test_text_stays_as_it_is(column):
    assert list(typed([*column, "tanh"]).dropna()) == [
        value for value in [*column, "tanh"] if value != "null"
    ]


def test_null_is_missing():
    back = typed(["null", "32"])
    assert back.isna().tolist() == [True, False]
    assert back.dtype == pd.Int64Dtype()


@pytest.mark.parametrize(
    "column",
    [
        ["007"],
        ["1", "٣"],
        ["9007199254740993", "0.5"],
        [str(2**63 + 1)],
        ["9" * 5000],
        ["1e400"],
        ["inf", "1"],
        [" 1"],
        ["1_000"],
    ],
)
def test_what_a_number_would_change_stays_text(column):
    assert list(typed(column)) == column
