"""Runs as a data frame, read from the store in a few queries."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.analysis.conditions import keep_where
from micrograde.analysis.typing_columns import typed
from micrograde.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ABOUT = ("run_id", "run_name", "experiment_name", "status", "start_time", "duration")
"""The columns every run has, before its params, metrics and tags."""

_TAGS = "micrograde."  # MLflow keeps many tags for its own use


def load_runs(
    tracking_uri: str,
    *,
    experiment_name: str | None = None,
    status: str | None = None,
    where: Sequence[str] = (),
) -> "pd.DataFrame":
    """All runs of a store, newest first: one row a run.

    Columns
    -------
    run_id, run_name, experiment_name, status
        Text.
    start_time
        UTC.
    duration
        Seconds; missing while a run is going on.
    optimizer.learning_rate and the other params
        Typed: integer, float, boolean or text, by what all runs have; missing where a run has none.
    val/accuracy and the other metrics
        The last value of each.
    tags.micrograde.config_digest and the other tags of micrograde
        Text.

    Parameters
    ----------
    tracking_uri
        A SQL store (``sqlite:///...``), read directly, or a tracking server (``http://...``), asked
        through MLflow's client. Both give the same frame.
    where
        Conditions such as ``optimizer.learning_rate>=0.1``; see ``conditions``.

    Raises
    ------
    InputError
        If a condition cannot be read or names a column that no run has, or the store cannot be read.
    """
    if tracking_uri.startswith(("http://", "https://")):
        about, params, metrics, tags = _ask_server(tracking_uri)
    else:
        about, params, metrics, tags = _query_store(tracking_uri)
    # Before the join, so that the columns and their types are those of the runs that remain.
    if experiment_name is not None:
        about = about[about["experiment_name"] == experiment_name]
    if status is not None:
        about = about[about["status"] == status]
    return keep_where(_joined(about, params, metrics, tags), where).reset_index(drop=True)


def _joined(
    about: "pd.DataFrame", params: "pd.DataFrame", metrics: "pd.DataFrame", tags: "pd.DataFrame"
) -> "pd.DataFrame":
    """The four tables as one frame; the last three are long: run_id, key, value."""
    import pandas as pd

    frame = about.set_index("run_id")
    seconds = (frame["end_time"] - frame["start_time"]).astype("Float64") / 1000
    frame["duration"] = seconds.astype("float64")
    frame["start_time"] = pd.to_datetime(frame["start_time"], unit="ms", utc=True)
    parts = [frame.drop(columns="end_time")]
    for long, type_them in ((params, True), (metrics, False), (tags, False)):
        long = long[long["run_id"].isin(frame.index)]
        wide = long.pivot(index="run_id", columns="key", values="value").reindex(frame.index)
        wide = wide[[name for name in wide if name not in ABOUT]]  # the config names the experiment too
        parts.append(wide.apply(typed) if type_them else wide)
    # Runs of a sweep may start in the same millisecond; their ids then decide.
    joined = pd.concat(parts, axis=1).sort_index().sort_values("start_time", ascending=False, kind="stable")
    columns = [*ABOUT[1:], *(name for name in joined if name not in ABOUT)]
    return joined[columns].reset_index()


def _query_store(uri: str) -> "tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]":
    """The tables of a SQL store, in a query each; a store that is not there is empty."""
    import pandas as pd
    import sqlalchemy

    if not _exists(uri):
        empty = pd.DataFrame(columns=["run_id", "key", "value"])
        columns = ["run_id", "run_name", "experiment_name", "status", "start_time", "end_time"]
        return pd.DataFrame(columns=columns), empty, empty, empty
    active = "lifecycle_stage = 'active'"
    queries = (
        "select r.run_uuid as run_id, r.name as run_name, e.name as experiment_name, r.status, "
        "r.start_time, r.end_time from runs r join experiments e on e.experiment_id = r.experiment_id "
        f"where r.{active} and e.{active}",
        _long("params", "t.value", active),
        _long("latest_metrics", "case when t.is_nan then null else t.value end", active),
        _long("tags", "t.value", active, prefix=_TAGS),
    )
    engine = sqlalchemy.create_engine(uri)
    try:
        with engine.connect() as connection:
            about, params, metrics, tags = (
                pd.read_sql_query(sqlalchemy.text(query), connection) for query in queries
            )
    except (sqlalchemy.exc.DBAPIError, pd.errors.DatabaseError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise InputError(f"{engine.url}: cannot be read as an MLflow store ({reason})") from None
    finally:
        engine.dispose()
    metrics["value"] = metrics["value"].astype("float64")
    tags["key"] = "tags." + tags["key"].astype(str)
    return about, params, metrics, tags


def _long(table: str, value: str, active: str, prefix: str = "") -> str:
    """A query for key and value of every run that is not deleted."""
    condition = f" and t.key like '{prefix}%'" if prefix else ""
    return (
        f"select t.run_uuid as run_id, t.key, {value} as value from {table} t "
        "join runs r on r.run_uuid = t.run_uuid join experiments e on e.experiment_id = r.experiment_id "
        f"where r.{active} and e.{active}{condition}"
    )


def _exists(uri: str) -> bool:
    """Whether there is a store: connecting to SQLite would make an empty one."""
    if not uri.startswith("sqlite:///"):
        return True
    path = Path(uri.removeprefix("sqlite:///"))
    return path.exists() and path.stat().st_size > 0


def _paged(search: Callable[..., Any], *arguments: object) -> Iterator[Any]:
    """All that one of MLflow's searches finds, page by page."""
    token = None
    while token != "":
        page = search(*arguments, max_results=1000, page_token=token)
        yield from page
        token = page.token or ""


def _ask_server(uri: str) -> "tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]":
    """The same four tables from a tracking server."""
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(uri)
        experiments = {each.experiment_id: each.name for each in _paged(client.search_experiments)}
        runs = list(_paged(client.search_runs, list(experiments)))
    except MlflowException as error:
        reason = re.sub(r"(?<=://)[^/\s]+@", "***@", str(error).splitlines()[0])
        raise InputError(f"the tracking server cannot be asked for its runs ({reason})") from None

    def long(items: Iterable[tuple[str, str, object]]) -> pd.DataFrame:
        return pd.DataFrame(items, columns=["run_id", "key", "value"])

    about = [
        (
            run.info.run_id,
            run.info.run_name,
            experiments[run.info.experiment_id],
            run.info.status,
            run.info.start_time,
            run.info.end_time,
        )
        for run in runs
    ]
    columns = ["run_id", "run_name", "experiment_name", "status", "start_time", "end_time"]
    metrics = long((run.info.run_id, key, value) for run in runs for key, value in run.data.metrics.items())
    metrics["value"] = metrics["value"].astype("float64")
    return (
        pd.DataFrame(about, columns=columns),
        long((run.info.run_id, key, value) for run in runs for key, value in run.data.params.items()),
        metrics,
        long(
            (run.info.run_id, f"tags.{key}", value)
            for run in runs
            for key, value in run.data.tags.items()
            if key.startswith(_TAGS)
        ),
    )
