import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data.labels import encode_labels


@given(st.lists(st.integers(-100, 100), min_size=1))
def test_labels_and_names_give_the_values_back(values):
    labels, names = encode_labels(np.array(values), "data.target=y")
    assert [int(names[label]) for label in labels] == values
    assert [int(name) for name in names] == sorted(set(values))


@pytest.mark.parametrize(
    ("values", "expected_labels", "expected_names"),
    [
        ([10, 2, 10], [1, 0, 1], ("2", "10")),
        ([1.0, 0.0, 1.0], [1, 0, 1], ("0", "1")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([True, False], [1, 0], ("False", "True")),
    ],
)
def test_kinds_of_labels(values, expected_labels, expected_names):
    labels, names = encode_labels(np.array(values), "data.target=y")
    assert labels.dtype == np.int64
    assert (labels.tolist(), names) == (expected_labels, expected_names)


@pytest.mark.parametrize("value", [0.5, np.inf])
def test_a_continuous_target_is_refused(value):
    with pytest.raises(InputError, match=f"data.target=price: holds continuous values such as {value}"):
        encode_labels(np.array([1.0, value]), "data.target=price")


def test_values_that_name_no_class_are_refused():
    with pytest.raises(InputError, match=r"data.target=day: holds values such as"):
        encode_labels(np.array(["2024-01-01"], dtype="datetime64[D]"), "data.target=day")


@pytest.mark.parametrize("bits", [0x7FF0000000000803, 0xFFF0000000000001, 0x7FF8000000000000])
@pytest.mark.filterwarnings("error")
def test_numbers_that_are_none_are_continuous_without_a_warning(bits):
    """Also a NaN that signals, of which NumPy warns when it rounds it."""
    values = np.array([bits, 0], np.uint64).view(np.float64)
    with pytest.raises(InputError, match="holds continuous values such as nan"):
        encode_labels(values, "data.labels=a")
