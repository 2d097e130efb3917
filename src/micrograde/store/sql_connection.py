"""What statements of SQL are given to: SQLite's connection, or one of another database with the same methods.

Statements are of the SQL that both know: parameters are ``?``, and a row that may be there is inserted
with ``on conflict``.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Cursor(Protocol):
    """What a statement has found or changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""

    def fetchone(self) -> Any:
        """Return the next row; None if there is none."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""


class Connection(Protocol):
    """Runs statements, in the transaction of a batch."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Run a statement with its parameters."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run a statement that inserts a row, once for each row."""


class Batch(Protocol):
    """A connection whose changes are committed together; see ``SqlBatch``."""

    def open(self) -> None:
        """Begin a batch, or a part of the one that is open."""

    def close(self) -> None:
        """End a batch, or a part of one; what it has written is committed."""

    def commit(self) -> None:
        """Make durable what was written; other programs see it from now on."""

    def change(self) -> AbstractContextManager[Connection]:
        """Provide the connection for one change, which is whole or absent."""
