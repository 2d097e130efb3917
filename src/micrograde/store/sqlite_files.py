"""SQLite files that somebody else may have made: opened so that nothing in them runs, or goes on for ever.

SQLite keeps no types, and a file brings a schema of its own: what is called a table may be a view that
computes without end, a column may hold text of a gigabyte. What MLflow makes are plain tables.
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
"""Those of MLflow's tables that are read or written."""
_TRIGGERS = ("prevent_secrets_aad_mutation",)  # that MLflow makes
_STEPS = 200_000  # of SQLite's machine between two looks at the clock: a millisecond or so
_LONGEST_READ = 4 * LONGEST_VALUE  # bytes; of what is longer only the beginning is read, which takes longer


class StoreFileError(sqlite3.DatabaseError):
    """A file is no plain store of MLflow's; the message says what is wrong with it."""


class Clock:
    """How long SQLite computes: its own seconds, without those of waiting for a lock or for a disk."""

    def __init__(self) -> None:
        self.allowed = QUERY_SECONDS
        self._start = time.thread_time()

    def __call__(self) -> bool:
        """Whether it has been too long, which ends the query as ``interrupted``."""
        return time.thread_time() - self._start > self.allowed


def open_database(path: Path, wait: float, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to MLflow's file that commits nothing by itself, to look for something and mend it.

    ``wait`` for so many seconds for somebody who writes.

    Raises
    ------
    sqlite3.Error
        If it cannot be opened, or is no plain store of MLflow's.
    """
    address = f"file:{quote(os.fsencode(path))}?mode={'ro' if read_only else 'rw'}"
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
    """Have a connection trust nothing in its file, and end a query that does not end."""
    connection.execute("pragma trusted_schema = off").close()
    clock = Clock()
    connection.set_progress_handler(clock, _STEPS)
    return clock


def read_short(connection: sqlite3.Connection) -> None:
    """Have values that are longer than any that is sound, and text that is none, be an error."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_READ)
    connection.text_factory = str


def read_any(connection: sqlite3.Connection) -> None:
    """Have all be read, for queries that cut what is too long; what is no UTF-8 is replaced."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
    connection.text_factory = lenient_text


def is_unreadable_value(error: Exception) -> bool:
    """Whether ``read_any`` may help."""
    return isinstance(error, sqlite3.Error) and ("too big" in str(error) or "decode" in str(error))


def lenient_text(content: bytes) -> str:
    """The text, with U+FFFD for each byte that is no text."""
    return content.decode("utf-8", "replace")


def check_tables(
    connection: sqlite3.Connection, names: Collection[str], *, for_writing: bool = False
) -> None:
    """Raise ``StoreFileError`` if one of these is there as something else than a table.

    ``for_writing`` also if there is a trigger that MLflow has not made: code that runs at each change.
    """
    try:
        found = connection.execute(
            "select lower(substr(name, 1, 100)), type, rootpage, substr(tbl_name, 1, 100) from sqlite_master "
            "where type in ('table', 'view', 'trigger')"
        ).fetchall()
    except UnicodeDecodeError:  # of SQLite's own message, which repeats what cannot be read
        raise StoreFileError("its schema is damaged") from None
    for name, kind, root, table in found:
        if for_writing and kind == "trigger" and name not in _TRIGGERS:
            raise StoreFileError(f"has a trigger on {table} that is not MLflow's, by which code would run")
        if name in names and kind != "trigger" and not (kind == "table" and root):
            raise StoreFileError(f"its {name} is {'a view' if kind == 'view' else 'no plain table'}")


def reason_of_sqlite(error: BaseException) -> str:
    """What is wrong, in a few words."""
    return "a query of it does not end" if str(error) == "interrupted" else str(error)
