"""A batch is whole or absent, and what fails leaves nothing behind that the next batch would carry."""

import sqlite3
from contextlib import closing

import pytest

from micrograde.store.calls import at_once
from micrograde.store.sql_batch import SqlBatch


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "rows.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table rows (value integer)")
    return path


def values(database):
    with closing(sqlite3.connect(database)) as connection:
        return [value for (value,) in connection.execute("select value from rows order by value")]


def write(batch, value):
    with batch.change() as connection:
        connection.execute("insert into rows values (?)", (value,))


def write_and_fail(batch, value):
    with batch.change() as connection:
        connection.execute("insert into rows values (?)", (value,))
        raise sqlite3.IntegrityError


def full_disk(_):
    """Fail as the end of a transaction fails for which there is no space: it stays open."""
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("whole", [True, False], ids=["a batch", "a change by itself"])
def test_a_batch_that_cannot_be_ended_is_no_part_of_the_next(database, whole):
    batch = SqlBatch(database, full_disk)
    if whole:
        batch.open()
        write(batch, 1)
        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            batch.close()
    else:
        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            write(batch, 1)
    batch._make = at_once  # some space was freed
    if whole:
        batch.open()
    write(batch, 2)
    if whole:
        batch.close()
    assert values(database) == [2]
    write(batch, 3)
    assert values(database) == [2, 3]


def test_a_change_that_fails_is_absent_and_the_others_of_its_batch_are_there(database):
    batch = SqlBatch(database, at_once)
    batch.open()
    write(batch, 1)
    with pytest.raises(sqlite3.IntegrityError):
        write_and_fail(batch, 2)
    write(batch, 3)
    assert values(database) == []  # not durable yet
    batch.close()
    assert values(database) == [1, 3]
