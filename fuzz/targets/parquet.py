"""Parquet tables, as files only: what they are made of is Arrow's.

byte 0    ``data.missing``
rest      the file
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.parts import choose
from fuzz.target import Target
from micrograde.data.missing import MissingRule
from micrograde.data.plain_tables import read_parquet

_MISSING: tuple[MissingRule, ...] = ("error", "drop", "mean")


def _read(folder: Path, content: bytes) -> object:
    path = folder / "table.parquet"
    path.write_bytes(content[1:])
    return read_parquet(path=str(path), target="kind", missing=choose(content, 0, _MISSING))


def _file(columns: dict[str, Any], **options: Any) -> bytes:
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer, **options)
    return buffer.getvalue()


def _seeds() -> list[bytes]:
    tables: list[dict[str, Any]] = [
        {"x": [1.5, 2.0, None], "kind": ["a", "b", "a"]},
        {"x": [1, 2], "s": ["u", "v"], "b": [True, False], "kind": [3, 4]},
        {"x": [[1], [2]], "kind": ["a", "b"]},
        {"x": [{"y": 1}, {"y": 2}], "kind": ["a", "b"]},
    ]
    options: list[dict[str, Any]] = [
        {"compression": "none", "store_schema": False},
        {"compression": "gzip", "use_dictionary": False},
        {"compression": "zstd", "data_page_version": "2.0"},
    ]
    return [b"\1" + _file(table, **option) for table in tables for option in options]


def _bombs() -> list[bytes]:
    import pyarrow

    rows = 2**20
    codes = np.arange(rows, dtype=np.int32) % 2
    # Written as codes and two texts, and said to be texts, of which the rows have a great many GB.
    texts = pyarrow.DictionaryArray.from_arrays(codes, ["y" * 2**14, "z"])
    lists = pyarrow.ListArray.from_arrays(np.arange(2**8 + 1, dtype=np.int32) * 2**12, np.zeros(2**20))
    tables: list[dict[str, Any]] = [
        {"x": np.zeros(2**22), "kind": np.zeros(2**22)},
        {"x": texts, "kind": codes},
        {"x": codes, "kind": texts},
        {"x": lists, "kind": codes[: 2**8]},
        {"x": ["u" * 2**24, "v"], "kind": [1, 2]},
    ]
    return [b"\0" + _file(table, compression="zstd", store_schema=False) for table in tables]


PARQUET = Target("parquet", _read, _seeds, _bombs)
