import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis.conditions import keep_where
from micrograde.core.errors import InputError

SIGNS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
integers = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(integers | st.none(), min_size=1), integers, st.sampled_from(sorted(SIGNS)))
def test_integers_compare_as_in_python_and_what_is_missing_meets_only_unequal(column, wanted, sign):
    runs = pd.DataFrame({"seed": pd.array(column, "Int64")})
    kept = list(keep_where(runs, [f"seed{sign}{wanted}"]).index)
    assert kept == [
        row for row, value in enumerate(column)
        if (sign == "!=" if value is None else SIGNS[sign](value, wanted))
    ]  # fmt: skip


def test_an_integer_column_takes_a_number_that_no_integer_is():
    runs = pd.DataFrame({"seed": pd.array([1, 2], "Int64")})
    assert list(keep_where(runs, ["seed>1.5"])["seed"]) == [2]
    assert keep_where(runs, ["seed>9999999999999999999"]).empty


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
def test_text_has_no_order(sign):
    runs = pd.DataFrame({"model.hidden_size": pd.Series(["8", "[8, 8]"], dtype="str")})
    with pytest.raises(InputError, match="is text here; compare it with = or !="):
        keep_where(runs, [f"model.hidden_size{sign}16"])
    assert list(keep_where(runs, ["model.hidden_size=[8, 8]"]).index) == [1]
