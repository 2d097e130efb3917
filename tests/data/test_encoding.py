import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.narrowing import not_none

from micrograde.core.errors import InputError
from micrograde.data import TableEncoding

TABLE = pd.DataFrame({"age": [30.0, 41.5], "colour": ["red", "blue"], "member": [True, False]})


@pytest.fixture
def encoding():
    return TableEncoding.fit(TABLE, "table")


@given(st.lists(st.text(), min_size=1))
def test_each_row_has_one_hot_feature_and_it_is_its_category(values):
    table = pd.DataFrame({"c": pd.Series(values, dtype=object)})
    encoding = TableEncoding.fit(table, "table")
    features = encoding.encode(table)
    assert np.array_equal(features.sum(axis=1), np.ones(len(values)))
    categories = not_none(encoding.categories[0])
    assert [categories[column] for column in features.argmax(axis=1)] == values


def test_columns_are_found_by_name(encoding):
    shuffled = TABLE.assign(extra="ignored")[["extra", "member", "colour", "age"]]
    assert np.array_equal(encoding.encode(shuffled), encoding.encode(TABLE))


def test_a_missing_number_is_nan(encoding):
    row = pd.DataFrame({"age": [None], "colour": ["red"], "member": [True]})
    assert np.array_equal(encoding.encode(row), [[np.nan, 0, 1, 0, 1]], equal_nan=True)


def test_integer_categories_are_the_same_as_floats():
    encoding = TableEncoding.fit(pd.DataFrame({"c": pd.Categorical([1, 2])}), "table")
    assert encoding.encode(pd.DataFrame({"c": [2.0, 1.0]})).tolist() == [[0, 1], [1, 0]]


def test_a_short_float_is_the_number_that_its_decimals_write_and_the_table_stays_as_it_is():
    encoding = TableEncoding((*"abc",), (None, None, None))
    table = pd.DataFrame({"a": [0.1, np.nan], "b": [0.1, 2.0], "c": [0.1, 2.0]})
    table = table.astype({"a": "float32", "b": "Float32", "c": "float16"})
    before = table.copy()
    assert np.array_equal(encoding.encode(table), [[0.1, 0.1, 0.1], [np.nan, 2, 2]], equal_nan=True)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_dates_are_the_categories_that_their_texts_are(unit):
    days = pd.Series(["2024-01-31", "2024-01-01"])
    encoding = TableEncoding.fit(pd.DataFrame({"day": days}), "table")
    dates = pd.to_datetime(days).dt.as_unit(unit)
    for column in (days, dates, dates.dt.tz_localize("UTC"), dates.dt.date, dates.astype("category")):
        assert encoding.encode(pd.DataFrame({"day": column})).tolist() == [[0, 1], [1, 0]]


def test_state_gives_the_same_encoding(encoding):
    assert TableEncoding.from_state(encoding.state()) == encoding


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": ["red", "green"]}, "holds the unknown category 'green'; known are 'blue', 'red'"),
        ({"colour": ["red", None]}, r"missing values in the categorical column 'colour' \(1\)"),
        ({"age": ["old", "young"]}, "column 'age' must hold numbers"),
        ({"age": [1.0, np.inf]}, "column 'age' holds 1 infinite values"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit(encoding, change, message):
    with pytest.raises(InputError, match=message):
        encoding.encode(TABLE.assign(**change))


def test_columns_that_are_not_there_are_named(encoding):
    with pytest.raises(InputError, match="table: has no column 'age', 'member'; it has 'colour'"):
        encoding.encode(TABLE[["colour"]])


def test_columns_that_are_there_twice_are_named(encoding):
    with pytest.raises(InputError, match="table: has more than one column 'age'"):
        encoding.encode(pd.concat([TABLE, TABLE[["age"]]], axis=1))
