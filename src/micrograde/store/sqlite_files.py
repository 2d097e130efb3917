"""Open SQLite files of unknown origin so that no code in them runs, and no query runs for ever.

SQLite does not enforce types, and each file has its own schema: what is named like a table may be a view that
computes without end, and a column may hold a gigabyte of text. MLflow creates plain tables only.
"""

import os
import sqlite3
import time
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote

from micrograde.core.bounds import LONGEST_CELL, LONGEST_VALUE, QUERY_SECONDS

TABLES = frozenset(
    ("experiments", "runs", "tags", "params", "metrics", "latest_metrics", "logged_models", "model_versions",
     "trace_tags", "datasets", "inputs", "input_tags", "experiment_tags", "registered_models")
)  # fmt: skip
"""The tables of MLflow's that are read or written."""
_TRIGGERS = ("prevent_secrets_aad_mutation",)  # created by MLflow
_STEPS = 200_000  # instructions of SQLite's machine between two looks at the clock, a millisecond or so
_LONGEST_READ = 4 * LONGEST_VALUE  # bytes; longer values are read by a slower query that cuts them


class StoreFileError(sqlite3.DatabaseError):
    """A file is not a plain MLflow store; the message says what is wrong with it."""


class Clock:
    """Measures how long SQLite computes, without the time that it waits for a lock or a disk.

    Attributes
    ----------
    allowed
        Seconds of the thread's processor time, since the clock was made, after which a query is interrupted.
    """

    def __init__(self) -> None:
        self.allowed = QUERY_SECONDS
        self._start = time.thread_time()

    def __call__(self) -> bool:
        """Return whether the time is over; SQLite then ends the query with the error ``interrupted``."""
        return time.thread_time() - self._start > self.allowed


def open_database(path: Path, wait: float, *, read_only: bool = False) -> sqlite3.Connection:
    """Open MLflow's SQLite file, to read and to repair it; the caller begins and commits transactions.

    A transaction in whose middle a process has died is taken back, also with ``read_only``.

    Parameters
    ----------
    wait
        Seconds to wait for another process that writes.

    Raises
    ------
    sqlite3.Error
        If the file cannot be opened, or is not a plain MLflow store.
    """
    try:
        return _opened(path, wait, "ro" if read_only else "rw")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_READONLY_ROLLBACK":
            raise
        return _opened(path, wait, "rw")


def _opened(path: Path, wait: float, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path))}?mode={mode}"
    connection = sqlite3.connect(address, timeout=wait, isolation_level=None, uri=True)
    try:
        guard(connection)
        read_any(connection)
        check_tables(connection, TABLES, for_writing=True)
    except BaseException:
        connection.close()
        raise
    return connection


def guard(connection: sqlite3.Connection) -> Clock:
    """Make a connection distrust the schema of its file and interrupt endless queries; return its clock."""
    connection.execute("pragma trusted_schema = off").close()
    clock = Clock()
    connection.set_progress_handler(clock, _STEPS)
    return clock


def read_short(connection: sqlite3.Connection) -> None:
    """Make a connection raise an error for values that are too long and for text that is not UTF-8."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_READ)
    connection.text_factory = str


def read_any(connection: sqlite3.Connection) -> None:
    """Make a connection read any value, for queries that cut those that are too long.

    Bytes that are not UTF-8 are replaced by U+FFFD.
    """
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
    connection.text_factory = lenient_text


def is_unreadable_value(error: Exception) -> bool:
    """Return whether the error is one of ``read_short``, so that the query may succeed after ``read_any``."""
    return isinstance(error, sqlite3.Error) and ("too big" in str(error) or "decode" in str(error))


def lenient_text(content: bytes) -> str:
    """Decode UTF-8, with U+FFFD for invalid bytes."""
    return content.decode("utf-8", "replace")


def check_tables(
    connection: sqlite3.Connection, names: Collection[str], *, for_writing: bool = False
) -> None:
    """Raise ``StoreFileError`` if one of these names belongs to something other than a plain table.

    With ``for_writing``, also if there is a trigger that is not MLflow's: code that runs at each change.
    """
    try:
        found = connection.execute(
            "select lower(substr(name, 1, 100)), type, rootpage, substr(tbl_name, 1, 100) from sqlite_master "
            "where type in ('table', 'view', 'trigger')"
        ).fetchall()
    except UnicodeDecodeError:  # in SQLite's error message, which quotes the part that cannot be read
        raise StoreFileError("its schema is damaged") from None
    for name, kind, root, table in found:
        if for_writing and kind == "trigger" and name not in _TRIGGERS:
            raise StoreFileError(f"has a trigger on {table} that is not MLflow's, by which code would run")
        if name in names and kind != "trigger" and not (kind == "table" and root):
            raise StoreFileError(f"its {name} is {'a view' if kind == 'view' else 'no plain table'}")


def reason_of_sqlite(error: BaseException) -> str:
    """Return the reason for an error of SQLite's in a few words."""
    if getattr(error, "sqlite_errorname", "") == "SQLITE_READONLY_DBMOVED":
        return "its file was moved or removed while it was written to"
    return "a query takes too long" if str(error) == "interrupted" else str(error)
