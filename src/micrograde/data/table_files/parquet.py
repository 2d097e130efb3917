"""Parquet tables."""

from pathlib import Path

from micrograde.data.plain_tables import parquet_rows
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files.typed import typed_table


def read_parquet_table(
    file: Path, _options: ReadingOptions, targets: tuple[str, ...], source: str
) -> RawTable:
    """Read a Parquet table; see ``read_table``."""
    return typed_table(parquet_rows(file, source, every_column=True), targets, source)
