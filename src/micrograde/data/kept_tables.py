"""Tables that Python gave, kept in ``mlruns/data`` under the digest of their content: one file for each.

A run's recipe names the digest, so that replay, resume and the workers of other launchers find the rows, and
wherever the project is moved.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.core.errors import InputError
from micrograde.core.locks import SharedLock
from micrograde.core.project import project_home
from micrograde.data.messages import shortened
from micrograde.data.plain_columns import table_digest
from micrograde.data.plain_tables import parquet_rows

if TYPE_CHECKING:
    import pyarrow

FOLDER = "data"
"""The folder below ``mlruns``."""

_SHORT = 12  # digits that messages show
_HELD: dict[Path, SharedLock] = {}


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256, which a path can be made of."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def kept_file(mlruns: Path, digest: str) -> Path:
    """Return the path of a kept table, whether it is there or not.

    Raises
    ------
    InputError
        If the digest is none: a path could otherwise lead anywhere.
    """
    if not is_digest(digest):
        raise InputError(f"data.digest={shortened(digest)}: should be 64 hexadecimal digits")
    return mlruns / FOLDER / f"{digest}.parquet"


def kept_rows(digest: str) -> "pyarrow.Table":
    """Return the rows of a table that is kept in this project.

    Raises
    ------
    InputError
        If it is not there, or its content is no longer that of the digest.
    """
    mlruns = project_home() / "mlruns"
    file, source = kept_file(mlruns, digest), f"data.digest={digest[:_SHORT]}"
    if not file.is_file():
        raise InputError(
            f"{source}: the table that Python gave is no longer in {file.parent}; "
            "give the same data to mg.run again, or put the file back"
        )
    hold_table(file)
    rows = parquet_rows(file, source)
    if table_digest(rows) != digest:
        raise InputError(
            f"{source}: the table in {file} is not the one that Python gave; "
            "remove the file, and give the same data to mg.run again"
        )
    return rows


def hold_table(file: Path) -> bool:
    """Keep ``micrograde gc`` from removing a table while this process lives; return whether it is there."""
    if not file.is_file():
        if held := _HELD.pop(file, None):  # somebody has removed it by hand
            held.release()
        return False
    if file not in _HELD:
        try:
            _HELD[file] = SharedLock(file)
        except FileNotFoundError:
            return False
        except OSError:  # this file system has no locks, or the file cannot be read, which is said later
            pass
    return True


def write_table(rows: "pyarrow.Table", file: Path) -> None:
    """Write a table as Parquet; texts are encoded as dictionaries."""
    import pyarrow as pa
    import pyarrow.parquet

    texts = [field.name for field in rows.schema if pa.types.is_large_string(field.type)]
    pyarrow.parquet.write_table(rows, file, use_dictionary=texts, write_statistics=False)
