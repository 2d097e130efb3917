"""Feather tables, Arrow's own file format (IPC)."""

from pathlib import Path

from micrograde.core.errors import InputError
from micrograde.data.memory import check_bytes, check_size
from micrograde.data.messages import first_line
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.table_files.arrow_sizes import arrow_sizes
from micrograde.data.table_files.typed import typed_table


def read_feather_table(
    file: Path, _options: ReadingOptions, targets: tuple[str, ...], source: str
) -> RawTable:
    """Read a Feather table; see ``read_table``."""
    import pyarrow as pa
    import pyarrow.ipc

    try:
        sizes = arrow_sizes(file)
        check_bytes(source, sizes.unpacked, "the table, unpacked,")
        with pa.OSFile(str(file), "rb") as stream, pyarrow.ipc.open_file(stream) as reader:
            check_size(source, sizes.rows, len(reader.schema))
            rows = reader.read_all()
        rows.validate(full=True)  # Arrow trusts the file's claims, such as that a text is UTF-8
    except (InputError, MemoryError):
        raise
    except Exception as error:  # Arrow does not document which errors it raises
        raise InputError(f"{source}: is no Feather table: {first_line(error)}") from None
    return typed_table(rows, targets, source)
