"""What dead processes have left, put in order before the next command reads a store; and what a move has.

Launches that have died are carried into it, and runs whose process has died are not RUNNING any more. A run
is left alone unless it is certain that nobody is at it: of a launch that has its folder here the locks tell,
of others the process id, where it means the same process as here.
"""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde import tags
from micrograde.errors import InputError
from micrograde.library_environment import quiet_libraries
from micrograde.redaction import without_password
from micrograde.tracking.launches import Launch, dead_launches, is_alive
from micrograde.tracking.moving import mend_addresses
from micrograde.tracking.processes import ProcessIdentity
from micrograde.tracking.sending import Kept, send_launch
from micrograde.tracking.store import StoreLocation, StoreLock

if TYPE_CHECKING:
    from mlflow import MlflowClient

_REASON = "its process died without a word"
_WAIT_SECONDS = 20.0  # for a database that somebody writes to
_WANTED = (tags.LAUNCH, tags.HOST, tags.PROCESS_NAMESPACE, tags.PROCESS_ID, tags.PROCESS_START)

_FIND = f"""
    select r.run_uuid, t.key, t.value from runs r join tags t on t.run_uuid = r.run_uuid
    where r.status = 'RUNNING' and t.key in ({", ".join("?" * len(_WANTED))})
"""
_END = "update runs set status = 'KILLED', end_time = ? where run_uuid = ? and status = 'RUNNING'"
_TAG = "insert or replace into tags (key, value, run_uuid) values (?, ?, ?)"


def recover(location: StoreLocation) -> None:
    """Carry into the store what dead launches have left, and mark runs of dead processes KILLED.

    First its addresses are mended if the project has been moved.

    It takes a millisecond where nothing is left, and a local store is not even opened by MLflow.

    Raises
    ------
    InputError
        If a tracking server does not answer.
    """
    launches = location.folder / "launches"
    if location.artifact_root is None:
        with quiet_libraries():
            _recover_server(location, launches)
        return
    mend_addresses(location)
    _send_dead(location, launches)
    database = location.database
    if database and database.exists() and database.stat().st_size > 0:
        # Who cannot open it is told so when it is read.
        with suppress(sqlite3.DatabaseError):
            _mark_rows(location, database, launches)


def _send_dead(location: StoreLocation, launches: Path) -> None:
    for folder, launch in dead_launches(launches):
        if launch.belongs_to(location):
            outcome = send_launch(folder, location)
            if isinstance(outcome, Kept) and outcome.away:
                return


def _mark_rows(location: StoreLocation, database: Path, launches: Path) -> None:
    """In the SQLite file itself, for MLflow takes a second to open one."""
    with closing(sqlite3.connect(database, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        running: dict[str, dict[str, str]] = {}
        for run_id, key, value in connection.execute(_FIND, _WANTED):
            running.setdefault(run_id, {})[key] = value
        stale = [run_id for run_id, given in running.items() if _is_stale(given, launches)]
        if not stale:
            return
        now = time.time_ns() // 1_000_000
        with StoreLock(location):
            connection.execute("begin immediate")
            for run_id in stale:
                if connection.execute(_END, (now, run_id)).rowcount:
                    connection.execute(_TAG, (tags.REASON, _REASON, run_id))
            connection.execute("commit")


def _recover_server(location: StoreLocation, launches: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(location.tracking_uri)
    try:
        client.search_experiments(max_results=1)  # before a writer waits for it
        _send_dead(location, launches)
        stale = [run_id for run_id, given in _running(client) if _is_stale(given, launches)]
    except MlflowException as error:
        reason = without_password(str(error).splitlines()[0])
        raise InputError(f"the tracking server cannot be asked for its runs ({reason})") from None
    for run_id in stale:
        with suppress(MlflowException):  # whoever may only read there
            if client.get_run(run_id).info.status == "RUNNING":
                client.set_tag(run_id, tags.REASON, _REASON)
                client.set_terminated(run_id, "KILLED")


def _running(client: "MlflowClient") -> list[tuple[str, Mapping[str, str]]]:
    """The runs that seem to go on on this machine, with their tags."""
    import socket

    experiments: list[str] = []
    token: str | None = None
    while token != "":
        found = client.search_experiments(max_results=1000, page_token=token)
        experiments += [each.experiment_id for each in found]
        token = found.token or ""
    host = socket.gethostname().replace("'", "")
    condition = f"attributes.status = 'RUNNING' and tags.`{tags.HOST}` = '{host}'"
    runs: list[tuple[str, Mapping[str, str]]] = []
    token = None
    while token != "":
        page = client.search_runs(experiments, condition, max_results=1000, page_token=token)
        runs += [(run.info.run_id, run.data.tags) for run in page]
        token = page.token or ""
    return runs


def _is_stale(given: Mapping[str, str], launches: Path) -> bool:
    """Whether it is certain that nobody is at a run with these tags."""
    name = given.get(tags.LAUNCH, "")
    folder = launches / name
    if name and folder.parent == launches and Launch.read(folder) is not None:
        return not is_alive(folder)
    process = ProcessIdentity.from_tags(given)
    return process is not None and process.has_died()
