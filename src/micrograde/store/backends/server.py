"""An MLflow tracking server."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

from micrograde.core.errors import InputError
from micrograde.core.redaction import HIDDEN, PLACEHOLDER, without_password
from micrograde.store import postgresql_batch, server_reader
from micrograde.store.backends import BACKENDS, Backend, Pictures
from micrograde.store.database_store import check_database, open_with_database
from micrograde.store.event_writer import EventWriter, Recording
from micrograde.store.experiment_check import check_on_server
from micrograde.store.library_environment import would_be_told_who_asks
from micrograde.store.location import StoreLocation, server_store
from micrograde.store.reader import Reader
from micrograde.store.run_files import server_folder
from micrograde.store.server_files import public_address
from micrograde.store.settings import ArtifactStore, DatabaseAddress, RegisteredName, WebAddress
from micrograde.store.stale_runs import end_on_server

_PASSING = {408, 425, 429}  # and 500 and above: temporary errors, worth another try


@BACKENDS.register
@dataclass(frozen=True, kw_only=True)
class ServerTracking(Backend):
    """An MLflow tracking server.

    Parameters
    ----------
    uri
        The server's address.
    artifacts
        A store such as ``s3://bucket/prefix`` that may hold the files of its runs, as the server itself
        may; null for none. A file is never opened at any other address that a run names.
    database
        The address of the server's PostgreSQL, such as ``postgresql://mlflow@db.example/mlflow``: rows are
        then written into it, those of many runs in a transaction; null to leave them to the server.
    pictures
        Which pictures are recorded: all, or the light ones, which take next to no time; auto is light in a
        sweep and all otherwise.
    register
        The name under which the run's model, of a sweep the best one, is registered; null for none.
    """

    name: Literal["server"] = "server"
    uri: WebAddress = dataclasses.field(default="http://127.0.0.1:5000", repr=False)  # may contain a password
    artifacts: ArtifactStore | None = None
    database: DatabaseAddress | None = dataclasses.field(default=None, repr=False)
    pictures: Pictures = "auto"
    register: RegisteredName | None = None

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    can_be_away: ClassVar[bool] = True
    removed_by: ClassVar[str] = "mlflow gc on the server's machine, with the server's --backend-store-uri"

    def location(self, home: Path) -> StoreLocation:
        """Return the server as a store."""
        if self.database and find_spec("psycopg") is None:
            raise InputError("tracking.database: needs psycopg: pip install 'psycopg[binary]'")
        return server_store(self.uri, home, self.artifacts, self.database)

    @classmethod
    def open_writer(cls, location: StoreLocation, recording: Recording) -> EventWriter:
        """Return MLflow's writer."""
        from micrograde.store.mlflow_writer import MlflowWriter

        return MlflowWriter(open_with_database(location, recording.make), recording)

    @classmethod
    def mlflow_module(cls, location: StoreLocation) -> str | None:  # noqa: ARG003
        """Return the module of the client; its own store, which takes another second, a server needs not."""
        return "mlflow.tracking"

    @classmethod
    def may_pass(cls, error: Exception) -> bool:
        """Return whether the server, or its database, did not answer, or with an error that is temporary."""
        if type(error).__module__.startswith("psycopg"):
            return postgresql_batch.may_pass(error)
        import requests
        from mlflow.exceptions import MlflowException

        if isinstance(error, requests.HTTPError) and error.response is not None:
            status = error.response.status_code
        elif isinstance(error, MlflowException):  # its status is 500 if the connection failed
            status = error.get_http_status_code()  # type: ignore[no-untyped-call]
        else:
            return isinstance(error, requests.RequestException)
        return status in _PASSING or status >= 500

    @classmethod
    def check_experiment(cls, name: str, location: StoreLocation) -> None:
        """Raise ``InputError`` if it has been deleted, or its files would be where none are written.

        So, too, if a database is named that refuses this user, or is none of MLflow's.
        """
        if location.rows:
            check_database(location.rows)
        check_on_server(name, location)

    @classmethod
    def reader(cls) -> Reader:
        """Return the module that asks by MLflow's REST interface."""
        return server_reader

    @classmethod
    def files_of(
        cls, run_id: str, address: str, location: StoreLocation, wanted: Collection[str]
    ) -> AbstractContextManager[Path]:
        """Fetch the wanted files; those that do not exist are skipped."""
        return server_folder(run_id, address, location, wanted)

    @classmethod
    def recover(
        cls,
        location: StoreLocation,
        send_dead: Callable[[], None],
        is_stale: Callable[[Mapping[str, str]], bool],
    ) -> None:
        """Send what is left, and end this machine's stale runs by requests."""
        end_on_server(location, send_dead, is_stale)

    @classmethod
    def described(cls, location: StoreLocation) -> str:
        """Return ``the tracking server <address>``."""
        return f"the tracking server {without_password(location.tracking_uri)}"

    @classmethod
    def typed(cls, address: str) -> tuple[str, ...]:
        """Return the choice and the address."""
        return ("tracking=server", f"tracking.uri={public_address(address)}")

    @classmethod
    def web_page(cls, address: str) -> str:
        """Return the server's own address."""
        return public_address(address)

    @classmethod
    def located(cls, noted: str | None, home: Path) -> StoreLocation:
        """Return the server, unless it would be told who asks: then its address must be typed."""
        assert noted is not None
        if f"{HIDDEN}@" in noted:
            address = noted.replace(f"{HIDDEN}@", f"{PLACEHOLDER}@")
            raise InputError(
                f"its server wants a user's name; give it: tracking=server tracking.uri={address}"
            )
        if would_be_told_who_asks(noted):  # the folder may be somebody else's, and so may the server
            named = f"tracking=server tracking.uri={noted}"
            raise InputError(f"credentials go only to a server that you name; give it: {named}")
        return server_store(noted, home)
