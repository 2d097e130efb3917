"""Write params and metrics: into a local store as SQL rows, to a server through MLflow's client.

MLflow makes an object of each value and keeps it in a session, which would take most of the time of recording
a sweep. In a local store the rows are inserted directly, by the rules of MLflow's
``SqlAlchemyStore.log_batch``; a test compares the two.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from math import copysign, isfinite, isnan
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from micrograde.store.calls import Caller, at_once
from micrograde.store.sql_connection import Connection

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BATCH = 1000  # values that MLflow takes in one call
_PARAMS = 100  # params that MLflow takes in one call
LARGEST = 1.7976931348623157e308
"""The number that MLflow stores in place of infinity."""
_LOCKED_SECONDS = 20.0

PARAM_LENGTH = 6000
"""Characters of a param that MLflow keeps; the whole config is among a run's files."""

_INSERT_PARAM = "insert into params (run_uuid, key, value) values (?, ?, ?) on conflict do nothing"
_INSERT = """
    insert into metrics (run_uuid, key, value, timestamp, step, is_nan) values (?, ?, ?, ?, ?, ?)
    on conflict do nothing
"""
# A metric's latest value is that of the greatest step; of several, the latest in time, then the greatest.
_UPSERT = """
    insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan) values (?, ?, ?, ?, ?, ?)
    on conflict (key, run_uuid) do update
    set value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
    where (excluded.step, excluded.timestamp, excluded.value)
        > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
"""


_Row = tuple[str, str, float, int, int, bool]
"""A row of MLflow's tables ``metrics`` and ``latest_metrics``: run, key, value, time, step, is it NaN.

Not a named tuple: of plain ones the garbage collector soon knows that it need not look at them again.
"""


class Param(NamedTuple):
    """A param of a run, which is recorded when the run begins."""

    run_id: str
    key: str
    value: str


class Point(NamedTuple):
    """A metric's value at a step of a run; ``time`` in milliseconds since 1970."""

    run_id: str
    key: str
    value: float
    time: int
    step: int


def write_to_sqlite(database: Path, params: Sequence[Param], points: Sequence[Point]) -> None:
    """Insert rows into MLflow's SQLite file, in one transaction; existing rows are not changed.

    Raises
    ------
    sqlite3.OperationalError
        If the file stays locked; nothing has been written then.
    sqlite3.IntegrityError
        If a run does not exist.
    """
    with closing(sqlite3.connect(database, timeout=_LOCKED_SECONDS)) as connection, connection:
        connection.execute("pragma foreign_keys = on")
        insert_rows(connection, params, points)


def insert_rows(connection: Connection, params: Sequence[Param], points: Sequence[Point]) -> None:
    """Insert rows as ``write_to_sqlite`` does, in the transaction that the connection is in."""
    rows = [(*point, False) if isfinite(point.value) else _odd(point) for point in points]
    latest: dict[tuple[str, str], _Row] = {}
    for row in rows:
        run_id, key, value, time, step, _ = row
        _, _, last, its_time, its_step, _ = before = latest.setdefault((run_id, key), row)
        if before is not row and (step, time, value) > (its_step, its_time, last):
            latest[run_id, key] = row
    connection.executemany(_INSERT_PARAM, [(*param[:2], param.value[:PARAM_LENGTH]) for param in params])
    connection.executemany(_INSERT, rows)
    connection.executemany(_UPSERT, latest.values())


def write_through_client(
    client: "MlflowClient", params: Sequence[Param], points: Sequence[Point], make: Caller = at_once
) -> None:
    """Write params and metrics through MLflow's client, in as few calls as it allows.

    ``make`` makes each call.
    """
    from mlflow import entities

    for run_id, of_run in groupby(sorted(params), key=attrgetter("run_id")):
        several = [entities.Param(param.key, param.value[:PARAM_LENGTH]) for param in of_run]
        for start in range(0, len(several), _PARAMS):
            make(partial(client.log_batch, run_id, params=several[start : start + _PARAMS]))
    for run_id, measured in groupby(sorted(points, key=attrgetter("run_id")), key=attrgetter("run_id")):
        metrics = [entities.Metric(point.key, point.value, point.time, point.step) for point in measured]
        for start in range(0, len(metrics), _BATCH):
            make(partial(client.log_batch, run_id, metrics[start : start + _BATCH]))


def _odd(point: Point) -> _Row:
    """Return a point as MLflow stores it: NaN as zero with ``is_nan`` set, infinity as the largest number."""
    value = 0.0 if isnan(point.value) else copysign(LARGEST, point.value)
    return (point.run_id, point.key, value, point.time, point.step, isnan(point.value))
