"""A row of units below the names of the columns is no row of data."""

import pytest

from micrograde.data import load_dataset
from micrograde.data.raw_table import ReadingOptions
from micrograde.data.table_files import read_table
from micrograde.data.units_row import without_units


def without_units_in(text, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return without_units(read_table(str(path), ReadingOptions(), targets=(), source="table"), "table")


@pytest.mark.parametrize(
    ("units", "left_out"),
    [
        ("cm,kg,-", True),
        ("[cm],[10^3/µl],", True),
        ("cm,,unit", False),
        ("?,-,pine", False),
        ("unknown,missing,pine", False),
        ("<5,<7,pine", False),
        ("5,kg,pine", False),
        ("often,kg,pine", False),
    ],
)
def test_a_row_of_units_is_left_out_and_said(units, left_out, tmp_path):
    body = "".join(f"{row + 0.5},{row * 2},{('pine', 'oak')[row % 2]}\n" for row in range(30))
    more = "often,12,oak\n" if "often" in units else ""
    table = without_units_in(f"height,weight,kind\n{units}\n{body}{more}", tmp_path)
    assert table.rows.num_rows == 31 - left_out + bool(more)
    assert any("holds units and no numbers, and is left out" in note for note in table.notes) is left_out
    if left_out:
        assert table.rows.equals(without_units_in(f"height,weight,kind\n{body}", tmp_path).rows)


def test_units_of_the_only_column_of_numbers(tmp_path):
    body = "".join(f"{row + 0.5},{('pine', 'oak')[row % 2]}\n" for row in range(30))
    assert without_units_in(f"height,kind\ncm,\n{body}", tmp_path).rows.num_rows == 30
    assert without_units_in(f"height,kind\ntall,pine\n{body}", tmp_path).rows.num_rows == 31


def test_rows_keep_their_numbers_in_the_file(tmp_path):
    (tmp_path / "table.csv").write_text("height,weight,kind\ncm,kg,\n" + "1.5,2,p\n2.5,3,q\n" * 20)
    found = load_dataset("csv", seed=0, path=str(tmp_path / "table.csv"), target="kind")
    assert found.numbers is not None
    assert found.numbers.tolist() == list(range(2, 42))
