"""Check, before anything is trained, that an experiment can take runs.

MLflow keeps deleted experiments, and takes no runs for them; and an experiment may have its files at an
address where none are written (``server_files.py``). The store is asked without MLflow, whose import takes a
second: a local one through the standard library's SQLite, a server by one request. A store that does not
answer in time is not waited for, as the writer reports the same mistakes later. If a server has no such
experiment it is created now, because only then is it known where its files would be.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from micrograde.core.errors import InputError
from micrograde.store.experiments import Experiments, check_local_address, check_server_address, check_stage
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.location import StoreLocation
from micrograde.store.mlflow_server import ServerStore
from micrograde.store.sqlite_files import StoreFileError, open_database

_PATIENCE = 2.0  # seconds for a database that another process writes to
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
    """Return the experiment of this name from a server; None if it does not answer in the expected form."""
    from micrograde.store.experiment_request import ask  # urllib, with ssl and more, which SQLite needs not

    try:
        answered = ask(name, uri)
    except LookupError:
        raise _NoSuchExperimentError from None
    return None if answered is None else Found(*(answered.get(key, "") for key in Found._fields))


def _make(name: str, location: StoreLocation) -> None:
    """Create the experiment as the writer would; errors of the server are left to the writer to report."""
    with quiet_libraries():
        import requests
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        with suppress(MlflowException, requests.RequestException):
            Experiments(ServerStore(MlflowClient(location.tracking_uri), location)).id_of(name)
