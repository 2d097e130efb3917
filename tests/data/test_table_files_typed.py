"""Parquet and Feather tables have the values that they have as CSV, and cannot take more memory than is allowed."""

import datetime
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest

from micrograde.core.errors import InputError
from micrograde.data import memory
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files import read_table
from micrograde.data.table_files.arrow_sizes import arrow_sizes
from micrograde.data.table_files.typed import typed_table

DAY = datetime.date(2024, 1, 1)
COLUMNS: dict[str, Any] = {
    "whole": pa.array([1, 2, None]),
    "large": pa.array([2**64 - 1, 1, 2], pa.uint64()),
    "short": pa.array([0.1, None, 2], pa.float32()),
    "text": ["a", None, ""],
    "truth": [True, None, False],
    "day": pa.array([DAY, None, DAY]),
    "moment": pa.array([datetime.datetime(2024, 1, 1, 5), None, datetime.datetime(2024, 1, 2)], pa.timestamp("ms", "UTC")),
    "clock": pa.array([datetime.time(5, 3), None, datetime.time(6)], pa.time64("us")),
    "duration": pa.array([datetime.timedelta(hours=1), None, datetime.timedelta(seconds=1.5)]),
    "category": pa.array(["x", "y", None]).dictionary_encode(),
    "bytes": pa.array([b"x", "ü".encode(), None]),
    "decimal": pa.array([1, 2, None]).cast(pa.decimal128(25, 2)),
    "nothing": pa.nulls(3),
    "view": pa.array(["p", "q", None], pa.string_view()),
    "": ["n", "m", "o"],
}  # fmt: skip
PLAIN = {
    "whole": [1, 2, None],
    "large": [2**64 - 1, 1, 2],
    "short": [0.1, None, 2.0],
    "text": ["a", None, None],
    "truth": [True, None, False],
    "day": ["2024-01-01", None, "2024-01-01"],
    "moment": ["2024-01-01 05:00:00", None, "2024-01-02 00:00:00"],
    "clock": ["05:03:00", None, "06:00:00"],
    "duration": [3600.0, None, 1.5],
    "category": ["x", "y", None],
    "bytes": ["x", "ü", None],
    "decimal": [1.0, 2.0, None],
    "nothing": [None, None, None],
    "view": ["p", "q", None],
    "c15": ["n", "m", "o"],
}
LEFT_OUT: dict[str, Any] = {
    "list": [[1], [2], None],
    "pair": [{"a": 1}, {"a": 2}, None],
    "uuid": pa.array([b"x" * 16, b"y" * 16, None], pa.binary(16)),
}


def write(columns: dict[str, Any], file: Path, **options: Any) -> Path:
    if file.suffix == ".parquet" and int(pa.__version__.split(".")[0]) < 21:  # which writes no views
        columns = {name: column.to_pylist() if name == "view" else column for name, column in columns.items()}
    table = pa.table(columns)
    if file.suffix == ".parquet":
        pyarrow.parquet.write_table(table, file, **options)
    else:
        pyarrow.feather.write_feather(table, str(file), **options)
    return file


def read(file: Path, target: str | None = None) -> RawTable:
    return read_table(
        str(file), ReadingOptions(), targets=(target,) if target else (), source="data.path=table"
    )


def refusal(file: Path, target: str | None = None) -> str:
    with pytest.raises(InputError) as refused:
        read(file, target)
    return str(refused.value)


@pytest.mark.parametrize(
    ("ending", "options"),
    [(".parquet", {}), (".feather", {}), (".feather", {"compression": "zstd"}), (".arrow", {"compression": "uncompressed"}), (".feather", {"chunksize": 2})],
)  # fmt: skip
def test_every_type_is_what_csv_has_of_it(ending, options, tmp_path):
    file = write(COLUMNS | LEFT_OUT, tmp_path / f"table{ending}", **options)
    file = file.rename(tmp_path / "table.csv")  # the content decides
    table = read(file)
    assert {
        name: [None if value != value else value for value in column]
        for name, column in table.rows.to_pydict().items()
    } == PLAIN
    texts = "dictionary<values=large_string, indices=int32, ordered=0>"
    assert {str(kind) for kind in table.rows.schema.types} == {
        "int64",
        "uint64",
        "double",
        "bool",
        "large_string",
        texts,
    }
    assert all(column.num_chunks == 1 for column in table.rows.columns)
    assert table.notes == (
        "data.path=table: a column has no name; it is called 'c15', by its place",
        "data.path=table: column 'list' holds lists, and is left out",
        "data.path=table: column 'pair' holds struct<a: int64> values, and is left out",
        "data.path=table: column 'uuid' holds fixed_size_binary[16] values, and is left out",
    )
    assert (
        refusal(file, "list") == "data.path=table: the target 'list' holds lists; it needs classes or numbers"
    )


def test_a_dictionary_holds_what_stands_in_some_row():
    parts = [
        pa.DictionaryArray.from_arrays(
            pa.array([2, 0, None, 1], pa.int8()), pa.array(["a", "", "b", "unused"])
        ),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array(["c", "b", None])),
    ]
    (column,) = typed_table(pa.table({"x": pa.chunked_array(parts)}), (), "table").rows["x"].chunks
    assert column.to_pylist() == ["b", "a", None, None, "c", "b", None]
    assert column.dictionary.to_pylist() == ["b", "a", "c"]


def test_the_index_that_pandas_saves(tmp_path):
    frame = pd.DataFrame({"x": [1, 2, 3], "kind": ["a", "b", "a"]}, index=[5, 6, 7])
    frame.to_parquet(tmp_path / "table.parquet")
    table = read(tmp_path / "table.parquet")
    assert table.rows.column_names == ["x", "kind"]
    assert table.notes == ("data.path=table: an index without a name, which pandas has saved, is left out",)
    frame.rename_axis("id").to_parquet(tmp_path / "table.parquet")
    table = read(tmp_path / "table.parquet")
    assert table.rows.column_names == ["x", "kind", "id"]
    assert table.notes == ()


def test_what_is_no_table_is_a_line(tmp_path):
    file = write({"x": [1.5] * 99}, tmp_path / "table.feather")
    content = file.read_bytes()
    for length in range(6, len(content), 11):
        file.write_bytes(content[:length])
        assert refusal(file).startswith("data.path=table: is no Feather table: ")
    file.write_bytes(b"FEA1 and so on")
    assert refusal(file).startswith("data.path=table: is a Feather file of version 1")
    assert "has columns but no rows" in refusal(write({"x": pa.array([], pa.int64())}, file))
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", " a "])
    pyarrow.feather.write_feather(twice, str(file))
    assert "has more than one column named 'a'" in refusal(file)
    line = "column 'x' holds bytes that are no text, and is left out"
    assert read(write({"x": [b"\xff"], "y": [1]}, file)).notes == (f"data.path=table: {line}",)
    assert "has no column of numbers" in refusal(write({"x": [b"\xff"]}, file))


@pytest.mark.parametrize("compression", ["zstd", "lz4", "uncompressed"])
def test_sizes_are_what_arrow_unpacks(compression, tmp_path):
    columns = {"x": np.zeros(1000), "s": ["text"] * 1000, "d": pa.array(["u", "v"] * 500).dictionary_encode()}
    file = write(columns, tmp_path / "table.feather", compression=compression, chunksize=300)
    sizes = arrow_sizes(file)
    with pa.ipc.open_file(file) as reader:
        rows = reader.read_all()
    assert sizes.rows == 1000
    # Its own offsets, and padding to 8 or 64 bytes.
    assert rows.nbytes * 0.9 <= sizes.unpacked <= rows.nbytes + 64 * 4 * 12


def test_small_files_that_unpack_to_much(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "physical_memory", lambda: 2**28)
    rows = 2**18
    codes = np.arange(rows, dtype=np.int32) % 2
    texts = pa.DictionaryArray.from_arrays(codes, ["y" * 2**14, "z"])
    text = b"y" * 2**12
    view = np.array([len(text), int.from_bytes(text[:4], "little"), 0, 0], np.int32)  # which all rows share
    views = pa.Array.from_buffers(
        pa.string_view(), 2**14, [None, pa.py_buffer(np.tile(view, 2**14)), pa.py_buffer(text)]
    )
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), pa.array(["y" * 2**12]))
    bombs: list[tuple[str, dict[str, Any]]] = [
        ("the table, unpacked,", {"x": np.zeros(2**23)}),
        ("the table's text, a copy for each row,", {"x": runs}),
        ("262144 rows of 100 features", {f"x{place}": pa.nulls(rows) for place in range(100)}),
    ]
    file = tmp_path / "table.feather"
    for line, columns in bombs:
        write(columns, file, compression="zstd", chunksize=2**23)
        assert file.stat().st_size < 2**20
        assert refusal(file).startswith(f"data.path=table: {line}")
    # Texts of a dictionary are not copied.
    column = read(write({"x": texts}, file, compression="zstd")).rows["x"]
    assert column.nbytes < 2**21
    assert column.chunk(0).dictionary.to_pylist() == ["y" * 2**14, "z"]
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, pa.schema({"x": pa.string_view()})) as writer:
        writer.write_batch(pa.record_batch({"x": views}))
    file.write_bytes(buffer.getvalue())
    assert "the table's text" in refusal(file)
