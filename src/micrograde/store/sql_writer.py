"""Write params and metrics: into a local store as SQL rows, to a server through MLflow's client.

MLflow makes an object of each value and keeps it in a session, which would take most of the time of recording
a sweep. In a local store the rows are inserted directly, by the rules of MLflow's
``SqlAlchemyStore.log_batch``; a test compares the two.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from functools import partial
from math import copysign, isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from micrograde.store.calls import Caller, at_once
from micrograde.store.errors import NotActiveError
from micrograde.store.sql_connection import Connection

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric
    from mlflow.entities import Param as MlflowParam

_BATCH = 1000  # values that MLflow takes in one call
_PARAMS = 100  # params that MLflow takes in one call
LARGEST = 1.7976931348623157e308
"""The number that MLflow stores in place of infinity."""
_LOCKED_SECONDS = 20.0
_ASKED_TOGETHER = 500  # runs, whose ids are parameters of a query

PARAM_LENGTH = 6000
"""Characters of a param that MLflow keeps; the whole config is among a run's files."""

_INSERT_PARAM = "insert into params (run_uuid, key, value) values (?, ?, ?) on conflict do nothing"
_INSERT = """
    insert into metrics (run_uuid, key, value, timestamp, step, is_nan) values (?, ?, ?, ?, ?, ?)
    on conflict do nothing
"""
# A metric's latest value is that of the greatest step; of several, the latest in time, then the greatest.
# A value that equals the one before is not written, as SQLAlchemy does not: so a zero keeps its sign.
_UPSERT = """
    insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan) values (?, ?, ?, ?, ?, ?)
    on conflict (key, run_uuid) do update
    set value = case when excluded.value = latest_metrics.value then latest_metrics.value
        else excluded.value end,
        timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
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
    NotActiveError
        If a run has been deleted, as MLflow refuses its values; nothing has been written then.
    """
    with closing(sqlite3.connect(database, timeout=_LOCKED_SECONDS)) as connection, connection:
        connection.execute("pragma foreign_keys = on")
        insert_rows(connection, params, points)


def insert_rows(connection: Connection, params: Sequence[Param], points: Sequence[Point]) -> None:
    """Insert rows as ``write_to_sqlite`` does, in the transaction that the connection is in."""
    _check_active(connection, {*(param.run_id for param in params), *(point.run_id for point in points)})
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


def _check_active(connection: Connection, run_ids: Collection[str]) -> None:
    """Raise ``NotActiveError`` if one of these runs has been deleted."""
    waiting = sorted(run_ids)
    while waiting:
        some, waiting = waiting[:_ASKED_TOGETHER], waiting[_ASKED_TOGETHER:]
        places = ", ".join("?" * len(some))
        deleted = connection.execute(
            f"select run_uuid from runs where lifecycle_stage != 'active' and run_uuid in ({places})", some
        ).fetchone()
        if deleted:
            raise NotActiveError(f"run {deleted[0]} has been deleted")


def calls_of_client(
    client: "MlflowClient", params: Sequence[Param], points: Sequence[Point], make: Caller = at_once
) -> list[Callable[[], object]]:
    """Return for each run a function that writes its params and metrics, in as few calls as MLflow allows.

    ``make`` makes each call of MLflow's client. One that is made again, because its answer did not come,
    first looks whether the server has the values: PostgreSQL would note an error for each that is there.
    """
    of_runs = by_run(params, points)
    return [partial(_write_run, client, run_id, *rows, make) for run_id, rows in of_runs.items()]


def by_run(params: Sequence[Param], points: Sequence[Point]) -> dict[str, tuple[list[Param], list[Point]]]:
    """Return the params and points of each run, by its id."""
    of_runs: dict[str, tuple[list[Param], list[Point]]] = {}
    for param in params:
        of_runs.setdefault(param.run_id, ([], []))[0].append(param)
    for point in points:
        of_runs.setdefault(point.run_id, ([], []))[1].append(point)
    return of_runs


def _write_run(
    client: "MlflowClient", run_id: str, params: Sequence[Param], points: Sequence[Point], make: Caller
) -> None:
    from mlflow import entities

    waiting = [entities.Param(param.key, param.value[:PARAM_LENGTH]) for param in params]
    measured = [entities.Metric(point.key, point.value, point.time, point.step) for point in points]
    while waiting or measured:
        some, waiting = waiting[:_PARAMS], waiting[_PARAMS:]
        several, measured = measured[: _BATCH - len(some)], measured[_BATCH - len(some) :]
        make(_Batch(client, run_id, several, some))


class _Batch:
    """A call that writes some of a run's values, all or none of them, and may be made again."""

    def __init__(
        self, client: "MlflowClient", run_id: str, metrics: "list[Metric]", params: "list[MlflowParam]"
    ) -> None:
        self._client, self._run_id, self._metrics, self._params = client, run_id, metrics, params
        self._perhaps_written = False

    def __call__(self) -> None:
        if not (self._perhaps_written and self._metrics and self._is_written()):
            self._perhaps_written = True
            self._client.log_batch(self._run_id, self._metrics, self._params)

    def _is_written(self) -> bool:
        """Return whether the run's latest values are those of this batch, which was written last."""
        latest = {each.key: each for each in self._client.get_run(self._run_id).data._metric_objs}
        newest: dict[str, Metric] = {}
        for metric in self._metrics:
            before = newest.setdefault(metric.key, metric)
            if (metric.step, metric.timestamp) > (before.step, before.timestamp):
                newest[metric.key] = metric
        return all(
            key in latest and (latest[key].step, latest[key].timestamp) == (metric.step, metric.timestamp)
            for key, metric in newest.items()
        )


def _odd(point: Point) -> _Row:
    """Return a point as MLflow stores it: NaN as zero with ``is_nan`` set, infinity as the largest number."""
    value = 0.0 if isnan(point.value) else copysign(LARGEST, point.value)
    return (point.run_id, point.key, value, point.time, point.step, isnan(point.value))
