"""Text files as they stand: separators, quotes, line ends, encodings, rows of other lengths."""

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files import read_table
from micrograde.data.table_files import text as text_files
from micrograde.data.table_files.dialect import Dialect, is_blank

TREES = "height,leaf,species\n" + "".join(
    f"{20 + row * 0.5},{('needle', 'broad')[row % 2]},{('pine', 'oak')[row % 2]}\n" for row in range(40)
)
NO_HEADER = TREES.partition("\n")[2]


def read(
    content: str | bytes, folder: Path, name: str = "table.csv", target: str | None = None, **said: Any
) -> RawTable:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(str(path), ReadingOptions(**said), target=target, source="data.path=table.csv")


def rows_of(table: RawTable) -> list[list[str | None]]:
    return [list(row) for row in zip(*(column.to_pylist() for column in table.rows.columns), strict=True)]


def refusal(content: str | bytes, folder: Path, name: str = "table.csv", **said: Any) -> str:
    with pytest.raises(InputError) as refused:
        read(content, folder, name, **said)
    line = str(refused.value)
    assert line.isprintable()
    return line


# What csv.writer writes is read back.

values = st.text(st.characters(codec="cp1252", exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["", "1,5", "a;b;c", "x\ny", "\r", '"', 'say ""hi""', " ", "\t", "007", "NA", "1.234,50"]
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    return draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=8))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables(),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_what_csv_writes_reads_back(
    rows: list[list[str]], separator: str, line_end: str, quoting: Any, encoding: str, tmp_path: Path
) -> None:
    if any(set(value) & set("\r\n") - set(line_end) for row in rows for value in row):
        quoting = csv.QUOTE_ALL  # the writer does not quote the line ends of other systems
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerow([f"name {place}" for place in range(len(rows[0]))])
    writer.writerows(rows)
    said = {"encoding": "cp1252"} if encoding == "cp1252" else {}
    table = read(text.getvalue().encode(encoding), tmp_path, separator=separator, header=True, **said)
    assert rows_of(table) == [[value or None for value in row] for row in rows]
    assert all(column.type == pa.large_string() and column.num_chunks == 1 for column in table.rows.columns)


pieces = st.lists(
    st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", "a", "b c", " ", "é", "\x1f"]), max_size=30
)


@settings(max_examples=300, deadline=None)
@given(pieces)
@example(['"', "a", '"', "b c", ",", "\n"])
@example(["a", '"', ",", "b c"])
def test_arrow_and_the_csv_module_agree(pieces: list[str]) -> None:
    """The two ways to read a file are one, quotes and line ends in any place."""
    body = "".join(pieces).encode()
    width = 2
    by_csv = [
        row for row in csv.reader(io.StringIO(body.decode(), newline="")) if not is_blank(row, Dialect())
    ]
    try:
        columns = text_files._columns_by_arrow(memoryview(body), Dialect(), width)
    except (text_files._OtherWidthError, pa.ArrowInvalid):
        # Then the csv module reads it. Arrow refuses nothing else.
        assert not by_csv or any(len(row) != width for row in by_csv)
        return
    found = [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
    assert found == [[value or None for value in row] for row in by_csv]
