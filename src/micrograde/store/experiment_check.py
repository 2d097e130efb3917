"""Check, before anything is trained, that an experiment can take runs.

MLflow keeps deleted experiments, and takes no runs for them; and an experiment may have its files at an
address where none are written (``server_files.py``). The store is asked without MLflow, whose import takes a
second: a local one through the standard library's SQLite, a server by one request. A store that does not
answer in time is not waited for, as the writer reports the same mistakes later. If a server has no such
experiment it is created now, because only then is it known where its files would be.
"""

import base64
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from micrograde.core.errors import InputError
from micrograde.core.json_files import parse_json
from micrograde.store.bounded_answers import LateAnswerError, in_time
from micrograde.store.experiments import Experiments, check_local_address, check_server_address, check_stage
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.location import StoreLocation
from micrograde.store.mlflow_server import ServerStore
from micrograde.store.sqlite_files import StoreFileError, open_database

_PATIENCE = 2.0  # seconds for a server's response, or for a database that another process writes to
_LONGEST = 2**20  # bytes of a response
_QUERY = "select experiment_id, lifecycle_stage, artifact_location from experiments where name = ?"


class Found(NamedTuple):
    """What a store says about an experiment."""

    experiment_id: str
    lifecycle_stage: str
    artifact_location: str


class _NoSuchExperimentError(Exception):
    """A server has answered that it has no experiment of this name."""


def check_in_database(name: str, location: StoreLocation) -> None:
    """Raise ``InputError`` if the experiment ``name`` takes no runs in the local store.

    That is so if it has been deleted, or has an address from which MLflow cannot derive that of a run.
    """
    found = _in_database(name, location.database)
    if found is not None:
        with _said_to_the_user():
            check_stage(name, found.experiment_id, found.lifecycle_stage, location)
            check_local_address(name, found.artifact_location)


def check_on_server(name: str, location: StoreLocation) -> None:
    """Raise ``InputError`` if the experiment ``name`` takes no runs on a server.

    That is so if it has been deleted, or if its files would be at an address that the config does not name.
    """
    try:
        found = _on_server(name, location.tracking_uri)
    except _NoSuchExperimentError:
        _make(name, location)
        return
    if found is not None:
        with _said_to_the_user():
            check_stage(name, found.experiment_id, found.lifecycle_stage, location)
            check_server_address(name, found.artifact_location, location)


@contextmanager
def _said_to_the_user() -> Iterator[None]:
    """Turn what a writer would report into what the command line says."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from None


def _in_database(name: str, database: Path) -> Found | None:
    """Return the experiment of this name; None if there is none, or the file is not a store."""
    if not database.exists():
        return None
    try:
        with closing(open_database(database, _PATIENCE, read_only=True)) as connection:
            row = connection.execute(_QUERY, (name,)).fetchone()
    except StoreFileError as error:  # code in it would run when MLflow writes
        raise InputError(f"{database}: cannot be used as a store: {error}") from None
    except sqlite3.Error:
        return None
    return Found(*("" if each is None else str(each) for each in row)) if row else None


def _on_server(name: str, uri: str) -> Found | None:
    """Return the experiment of this name from a server, by MLflow's REST interface.

    None if the server does not answer, or not in the expected form.
    """
    from http.client import HTTPException

    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    query = f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={quote(name, safe='')}"
    request = Request(address + query, headers=_headers(parts.username, parts.password))

    def answer() -> bytes:
        with build_opener(_PasswordsStay).open(request, timeout=_PATIENCE) as response:
            return bytes(response.read(_LONGEST))

    try:
        experiment = parse_json(in_time(answer, _PATIENCE))["experiment"]
        return Found(*(str(experiment.get(key, "")) for key in Found._fields))
    except HTTPError as error:
        with error, suppress(LateAnswerError, OSError, HTTPException, ValueError, AttributeError):
            content = parse_json(in_time(partial(error.read, _LONGEST), _PATIENCE))
            if content.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
                raise _NoSuchExperimentError from None
        return None
    except (LateAnswerError, OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return None


class _PasswordsStay(HTTPRedirectHandler):
    """Follows redirects to another server without the credentials for the first.

    ``urllib`` by itself would pass them on.
    """

    def redirect_request(self, req: Request, *told: Any) -> Request | None:
        following = super().redirect_request(req, *told)
        if following and urlsplit(following.full_url)[:2] != urlsplit(req.full_url)[:2]:
            following.remove_header("Authorization")
        return following


def _make(name: str, location: StoreLocation) -> None:
    """Create the experiment as the writer would; errors of the server are left to the writer to report."""
    with quiet_libraries():
        import requests
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        with suppress(MlflowException, requests.RequestException):
            Experiments(ServerStore(MlflowClient(location.tracking_uri), location)).id_of(name)


def _headers(user: str | None, password: str | None) -> dict[str, str]:
    """Return headers for the workspace and the credentials.

    As in MLflow, credentials come from its environment variables, else from the address.
    """
    workspace = os.environ.get("MLFLOW_WORKSPACE")
    headers = {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {**headers, "Authorization": f"Bearer {token}"}
    user = os.environ.get("MLFLOW_TRACKING_USERNAME") or unquote(user or "")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD") or unquote(password or "")
    if not user:
        return headers
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {**headers, "Authorization": f"Basic {encoded}"}
