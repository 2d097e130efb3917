"""Write to MLflow's SQLite file in transactions that hold as much as there is to write."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from micrograde.store.calls import Caller
from micrograde.store.errors import BatchLostError
from micrograde.store.sqlite_files import lenient_text

_LOCKED_SECONDS = 20.0  # as MLflow waits

# SQLite's own cache, of 2 MB, is too small for a batch: pages are written, and the disk waited for, before
# the commit, and read again.
_CACHE = 32 * 1024  # KiB
_PRAGMAS = (
    "trusted_schema = off",
    "foreign_keys = on",
    "case_sensitive_like = on",
    f"cache_size = -{_CACHE}",
)


class SqlBatch:
    """A connection to MLflow's SQLite file, whose changes are committed together.

    A change is whole or absent, whatever fails in it. Those that are made while the batch is open become
    durable with ``commit``, which its end calls; those that are made while none is open, each at once.

    Parameters
    ----------
    make
        Makes the call that ends a transaction, which may wait for other programs. The one that begins it is
        part of a change, which the caller may repeat.
    """

    def __init__(self, database: Path, make: Caller) -> None:
        self._make = make
        # The thread that opens the writer is not always the one that writes; there is one at a time.
        self.connection = sqlite3.connect(
            database, timeout=_LOCKED_SECONDS, isolation_level=None, check_same_thread=False
        )
        self.connection.text_factory = lenient_text
        for pragma in _PRAGMAS:
            self.connection.execute(f"pragma {pragma}").close()
        self._depth = 0
        self._written = False  # something is not committed yet

    def open(self) -> None:
        """Begin a batch, or a part of the one that is open."""
        self._depth += 1

    def close(self) -> None:
        """End a batch, or a part of one; what it has written is committed.

        Raises
        ------
        BatchLostError
            If SQLite has taken it back.
        """
        self._depth -= 1
        if not self._depth:
            self.commit()

    def commit(self) -> None:
        """Make durable what was written; other programs see it from now on.

        If that fails, as on a full disk, all of it is taken back: else what is written next, such as the end
        of a run, would be a part of what has failed.
        """
        if not self._written:
            return
        try:
            self._make(self._commit)
        except BaseException:
            with suppress(sqlite3.Error):
                if self.connection.in_transaction:
                    self.connection.execute("rollback").close()
            self._written = False
            raise
        self._written = False

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Provide the connection for one change, which is whole or absent."""
        self._begin()
        connection = self.connection
        connection.execute("savepoint change")
        try:
            yield connection
        except BaseException as error:
            if not connection.in_transaction:
                self._written = False
                raise BatchLostError(str(error)) from error
            connection.execute("rollback to change")
            connection.execute("release change")
            if not self._depth:
                self.commit()
            raise
        connection.execute("release change")
        if not self._depth:
            self.commit()

    def _begin(self) -> None:
        if self._written:
            self._check()
            return
        # At once for writing: a transaction that goes from reading to writing is refused without waiting.
        self.connection.execute("begin immediate").close()
        self._written = True

    def _commit(self) -> None:
        self._check()
        self.connection.execute("commit").close()

    def _check(self) -> None:
        if not self.connection.in_transaction:
            self._written = False
            raise BatchLostError("what was written since the last commit was taken back by SQLite")

    def __del__(self) -> None:
        with suppress(Exception):
            self.connection.close()
