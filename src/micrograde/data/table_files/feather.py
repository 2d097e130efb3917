"""Feather tables: Arrow's own file format (IPC), and the older one that pandas wrote."""

from pathlib import Path

from micrograde.core.errors import InputError
from micrograde.data.memory import check_bytes
from micrograde.data.messages import first_line
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files.typed import typed_table


def read_feather_table(file: Path, options: ReadingOptions, target: str | None, source: str) -> RawTable:
    """Read a Feather table; see ``read_table``."""
    import pyarrow.feather

    try:
        check_bytes(source, file.stat().st_size, "the table")
        rows = pyarrow.feather.read_table(file, memory_map=False)
        rows.validate(full=True)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # Arrow does not document which errors it raises
        raise InputError(f"{source}: is no Feather table: {first_line(error)}") from None
    return typed_table(rows, target, source)
