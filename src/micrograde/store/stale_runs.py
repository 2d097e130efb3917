"""End the runs of a store whose process has died, by SQL and by requests; MLflow's client is not imported."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from micrograde.core.bounds import LONGEST_ID, LONGEST_KEY, MOST_EXPERIMENTS, MOST_RUNS_OF_SERVER
from micrograde.core.clock import Clock
from micrograde.core.errors import InputError
from micrograde.store import tags
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.location import StoreLocation, StoreLock
from micrograde.store.rest_client import Server, ServerError
from micrograde.store.sqlite_files import open_database

_REASON = "its process died without a word"
_PAGE = 1000  # runs, or experiments, that a server is asked for at once
_STALE_AT_ONCE = 100  # runs of a server that one command ends; the next command ends more
_WAIT_SECONDS = 20.0  # for a database that another process writes to
_WANTED = (
    tags.LAUNCH,
    tags.PROJECT,
    tags.HOST,
    tags.MACHINE,
    tags.PROCESS_NAMESPACE,
    tags.PROCESS_ID,
    tags.PROCESS_START,
    tags.PROCESS_TICKS,
)

_FIND = f"""
    select r.run_uuid, t.key, substr(t.value, 1, {LONGEST_KEY})
    from runs r join tags t on t.run_uuid = r.run_uuid
    where r.status = 'RUNNING' and t.key in ({", ".join("?" * len(_WANTED))})
    and length(r.run_uuid) <= {LONGEST_ID}
"""
_END = "update runs set status = 'KILLED', end_time = ? where run_uuid = ? and status = 'RUNNING'"
_TAG = "insert or replace into tags (key, value, run_uuid) values (?, ?, ?)"


IsStale = Callable[[Mapping[str, str]], bool]
"""Returns whether it is certain, by its tags, that no process works on a RUNNING run."""


def end_in_database(location: StoreLocation, is_stale: IsStale) -> None:
    """Mark stale runs KILLED by SQL, as MLflow takes a second to open the SQLite file."""
    database = location.database
    if database.exists() and database.stat().st_size > 0:
        # If it cannot be opened, the error is reported when it is read.
        with suppress(sqlite3.Error):
            _mark_rows(location, database, is_stale)


def end_on_server(location: StoreLocation, send_dead: Callable[[], None], is_stale: IsStale) -> None:
    """Send what dead launches have left, and mark this machine's stale runs KILLED by requests.

    Raises
    ------
    InputError
        If the server does not answer.
    """
    with quiet_libraries():
        try:
            server = Server(location.tracking_uri)
            server.post("experiments/search", {"max_results": 1})  # fails at once, where a writer would wait
            send_dead()
            stale = [run_id for run_id, given in _running(server) if is_stale(given)]
        except ServerError as error:
            raise InputError(f"the tracking server cannot be asked for its runs ({error})") from None
        now = Clock().now()
        with suppress(ServerError):  # the user may have no permission to write
            for run_id in stale[:_STALE_AT_ONCE]:
                run = {"run_id": run_id, "run_uuid": run_id}
                if _run_and_tags(server.get("runs/get", run).get("run")) is None:  # it has ended meanwhile
                    continue
                server.post("runs/set-tag", {**run, "key": tags.REASON, "value": _REASON})
                server.post("runs/update", {**run, "status": "KILLED", "end_time": now})


def _mark_rows(location: StoreLocation, database: Path, is_stale: IsStale) -> None:
    with closing(open_database(database, _WAIT_SECONDS)) as connection:
        running: dict[object, dict[str, str]] = {}
        for run_id, key, value in connection.execute(_FIND, _WANTED):
            running.setdefault(run_id, {})[key] = value if isinstance(value, str) else ""
        stale = [run_id for run_id, given in running.items() if is_stale(given)]
        if not stale:
            return
        now = Clock().now()
        with StoreLock(location):
            connection.execute("begin immediate")
            for run_id in stale:
                if connection.execute(_END, (now, run_id)).rowcount:
                    connection.execute(_TAG, (tags.REASON, _REASON, run_id))
            connection.execute("commit")


def _running(server: Server) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the ids and tags of this machine's RUNNING runs; invalid items of an answer are left out."""
    import socket

    experiments = server.pages("experiments/search", {}, "experiments", _PAGE, MOST_EXPERIMENTS)
    ids = [each.get("experiment_id") for page in experiments for each in page if isinstance(each, dict)]
    host = socket.gethostname().replace("'", "")
    condition = f"attributes.status = 'RUNNING' and tags.`{tags.HOST}` = '{host}'"
    for start in range(0, len(ids), _PAGE):
        asked = {"experiment_ids": ids[start : start + _PAGE], "filter": condition}
        for page in server.pages("runs/search", asked, "runs", _PAGE, MOST_RUNS_OF_SERVER):
            yield from filter(None, map(_run_and_tags, page))


def _run_and_tags(run: object) -> tuple[str, Mapping[str, str]] | None:
    """Return id and tags of a run in a server's answer; None if it is not RUNNING, or invalid."""
    try:
        info, given = run["info"], run["data"]["tags"]  # type: ignore[index]
        told = {each["key"]: each["value"] for each in given if each["key"] in _WANTED}
        run_id = info["run_id"]
    except (TypeError, KeyError, IndexError):
        return None
    texts = isinstance(run_id, str) and all(isinstance(value, str) for value in told.values())
    return (run_id, told) if texts and len(run_id) <= LONGEST_ID and info.get("status") == "RUNNING" else None
