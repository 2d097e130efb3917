"""Read a SQL store directly, with one query for each table, whatever the number of runs.

A SQLite file enforces neither types nor lengths. Values are first read as they are, which is fastest; if one
turns out to be too long, or not to be text, the query is repeated so that each value is cut before it is
read.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.bounds import LONGEST_ID, LONGEST_VALUE, MOST_RUNS_OF_STORE, ROW_SECONDS
from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.store import tags
from micrograde.store.errors import UnansweredError
from micrograde.store.left_out import LeftOut
from micrograde.store.location import PSYCOPG
from micrograde.store.postgresql_batch import Watch, connected, may_pass
from micrograde.store.records import RawRuns, RunAbout, RunDetails, Selection, SweepAbout
from micrograde.store.sound_records import sound_about, sound_details, sound_points, sound_runs, sound_sweeps
from micrograde.store.sqlite_files import (
    TABLES,
    Clock,
    check_tables,
    guard,
    is_unreadable_value,
    read_any,
    read_short,
    reason_of_sqlite,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

_AT_ONCE = 1000  # rows; with more of them the garbage collector scans them again and again
_IDS_AT_ONCE = 500  # ids in a query: any version of SQLite takes as many values
_LOCKED_SECONDS = 60  # how long to wait for another process that writes
_ANSWER_SECONDS = 300.0  # for the answer of PostgreSQL to a query, with all its rows
_ACTIVE = "r.lifecycle_stage = 'active' and e.lifecycle_stage = 'active'"
_HAS_ID = f"length(r.run_uuid) <= {LONGEST_ID}"
_ABOUT = len(RunAbout._fields)
_ABOUT_COLUMNS = (
    "{text r.run_uuid}, {text r.name}, {text e.name}, {text r.status}, "
    "{number r.start_time}, {number r.end_time}"
)
_VALUE = "case when t.is_nan then null else {number t.value} end"
_COLUMN = re.compile(r"\{(text|number) ([\w.]+)\}")
_CUT = {
    "text": f"substr({{0}}, 1, {LONGEST_VALUE + 1})",
    "number": "case when typeof({0}) in ('text', 'blob') then 'no number' else {0} end",
}

Query = tuple[str, dict[str, Any]]
"""SQL that selects run ids, and the values of its named parameters."""


@dataclass(frozen=True)
class _Store:
    """An open store; ``file`` and ``clock`` are those of a SQLite store, else None.

    A query is made within ``watch``.
    """

    connection: "Connection"
    file: sqlite3.Connection | None = None
    clock: Clock | None = None
    watch: "AbstractContextManager[None]" = field(default_factory=nullcontext)


def read_about(uri: str, selection: Selection) -> list[RunAbout]:
    """Return what every run has, for the selected runs, in no particular order."""
    with _connected(uri) as store:
        found = _about(store, selection) if store else []
    left_out = LeftOut(named=selection.run_ids is not None)
    about = sound_about(found, left_out)
    left_out.say()
    return about


def read_runs(uri: str, selection: Selection) -> RawRuns:
    """Return the selected runs with params, the last value of each metric, and all tags except MLflow's."""
    own_tags = f"t.key not like '{tags.THEIRS}%' and t.value is not null"
    with _connected(uri) as store:
        if store is None:
            return RawRuns([])
        raw = RawRuns(_about(store, selection))
        for chosen in _chosen(selection, _HAS_ID):
            raw.params += _all(_long(store, chosen, "params", "{text t.value}"))
            raw.metrics += _all(_long(store, chosen, "latest_metrics", _VALUE))
            raw.tags += _all(_long(store, chosen, "tags", "{text t.value}", own_tags))
    left_out = LeftOut(named=selection.run_ids is not None)
    raw = sound_runs(raw, left_out)
    left_out.say()
    return raw


def read_points(
    uri: str, selection: Selection, metrics: Sequence[str] | None, left_out: LeftOut
) -> Iterator[Sequence[tuple[str, str, int, float | None]]]:
    """Yield every value of these metrics (None: of all) of the selected runs, in no particular order.

    Each item is a list of rows: run id, metric, step and value, where None is NaN. A run that turns out to be
    unreadable is added to ``left_out``: the caller must then drop its rows.
    """
    condition = "1 = 1" if metrics is None else "t.key in :metrics"
    values = {} if metrics is None else {"metrics": list(metrics)}
    with _connected(uri) as store:
        if store is None:
            return
        for chosen, bound in _chosen(selection, _HAS_ID):
            query = (
                f"select t.run_uuid, {{text t.key}}, {{number t.step}}, {_VALUE} from metrics t "
                f"where t.run_uuid in ({chosen}) and {condition}"
            )
            for rows in _rows(store, query, {**bound, **values}):
                yield sound_points(rows, left_out)


def read_details(uri: str, run_id: str) -> RunDetails:
    """Return params, all tags and the file address of an existing run."""
    bound = {"run_id": run_id}
    of_run = "where run_uuid = :run_id"
    with _connected(uri) as store:
        assert store
        params, given = (
            dict(_all(_rows(store, f"select {{text key}}, {{text value}} from {table} {of_run}", bound)))
            for table in ("params", "tags")
        )
        where = _all(_rows(store, f"select {{text artifact_uri}} from runs {of_run}", bound))
    given = {key: value for key, value in given.items() if value is not None}
    return sound_details(run_id, RunDetails(params, given, where[0][0] if where else ""))


def read_sweeps(uri: str) -> list[SweepAbout]:
    """Return all sweeps, in no particular order."""
    texts = ", ".join(f"{{text {table}.value}}" for table in "dvlp")
    query = (
        f"select {_ABOUT_COLUMNS}, null, {texts} "
        "from runs r join experiments e on e.experiment_id = r.experiment_id "
        "join tags d on d.run_uuid = r.run_uuid and d.key = :sweep "
        "left join tags v on v.run_uuid = r.run_uuid and v.key = :varies "
        "left join tags l on l.run_uuid = r.run_uuid and l.key = :launched "
        "left join tags p on p.run_uuid = r.run_uuid and p.key = :reported "
        f"where {_ACTIVE}"
    )
    with _connected(uri) as store:
        if store is None:
            return []
        bound = {
            "sweep": tags.SWEEP_DIGEST,
            "varies": tags.SWEEP_VARIES,
            "launched": tags.LAUNCHED,
            "reported": tags.REPORTED,
        }
        rows = _all(_rows(store, query, bound), MOST_RUNS_OF_STORE)
    left_out = LeftOut()
    found = (SweepAbout(RunAbout(*row[:_ABOUT]), *row[_ABOUT:]) for row in rows)
    sweeps = sound_sweeps(found, left_out)
    left_out.say()
    return sweeps


def count_runs(uri: str) -> dict[str, int]:
    """Return the number of runs of each sweep, by the sweep's id, but for its retests."""
    chosen, bound = next(_chosen(Selection(retests=False), _HAS_ID))
    query = (
        f"select t.value, count(*) from tags t where t.key = :counted and length(t.value) <= {LONGEST_ID} "
        f"and t.run_uuid in ({chosen}) group by t.value"
    )
    with _connected(uri) as store:
        if store is None:
            return {}
        return dict(_all(_rows(store, query, {**bound, "counted": tags.PARENT})))


@contextmanager
def _connected(uri: str) -> Iterator[_Store | None]:
    """Open the store while the context lasts; None for a SQLite store that does not exist.

    Raises
    ------
    InputError
        If the store cannot be read, or a query does not end; the message does not show a password. If a
        database is away it is an ``UnansweredError``.
    """
    import sqlalchemy

    if not _exists(uri):
        yield None
        return
    theirs: tuple[type[Exception], ...] = (sqlalchemy.exc.SQLAlchemyError, ImportError, sqlite3.Error)
    try:
        engine = _engine(uri)
        theirs = (*theirs, engine.dialect.loaded_dbapi.Error)
        try:
            with engine.connect() as connection:
                file = connection.connection.driver_connection
                if isinstance(file, sqlite3.Connection):
                    clock = guard(file)
                    check_tables(file, TABLES)
                    yield _Store(connection, file, clock)
                elif uri.startswith(PSYCOPG):
                    yield _Store(connection, watch=Watch(file, _ANSWER_SECONDS))
                else:
                    yield _Store(connection)
        finally:
            engine.dispose()
    except theirs as error:
        cause = error.__cause__ or error
        kind = UnansweredError if uri.startswith(PSYCOPG) and may_pass(cause) else InputError
        reason = (reason_of_sqlite(cause).splitlines() or [type(error).__name__])[0]
        said = f"{uri}: cannot be read as an MLflow store ({reason})"
        raise kind(without_password(said)) from None


def _engine(uri: str) -> "Engine":
    """Return what connects to a store: to PostgreSQL as those do who write there."""
    import sqlalchemy

    if uri.startswith("sqlite:"):
        return sqlalchemy.create_engine(uri, connect_args={"timeout": _LOCKED_SECONDS})
    if uri.startswith(PSYCOPG):
        return sqlalchemy.create_engine(f"{PSYCOPG}//", creator=partial(connected, uri))
    return sqlalchemy.create_engine(uri)


def _exists(uri: str) -> bool:
    """Return whether the store exists; connecting to a missing SQLite file would create an empty one."""
    if not uri.startswith("sqlite:///"):
        return True
    path = Path(uri.removeprefix("sqlite:///"))
    return path.exists() and path.stat().st_size > 0


def _about(store: _Store, selection: Selection) -> list[RunAbout]:
    rows: list[tuple[Any, ...]] = []
    for chosen, bound in _chosen(selection):
        query = (
            f"select {_ABOUT_COLUMNS}, {{text p.value}} "
            "from runs r join experiments e on e.experiment_id = r.experiment_id "
            "left join tags p on p.run_uuid = r.run_uuid and p.key = :parent_key "
            f"where r.run_uuid in ({chosen})"
        )
        rows += _all(_rows(store, query, {**bound, "parent_key": tags.PARENT}), MOST_RUNS_OF_STORE)
    return [RunAbout(*row) for row in rows]


def _chosen(selection: Selection, *conditions_of_caller: str) -> Iterator[Query]:
    """Yield queries for the ids of the selected runs: one, or several if many runs are named."""
    conditions, bound = [_ACTIVE, *conditions_of_caller], dict[str, Any]()
    if selection.experiment_name is not None:
        conditions.append("e.name = :experiment_name")
        bound["experiment_name"] = selection.experiment_name
    if selection.status is not None:
        conditions.append("r.status = :status")
        bound["status"] = selection.status
    if selection.parent_run_id is not None:
        conditions.append("r.run_uuid in (select run_uuid from tags where key = :child and value = :parent)")
        bound |= {"child": tags.PARENT, "parent": selection.parent_run_id}
    if not selection.retests:
        conditions.append(
            "r.run_uuid not in (select run_uuid from tags where key = :retest and value = 'true')"
        )
        bound["retest"] = tags.RETEST
    if selection.run_ids is None:
        hidden = "key = :sweep or (key = :superseded and value = 'true')"
        conditions.append(f"r.run_uuid not in (select run_uuid from tags where {hidden})")
        bound |= {"sweep": tags.SWEEP_DIGEST, "superseded": tags.SUPERSEDED}
        named: list[dict[str, Any]] = [{}]
    else:
        conditions.append("r.run_uuid in :run_ids")
        starts = range(0, len(selection.run_ids), _IDS_AT_ONCE)
        named = [{"run_ids": selection.run_ids[start : start + _IDS_AT_ONCE]} for start in starts]
    query = (
        "select r.run_uuid from runs r join experiments e on e.experiment_id = r.experiment_id "
        f"where {' and '.join(conditions)}"
    )
    for ids in named:
        yield query, {**bound, **ids}


def _long(
    store: _Store, chosen: Query, table: str, value: str, condition: str = "1 = 1"
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield run id, key and value of the rows of a table that belong to the chosen runs."""
    query, bound = chosen
    columns = f"t.run_uuid, {{text t.key}}, {value}"
    text = f"select {columns} from {table} t where t.run_uuid in ({query}) and {condition}"
    return _rows(store, text, bound)


def _rows(store: _Store, query: str, bound: dict[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows that a query finds, some at a time.

    The columns to be read are written ``{text t.value}`` or ``{number t.step}`` in the query, so that their
    values can be cut where that is necessary.
    """
    plain = _COLUMN.sub(r"\2", query)
    if store.file is None:
        yield from _rows_as_they_are(store, plain, bound)
        return
    read_short(store.file)
    given = 0
    try:
        for rows in _rows_as_they_are(store, plain, bound):
            given += len(rows)
            yield rows
        return
    except Exception as error:
        if not is_unreadable_value(getattr(error, "__cause__", None) or error):
            raise
    read_any(store.file)
    cut = _COLUMN.sub(lambda found: _CUT[found[1]].format(found[2]), query)
    for rows in _rows_as_they_are(store, cut, bound):
        if rest := rows[given:]:
            yield rest
        given = max(given - len(rows), 0)


def _rows_as_they_are(store: _Store, query: str, bound: dict[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the database driver's own rows, which takes half the time of SQLAlchemy's."""
    import sqlalchemy

    statement = sqlalchemy.text(query)
    for name, value in bound.items():
        expanding = isinstance(value, list | tuple)
        statement = statement.bindparams(sqlalchemy.bindparam(name, value, expanding=expanding))
    with store.watch:
        cursor = store.connection.execute(statement).cursor
    assert cursor is not None
    while rows := cursor.fetchmany(_AT_ONCE):
        if store.clock:
            store.clock.allowed += ROW_SECONDS * len(rows)
        yield list(rows)
    cursor.close()


def _all(parts: Iterator[list[tuple[Any, ...]]], most: int | None = None) -> list[Any]:
    """Return the rows of all parts in one list.

    Raises
    ------
    InputError
        If there are more than ``most``.
    """
    found: list[Any] = []
    for part in parts:
        found += part
        if most is not None and len(found) > most:
            raise InputError(f"the store has more than {most:,} runs; choose some, by experiment_name=...")
    return found
