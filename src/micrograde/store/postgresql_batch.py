"""Write to MLflow's tables in PostgreSQL, in transactions that hold as much as there is to write.

A connection may be lost at any moment, and with it what was not committed; or the answer to a commit is lost,
and nobody knows whether that went well. So every statement that writes can be run twice without harm, and
those since the last commit are kept, to be run again on the next connection.
"""

import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from micrograde.store.calls import Caller
from micrograde.store.errors import BatchLostError
from micrograde.store.sql_connection import Connection, Cursor

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 8  # as long as an answer of a server is waited for
_ANSWER_SECONDS = 30.0  # for the answer to one statement, which may insert 50,000 rows
_TYPES: dict[type, str] = {str: "text", float: "double precision", int: "bigint", bool: "boolean"}
_LASTING = re.compile(r"authentication failed|does not exist|no password supplied|pg_hba\.conf|invalid")
_TOO_LARGE = "54"  # a class of errors that are the values' fault
_VALUES = re.compile(r"values\s*\([?,\s]*\)")


class PostgresqlBatch:
    """A connection to PostgreSQL, whose changes are committed together; made when it is first needed.

    As with ``SqlBatch``, a change is whole or absent, and those that are made while the batch is open become
    durable with ``commit``. An error that ``may_pass`` loses nothing: the change that raised it, or the
    commit, can be repeated, and what was written before is written again then.

    Parameters
    ----------
    make
        Makes the call that ends a transaction, and repeats it while the database is away.
    """

    def __init__(self, address: str, make: Caller) -> None:
        self._address, self._make = address, make
        self._connection: psycopg.Connection[Any] | None = None
        self._watch: Watch | None = None
        self._depth = 0
        self._begun = False
        self._written: list[_Statement] = []  # since the last commit, by changes that were whole

    def open(self) -> None:
        """Begin a batch, or a part of the one that is open."""
        self._depth += 1

    def close(self) -> None:
        """End a batch, or a part of one; what it has written is committed.

        Raises
        ------
        BatchLostError
            If it was lost with a connection, and the database does not take it a second time.
        """
        self._depth -= 1
        if not self._depth:
            self.commit()

    def commit(self) -> None:
        """Make durable what was written; other programs see it from now on."""
        if self._begun or self._written:
            self._make(self._commit)

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """Provide the connection for one change, which is whole or absent."""
        with self._dropped_if_lost():
            connection = self._begin()
            self._run(_Statement("savepoint change"))
        statements: list[_Statement] = []
        try:
            yield _Recorder(self, statements)
        except Exception as error:
            if is_lost(error) or connection.closed:
                self._drop()
            else:
                with self._dropped_if_lost():
                    self._run(_Statement("rollback to change"))
            if not self._depth:
                self.commit()
            raise
        with self._dropped_if_lost():
            self._run(_Statement("release change"))
        self._written += statements
        if not self._depth:
            self.commit()

    def run(self, statement: "_Statement") -> Cursor:
        """Run a statement of the change that is open."""
        return self._run(statement)

    def _run(self, statement: "_Statement") -> Cursor:
        assert self._connection is not None
        assert self._watch is not None
        with self._watch:
            done: Cursor = self._connection.execute(statement.text.encode(), statement.values)
            return done

    def _begin(self) -> "psycopg.Connection[Any]":
        """Return the connection, in a transaction that holds what was written since the last commit."""
        if self._connection is None:
            self._connection = connected(self._address, autocommit=True)
            self._watch = Watch(self._connection)
        if self._begun:
            return self._connection
        self._run(_Statement("begin"))
        self._begun = True
        for statement in self._written:  # of a transaction that was lost
            try:
                self._run(statement)
            except Exception as error:
                if is_lost(error):
                    raise
                self._drop()
                self._written.clear()
                raise BatchLostError(str(error)) from error
        return self._connection

    def _commit(self) -> None:
        with self._dropped_if_lost():
            self._begin()
            self._run(_Statement("commit"))
        self._begun = False
        self._written.clear()

    @contextmanager
    def _dropped_if_lost(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if is_lost(error):
                self._drop()
            raise

    def _drop(self) -> None:
        """Close the connection; the next change or commit makes another, and writes again what was lost."""
        connection, self._connection, self._begun = self._connection, None, False
        if connection is not None:
            with suppress(Exception):
                connection.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self._drop()


class _Statement:
    """A statement in PostgreSQL's words, with its parameters."""

    def __init__(self, text: str, values: Sequence[Any] = ()) -> None:
        self.text, self.values = text, values


class _Recorder:
    """What a change writes with: the statements that write are noted."""

    def __init__(self, batch: PostgresqlBatch, statements: list[_Statement]) -> None:
        self._batch, self._statements = batch, statements

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Run a statement with its parameters."""
        return self._run(_Statement(_with_placeholders(statement), values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Insert all rows by one statement, whose parameters are the columns."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        if columns:
            types = tuple(_type_of(column) for column in columns)
            self._run(_Statement(_of_columns(statement, types), columns))

    def _run(self, statement: _Statement) -> Cursor:
        done = self._batch.run(statement)
        if not statement.text.lstrip().startswith("select"):
            self._statements.append(statement)
        return done


class Watch:
    """Ends a connection whose database does not answer a statement, as if the database had closed it.

    A process that was stopped, or a machine that is gone without a word, would be waited for without end.
    """

    def __init__(self, connection: "psycopg.Connection[Any]", seconds: float = _ANSWER_SECONDS) -> None:
        self._connection, self._seconds = connection, seconds
        self._since: float | None = None
        threading.Thread(target=self._look, daemon=True).start()

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *exception: object) -> None:
        self._since = None

    def _look(self) -> None:
        while not self._connection.closed:
            time.sleep(1)
            since = self._since
            if since is not None and time.monotonic() > since + self._seconds:
                with suppress(Exception), self._copy() as waiting:
                    waiting.shutdown(socket.SHUT_RDWR)

    def _copy(self) -> socket.socket:
        """Return a socket to close; the connection closes its own."""
        return socket.fromfd(self._connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)


def connected(address: str, *, autocommit: bool = False) -> "psycopg.Connection[Any]":
    """Return a connection to the database at MLflow's address of it."""
    import psycopg

    return psycopg.connect(for_libpq(address), autocommit=autocommit, connect_timeout=CONNECT_SECONDS)


def for_libpq(address: str) -> str:
    """Return MLflow's address of a database, which may name a driver, as PostgreSQL's library takes it."""
    return re.sub(r"^postgresql\+\w+:", "postgresql:", address)


def is_lost(error: BaseException) -> bool:
    """Return whether an error took the transaction: the connection is gone, or PostgreSQL has given it up."""
    import psycopg

    if isinstance(error, psycopg.OperationalError):
        return not (error.sqlstate or "").startswith(_TOO_LARGE)
    return isinstance(error, psycopg.InterfaceError)


def may_pass(error: BaseException) -> bool:
    """Return whether an error of PostgreSQL's may pass: not a refused password, or a missing database."""
    return is_lost(error) and not _LASTING.search(str(error))


@cache
def _with_placeholders(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


@cache
def _of_columns(statement: str, types: tuple[str, ...]) -> str:
    """Return a statement that inserts one row as one that inserts those of arrays, a parameter each."""
    arrays = ", ".join(f"%s::{each}[]" for each in types)
    found, changed = _VALUES.subn(f"select * from unnest({arrays})", statement.replace("%", "%%"))
    assert changed == 1, statement
    return found


def _type_of(column: Sequence[Any]) -> str:
    return next((_TYPES[type(each)] for each in column if each is not None), "text")
