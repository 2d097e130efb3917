"""What a picture of a column shows: every row is counted once, and none twice."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.narrowing import of_type

from micrograde.data.column_counts import Frequencies, Histogram, counts_of
from micrograde.data.columns import Column
from micrograde.data.roles import RoleSettings
from micrograde.data.roles.category import Category
from micrograde.data.roles.clock import Clock
from micrograde.data.roles.date import Date
from micrograde.data.roles.number import Number
from micrograde.data.roles.text import Text

SETTINGS = RoleSettings(missing_words=frozenset(["NA"]))
DRAWABLE = 1e300

floats = st.floats(allow_nan=True, allow_infinity=False)
numbers = st.one_of(
    arrays(np.float64, st.integers(1, 40), elements=floats),
    arrays(np.float64, st.integers(1, 40), elements=st.integers(-40, 40).map(float)),
)


def texts(*values):
    return Column.of_array("x", pa.array(values, pa.large_string()))


@given(numbers, st.integers(1, 8), st.data())
def test_each_number_is_in_one_bin_of_its_class_or_outside(values, classes, data):
    labels = data.draw(arrays(np.int64, len(values), elements=st.integers(0, classes - 1)))
    found = counts_of(Column("x", values), Number(), labels, classes)
    drawable = np.abs(values) < DRAWABLE
    if not drawable.any():
        assert found is None
        return
    found = of_type(Histogram, found)
    assert found.counts.shape == (len(found.edges) - 1, classes)
    assert found.counts.sum() + found.below + found.above == drawable.sum()
    assert (np.diff(found.edges) > 0).all()
    assert len(found.edges) <= 32
    assert (found.lowest, found.highest) == (values[drawable].min(), values[drawable].max())
    if not found.below + found.above:
        assert found.counts.sum(axis=0).tolist() == np.bincount(labels[drawable], minlength=classes).tolist()
    for low, high, counts in zip(found.edges, found.edges[1:], found.counts, strict=False):
        inside = (values >= low) & ((values < high) | ((high == found.edges[-1]) & (values == high)))
        assert inside.sum() == counts.sum()


def test_few_whole_numbers_have_a_bar_each():
    column = Column("x", np.array([1.0, 3.0, 3.0, 4.0]))
    found = of_type(Histogram, counts_of(column, Number(), np.array([0, 0, 1, 1]), 2))
    assert found.edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert found.counts.tolist() == [[1, 0], [0, 0], [1, 1], [0, 1]]


def test_a_number_far_from_all_others_is_left_outside():
    column = Column("x", np.append(np.linspace(0, 1, 999), 1e9))
    found = of_type(Histogram, counts_of(column, Number(), np.zeros(1000, np.int64), 1))
    assert (found.below, found.highest) == (0, 1e9)
    assert 1 <= found.above <= 5
    assert found.edges[-1] < 1.01


def test_dates_are_days_and_times_are_hours():
    dates = texts("2024-01-01", "2024-01-03", "", "2024-01-03")
    role = of_type(Date, Date.of(dates, SETTINGS))
    found = of_type(Histogram, counts_of(dates, role, np.zeros(4, np.int64), 1))
    days = (np.datetime64("2024-01-01") - np.datetime64("1970-01-01")).astype(int)
    assert (found.kind, found.lowest, found.highest) == ("date", days, days + 2)
    assert found.counts.sum(axis=1).tolist() == [1, 0, 2]
    times = texts("06:30", "18:00", "18:00")
    clock = of_type(Clock, Clock.of(times, SETTINGS))
    found = of_type(Histogram, counts_of(times, clock, np.zeros(3, np.int64), 1))
    assert (found.kind, found.lowest, found.highest, found.counts.sum()) == ("clock", 6.5, 18.0, 3)


def test_texts_are_counted_without_spaces_and_missing_ones_are_none():
    column = texts("b", " b", "a", "NA", "?", None, "b")
    role = of_type(Category, Category.of(column, SETTINGS))
    found = of_type(Frequencies, counts_of(column, role, np.array([0, 1, 1, 0, 0, 0, 1]), 2))
    assert found.names == ("b", "a")
    assert found.counts.tolist() == [[1, 2], [0, 1]]
    assert (found.others, found.other_rows) == (0, 0)


def test_only_the_categories_that_are_kept_are_named():
    column = texts(*["often"] * 9, *(f"rare{number}" for number in range(50)))
    role = of_type(Category, Category.of(column, SETTINGS))
    found = of_type(Frequencies, counts_of(column, role, np.zeros(59, np.int64), 1))
    assert (found.names, found.others, found.other_rows) == (("often",), 50, 50)


def test_what_is_left_out_has_no_counts():
    assert counts_of(texts("a", "b"), Text(reason="free text"), np.zeros(2, np.int64), 1) is None
