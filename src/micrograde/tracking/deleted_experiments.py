"""Whether an experiment has been deleted in a store, asked before anything is trained for it.

MLflow keeps what is deleted, and takes no run for it. The store is asked without MLflow, whose import takes a
second: the local one by the standard library's SQLite, a server by one request. Whoever cannot be asked so is
not waited for: the writer says it later, too.
"""

import base64
import os
import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from micrograde.answers import LateAnswerError, in_time
from micrograde.errors import InputError
from micrograde.json_files import parse_json
from micrograde.sqlite_files import StoreFileError, open_database
from micrograde.tracking.store import StoreLocation, without_password

_PATIENCE = 2.0  # seconds for a server's answer, or for a database that somebody writes to
_LONGEST = 2**20  # bytes of an answer
_QUERY = "select experiment_id from experiments where name = ? and lifecycle_stage = 'deleted'"


def refuse_deleted(name: str, location: StoreLocation) -> None:
    """Raise ``InputError`` if the experiment ``name`` has been deleted in the store."""
    database = location.database
    found = _in_database(name, database) if database else _on_server(name, location.tracking_uri)
    if found is not None:
        raise InputError(deleted_message(name, found, location))


def deleted_message(name: str, experiment_id: str, location: StoreLocation) -> str:
    """What is said of such an experiment: the command restores it with all its runs."""
    store = shlex.quote(without_password(location.tracking_uri))
    command = f"{shlex.quote(sys.executable)} -m mlflow experiments restore --experiment-id {experiment_id}"
    return (
        f"experiment_name={name}: was deleted in the store; choose another name, or restore it with: "
        f"MLFLOW_TRACKING_URI={store} {command}"
    )


def _in_database(name: str, database: Path) -> str | None:
    """The id of the deleted experiment of this name; None if there is none, or the file is no store."""
    if not database.exists():
        return None
    try:
        with closing(open_database(database, _PATIENCE, read_only=True)) as connection:
            row = connection.execute(_QUERY, (name,)).fetchone()
    except StoreFileError as error:  # code in it would run when MLflow writes
        raise InputError(f"{database}: is no store to record in: {error}") from None
    except sqlite3.Error:
        return None
    return str(row[0]) if row and isinstance(row[0], int) else None


def _on_server(name: str, uri: str) -> str | None:
    """The same by MLflow's REST interface."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    query = f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={quote(name, safe='')}"
    request = Request(address + query, headers=_credentials(parts.username, parts.password))

    def answer() -> bytes:
        with urlopen(request, timeout=_PATIENCE) as response:
            return bytes(response.read(_LONGEST))

    try:
        experiment = parse_json(in_time(answer, _PATIENCE))["experiment"]
        return str(experiment["experiment_id"]) if experiment["lifecycle_stage"] == "deleted" else None
    except (LateAnswerError, OSError, HTTPException, ValueError, KeyError, TypeError):
        return None


def _credentials(user: str | None, password: str | None) -> dict[str, str]:
    """As MLflow finds them: in its variables, else in the address."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    user = os.environ.get("MLFLOW_TRACKING_USERNAME") or unquote(user or "")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD") or unquote(password or "")
    if not user:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
