"""A SQL store read directly: a query a table, whatever the number of runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde import tags
from micrograde.analysis.selection import RawRuns, RunAbout, RunDetails, Selection, SweepAbout
from micrograde.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Connection

_AT_ONCE = 1000  # rows; the garbage collector looks at more of them again and again
_IDS_AT_ONCE = 500  # SQLite takes so many values in a query, in any version
_LOCKED_SECONDS = 60  # how long to wait for somebody who writes
_ACTIVE = "r.lifecycle_stage = 'active' and e.lifecycle_stage = 'active'"
_ABOUT = len(RunAbout._fields)
_VALUE = "case when t.is_nan then null else t.value end"

Query = tuple[str, dict[str, Any]]
"""SQL that chooses runs, and what is bound to its names."""


def read_about(uri: str, selection: Selection) -> list[RunAbout]:
    """What every run has, of the runs selected; in no order."""
    with _connected(uri) as connection:
        return _about(connection, selection) if connection else []


def read_runs(uri: str, selection: Selection) -> RawRuns:
    """The runs selected with their params, the last value of each metric, and tags but MLflow's."""
    with _connected(uri) as connection:
        if connection is None:
            return RawRuns([])
        raw = RawRuns(_about(connection, selection))
        for chosen in _chosen(selection):
            raw.params += _all(_long(connection, chosen, "params", "t.value"))
            raw.metrics += _all(_long(connection, chosen, "latest_metrics", _VALUE))
            raw.tags += _all(_long(connection, chosen, "tags", "t.value", f"t.key not like '{tags.THEIRS}%'"))
        return raw


def read_points(
    uri: str, selection: Selection, metrics: Sequence[str] | None
) -> Iterator[list[tuple[str, str, int, float | None]]]:
    """Every value of these metrics (None: of all) of the runs selected, some rows at a time, in no order.

    Rows of run id, metric, step and value; None is NaN.
    """
    condition = "1 = 1" if metrics is None else "t.key in :metrics"
    values = {} if metrics is None else {"metrics": list(metrics)}
    with _connected(uri) as connection:
        if connection is None:
            return
        for chosen, bound in _chosen(selection):
            query = (
                f"select t.run_uuid, t.key, t.step, {_VALUE} from metrics t "
                f"where t.run_uuid in ({chosen}) and {condition}"
            )
            yield from _rows(connection, query, {**bound, **values})


def read_details(uri: str, run_id: str) -> RunDetails:
    """Params and all tags of a run that is there, and where its files are."""
    bound = {"run_id": run_id}
    with _connected(uri) as connection:
        assert connection
        params = _all(_rows(connection, "select key, value from params where run_uuid = :run_id", bound))
        given = _all(_rows(connection, "select key, value from tags where run_uuid = :run_id", bound))
        ((where,),) = _all(_rows(connection, "select artifact_uri from runs where run_uuid = :run_id", bound))
    return RunDetails(dict(params), dict(given), where)


def read_sweeps(uri: str) -> list[SweepAbout]:
    """All sweeps; in no order."""
    query = (
        "select r.run_uuid, r.name, e.name, r.status, r.start_time, r.end_time, null, d.value, v.value, "
        "l.value, p.value "
        "from runs r join experiments e on e.experiment_id = r.experiment_id "
        "join tags d on d.run_uuid = r.run_uuid and d.key = :sweep "
        "left join tags v on v.run_uuid = r.run_uuid and v.key = :varies "
        "left join tags l on l.run_uuid = r.run_uuid and l.key = :launched "
        "left join tags p on p.run_uuid = r.run_uuid and p.key = :reported "
        f"where {_ACTIVE}"
    )
    with _connected(uri) as connection:
        if connection is None:
            return []
        bound = {
            "sweep": tags.SWEEP_DIGEST,
            "varies": tags.SWEEP_VARIES,
            "launched": tags.LAUNCHED,
            "reported": tags.REPORTED,
        }
        rows = _all(_rows(connection, query, bound))
    return [SweepAbout(RunAbout(*row[:_ABOUT]), *row[_ABOUT:]) for row in rows]


def count_runs(uri: str) -> dict[str, int]:
    """How many runs each sweep has, by its id; one without runs is left out."""
    chosen, bound = next(_chosen(Selection()))
    query = (
        "select t.value, count(*) from tags t "
        f"where t.key = :counted and t.run_uuid in ({chosen}) group by t.value"
    )
    with _connected(uri) as connection:
        if connection is None:
            return {}
        return dict(_all(_rows(connection, query, {**bound, "counted": tags.PARENT})))


@contextmanager
def _connected(uri: str) -> "Iterator[Connection | None]":
    """A connection for as long as the context lasts; None for a SQLite store that is not there.

    Raises
    ------
    InputError
        If the store cannot be read; without the address's password.
    """
    import sqlalchemy

    if not _exists(uri):
        yield None
        return
    shown = uri
    try:
        wait = {"timeout": _LOCKED_SECONDS} if uri.startswith("sqlite:") else {}
        engine = sqlalchemy.create_engine(uri, connect_args=wait)
        shown = str(engine.url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise InputError(f"{shown}: cannot be read as an MLflow store ({reason})") from None


def _exists(uri: str) -> bool:
    """Whether there is a store: connecting to SQLite would make an empty one."""
    if not uri.startswith("sqlite:///"):
        return True
    path = Path(uri.removeprefix("sqlite:///"))
    return path.exists() and path.stat().st_size > 0


def _about(connection: "Connection", selection: Selection) -> list[RunAbout]:
    rows: list[tuple[Any, ...]] = []
    for chosen, bound in _chosen(selection):
        query = (
            "select r.run_uuid, r.name, e.name, r.status, r.start_time, r.end_time, p.value "
            "from runs r join experiments e on e.experiment_id = r.experiment_id "
            "left join tags p on p.run_uuid = r.run_uuid and p.key = :parent_key "
            f"where r.run_uuid in ({chosen})"
        )
        rows += _all(_rows(connection, query, {**bound, "parent_key": tags.PARENT}))
    return [RunAbout(*row) for row in rows]


def _chosen(selection: Selection) -> Iterator[Query]:
    """Queries for the ids of the runs selected: one, or several where many runs are named."""
    conditions, bound = [_ACTIVE], dict[str, Any]()
    if selection.experiment_name is not None:
        conditions.append("e.name = :experiment_name")
        bound["experiment_name"] = selection.experiment_name
    if selection.status is not None:
        conditions.append("r.status = :status")
        bound["status"] = selection.status
    if selection.parent_run_id is not None:
        conditions.append("r.run_uuid in (select run_uuid from tags where key = :child and value = :parent)")
        bound |= {"child": tags.PARENT, "parent": selection.parent_run_id}
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
    connection: "Connection", chosen: Query, table: str, value: str, condition: str = "1 = 1"
) -> Iterator[list[tuple[Any, ...]]]:
    """Run id, key and value of a table's rows that belong to the runs chosen."""
    query, bound = chosen
    text = f"select t.run_uuid, t.key, {value} from {table} t where t.run_uuid in ({query}) and {condition}"
    return _rows(connection, text, bound)


def _rows(connection: "Connection", query: str, bound: dict[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    """What a query finds, some rows at a time; the driver's own rows take half the time of SQLAlchemy's."""
    import sqlalchemy

    statement = sqlalchemy.text(query)
    for name, value in bound.items():
        expanding = isinstance(value, list | tuple)
        statement = statement.bindparams(sqlalchemy.bindparam(name, value, expanding=expanding))
    cursor = connection.execute(statement).cursor
    assert cursor is not None
    while rows := cursor.fetchmany(_AT_ONCE):
        yield list(rows)
    cursor.close()


def _all(parts: Iterator[list[tuple[Any, ...]]]) -> list[Any]:
    return [row for part in parts for row in part]
