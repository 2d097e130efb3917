"""Excel workbooks have the values that Excel shows."""

import datetime
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from micrograde.core.errors import InputError
from micrograde.data import memory
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files import read_table

openpyxl = pytest.importorskip("openpyxl")  # an extra; the extra dev has it

NAMES = ["id", "day", "share", "f", "y"]


def rows(count: int = 20, odd_day: bool = False) -> list[list[Any]]:
    first = datetime.datetime(2024, 1, 1)
    found = [
        [1001 + row, first + datetime.timedelta(days=row), row / (count - 1), row % 7, "pq"[row % 2]]
        for row in range(count)
    ]
    if odd_day:
        found[4][1] = "unbekannt"
    return found


def write(
    lines: list[list[Any]],
    folder: Path,
    epoch: Any = None,
    merged: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
) -> Path:
    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    sheet = book.active
    sheet.title = "Daten"
    for line in lines:
        sheet.append(line)
    for cells in merged:
        sheet.merge_cells(cells)
    for name in others:
        book.create_sheet(name).append(["not this"])
    file = folder / "table.xlsx"
    book.save(file)
    return file


def read(file: Path, target: str | None = None, **said: Any) -> RawTable:
    return read_table(
        str(file), ReadingOptions(**said), targets=(target,) if target else (), source="data.path=table.xlsx"
    )


def refusal(file: Path, **said: Any) -> str:
    with pytest.raises(InputError) as refused:
        read(file, **said)
    return str(refused.value)


@pytest.mark.parametrize(
    "epoch", [openpyxl.utils.datetime.CALENDAR_WINDOWS_1900, openpyxl.utils.datetime.CALENDAR_MAC_1904]
)
def test_values_are_those_that_excel_shows(epoch, tmp_path):
    table = read(write([NAMES, *rows()], tmp_path, epoch).rename(tmp_path / "table"))
    columns = table.rows.to_pydict()
    assert [str(kind) for kind in table.rows.schema.types] == [
        "int64",
        "large_string",
        "double",
        "int64",
        "large_string",
    ]
    assert columns["id"][:2] == [1001, 1002]
    assert columns["day"][:2] == ["2024-01-01", "2024-01-02"]
    assert columns["day"][-1] == "2024-01-20"
    assert sum(columns["share"]) == pytest.approx(10)
    assert columns["y"] == ["p", "q"] * 10
    assert (table.found, table.notes) == ((), ())


def test_a_text_among_dates_or_numbers(tmp_path):
    lines = rows(odd_day=True)
    lines[3][0] = "none"
    lines[5][2] = None
    lines[6][4] = ""
    columns = read(write([NAMES, *lines], tmp_path)).rows.to_pydict()
    assert columns["day"][3:6] == ["2024-01-04", "unbekannt", "2024-01-06"]
    assert columns["id"][2:5] == ["1003", "none", "1005"]
    assert columns["share"][5] != columns["share"][5]  # NaN
    assert columns["y"][6] is None


def test_cells_of_every_kind(tmp_path):
    lines: list[list[Any]] = [
        ["truth", "clock", "moment", "mixed", "error"],
        [True, datetime.time(5, 3), datetime.datetime(2024, 1, 1, 5), 1.5, "#N/A"],
        [False, datetime.time(6), datetime.datetime(2024, 1, 2), True, 2],
        [None, None, None, datetime.datetime(2024, 1, 3), 3],
    ]
    table = read(write(lines, tmp_path))
    assert table.rows.to_pydict() == {
        "truth": [True, False, None],
        "clock": ["05:03:00", "06:00:00", None],
        "moment": ["2024-01-01 05:00:00", "2024-01-02 00:00:00", None],
        "mixed": ["1.5", "True", "2024-01-03"],
        "error": [None, 2, 3],
    }
    assert table.notes == (
        "data.path=table.xlsx: errors of Excel, such as #N/A, are missing values, in 'error' (1)",
    )


def test_formulas_without_a_stored_value_are_missing(tmp_path):
    lines = rows()
    for line in lines[:3]:
        line[3] = "=A1"
    lines[7][3] = None
    table = read(write([NAMES, *lines], tmp_path))
    assert table.rows["f"].null_count == 4
    assert table.notes == (
        "data.path=table.xlsx: 3 formulas have no stored value and are missing values; to have them, save the file in Excel",
    )


@pytest.mark.parametrize(
    ("above", "merged", "row"),
    [([["Messreihe 7"], []], (), 3), ([["Proben", None, "Werte", None, None]], ("A1:B1", "C1:E1"), 2), ([[None] * 8 + ["a note"], ["Messreihe 7"]], (), 3)],
)  # fmt: skip
def test_rows_above_the_names_are_a_line_that_says_what_to_type(above, merged, row, tmp_path):
    file = write([*above, NAMES, *rows()], tmp_path, merged=merged, others=("Notizen",))
    line = refusal(file)
    assert f"seem to stand in row {row} of sheet 'Daten'; set data.header={row} " in line
    assert line.endswith("data.sheet names another: 'Notizen'")
    found = read(file, header=row).rows
    assert found.equals(read(write([NAMES, *rows()], tmp_path)).rows)


def test_a_table_may_begin_anywhere_and_have_no_names(tmp_path):
    plain = read(write([NAMES, *rows()], tmp_path)).rows
    shifted = [[], [], *([None, None, *line] for line in [NAMES, *rows()])]
    assert read(write(shifted, tmp_path)).rows.equals(plain)
    table = read(write(rows(), tmp_path))
    assert table.rows.column_names == ["c1", "c2", "c3", "c4", "c5"]
    assert table.found == ("no header",)
    assert read(write([NAMES, *rows()], tmp_path), header=False).rows.num_rows == 21
    assert refusal(write([NAMES, *rows()], tmp_path), header=99).startswith(
        "data.header=99: there are no names in row 99"
    )
    years = [["land", 2019, 2020], *([f"{row}x", row * 1.5, row] for row in range(9))]
    assert read(write(years, tmp_path)).rows.column_names == ["land", "2019", "2020"]


def test_the_first_of_several_sheets_is_read_and_said(tmp_path):
    file = write([NAMES, *rows()], tmp_path, others=("Notizen", "2024"))
    assert read(file).notes == (
        "data.path=table.xlsx: sheet 'Daten', the first, is read; data.sheet names another: 'Notizen', '2024'",
    )
    assert read(file, sheet="daten").notes == ()
    assert read(file, sheet="1").rows.equals(read(file).rows)
    assert refusal(file, sheet="2024").startswith(
        "data.path=table.xlsx: sheet '2024' has columns but no rows"
    )
    assert (
        refusal(file, sheet="x")
        == "data.sheet=x: there is no such sheet in data.path=table.xlsx; there are 'Daten', 'Notizen', '2024'"
    )
    assert refusal(write([], tmp_path)) == "data.path=table.xlsx: sheet 'Daten' is empty"


def test_what_is_no_workbook_is_a_line(monkeypatch, tmp_path):
    file = write([NAMES, *rows()], tmp_path)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def pack(changed: dict[str, bytes]) -> Path:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {**parts, **changed}.items():
                archive.writestr(name, content)
        return file

    sheet = "xl/worksheets/sheet1.xml"
    assert "cannot be read as an Excel workbook" in refusal(pack({sheet: b"<worksheet"}))
    assert "cannot be read as an Excel workbook" in refusal(pack({"xl/workbook.xml": b""}))
    # Rows that are far away, and what a small archive unpacks to.
    far = re.sub(rb'r="21"', b'r="999999999"', parts[sheet])
    assert read(pack({sheet: far})).rows.num_rows == 19
    monkeypatch.setattr(memory, "physical_memory", lambda: 2**26)
    assert "the workbook, unpacked, takes" in refusal(pack({sheet: parts[sheet] + b" " * 2**22}))


def test_openpyxl_may_be_missing(monkeypatch, tmp_path):
    file = write([NAMES, *rows()], tmp_path)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    line = refusal(file)
    assert line.startswith(
        "data.path=table.xlsx: is an Excel workbook, for which openpyxl is not installed; "
    )
    assert "[excel]" in line
