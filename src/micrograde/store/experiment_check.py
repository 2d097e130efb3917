"""Whether an experiment can take runs, asked before anything is trained for it.

MLflow keeps what is deleted, and takes no run for it; and an experiment may have its files where none are put
(``server_files.py``). The store is asked without MLflow, whose import takes a second: the local one by the
standard library's SQLite, a server by one request. Whoever cannot be asked so is not waited for: the writer
says it later, too. On a server that has no such experiment it is made now, for only then is it known where
its files would be.
"""

import base64
import os
import sqlite3
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from micrograde.core.errors import InputError
from micrograde.core.json_files import parse_json
from micrograde.store.bounded_answers import LateAnswerError, in_time
from micrograde.store.experiments import Experiments, check_usable
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.location import StoreLocation
from micrograde.store.retrying import at_once
from micrograde.store.sqlite_files import StoreFileError, open_database

_PATIENCE = 2.0  # seconds for a server's answer, or for a database that somebody writes to
_LONGEST = 2**20  # bytes of an answer
_QUERY = "select experiment_id, lifecycle_stage, artifact_location from experiments where name = ?"


class Found(NamedTuple):
    """What a store says of an experiment."""

    experiment_id: str
    lifecycle_stage: str
    artifact_location: str


class _NoSuchExperimentError(Exception):
    """A server has answered that there is none of this name."""


def check_experiment(name: str, location: StoreLocation) -> None:
    """Raise ``InputError`` if the experiment ``name`` takes no runs in this store.

    It has been deleted, or its files would be at an address that is none, or none that the config trusts.
    """
    database = location.database
    try:
        found = _in_database(name, database) if database else _on_server(name, location.tracking_uri)
    except _NoSuchExperimentError:
        _make(name, location)
        return
    if found is not None:
        try:
            check_usable(name, *found, location)
        except ValueError as error:
            raise InputError(str(error)) from None


def _in_database(name: str, database: Path) -> Found | None:
    """The experiment of this name; None if there is none, or the file is no store."""
    if not database.exists():
        return None
    try:
        with closing(open_database(database, _PATIENCE, read_only=True)) as connection:
            row = connection.execute(_QUERY, (name,)).fetchone()
    except StoreFileError as error:  # code in it would run when MLflow writes
        raise InputError(f"{database}: is no store to record in: {error}") from None
    except sqlite3.Error:
        return None
    return Found(*("" if each is None else str(each) for each in row)) if row else None


def _on_server(name: str, uri: str) -> Found | None:
    """The same by MLflow's REST interface; None if it cannot be asked."""
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
    """Follows to another server without the credentials for the first, which ``urllib`` would pass on."""

    def redirect_request(self, req: Request, *told: Any) -> Request | None:
        following = super().redirect_request(req, *told)
        if following and urlsplit(following.full_url)[:2] != urlsplit(req.full_url)[:2]:
            following.remove_header("Authorization")
        return following


def _make(name: str, location: StoreLocation) -> None:
    """Make the experiment, as the writer would; what is wrong with the server is for that to say."""
    with quiet_libraries():
        import requests
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        with suppress(MlflowException, requests.RequestException):
            Experiments(MlflowClient(location.tracking_uri), location, at_once).id_of(name)


def _headers(user: str | None, password: str | None) -> dict[str, str]:
    """Credentials as MLflow finds them, in its variables, else in the address; and the workspace."""
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
