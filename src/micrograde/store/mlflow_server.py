"""A tracking server as MLflow's client writes to it; files are put only where the config allows it."""

import math
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.redaction import without_password
from micrograde.store.calls import Caller, at_once
from micrograde.store.experiments import check_server_address
from micrograde.store.library_environment import keep_credentials
from micrograde.store.location import StoreLocation
from micrograde.store.mlflow_store import MlflowStore
from micrograde.store.server_files import ForeignAddressError, check_address, named_folder, open_files
from micrograde.store.sql_writer import Param, Point, calls_of_client
from micrograde.store.turns import Turns

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo

    from micrograde.store.entities import ModelRow, RunInfoRow


_AT_ONCE = 4  # requests, which mostly wait for the server; each is given up when it takes 8 seconds


class ServerStore(MlflowStore):
    """A tracking server, which is asked for several things at once; the connections stay open."""

    def __init__(self, client: Any, location: StoreLocation, make: Caller = at_once) -> None:
        super().__init__(client, location, make)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "request")

    def make_turns(self) -> Turns:
        """Return turns without an end: nobody waits for them, as the server sees to what others write."""
        return Turns(nullcontext(), math.inf)

    def experiment_address(self, name: str) -> None:  # noqa: ARG002
        """Return None: the server chooses its own."""
        return

    def check_experiment(self, name: str, address: str) -> None:
        """Raise ``ForeignAddressError`` if the files are not where the config allows it."""
        check_server_address(name, address, self.location)

    def check_run(self, run: "RunInfo | RunInfoRow") -> None:
        """Raise ``ForeignAddressError`` if the files are not where the config allows it."""
        check_address(run.artifact_uri, self.location, f"run {run.run_id}")

    def write_rows(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write through MLflow's client: the calls for a run one after another, several runs at once."""
        self._wait_for(calls_of_client(self.client, params, points, self.make))

    def keep_files(self, folder: Path, run: "RunInfo | RunInfoRow") -> None:
        """Send each file by itself, so that a failure does not cause the others to be sent again.

        Where the config names a folder of this machine they are copied into it.
        """
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if not files:
            return
        whose = f"run {run.run_id}"
        if target := named_folder(run.artifact_uri, self.location, whose):
            self.make(partial(shutil.copytree, folder, target, dirs_exist_ok=True))
            return
        store = open_files(run.artifact_uri, self.location, whose)

        def sending(path: Path) -> Callable[[], object]:
            inner = path.relative_to(folder).parent.as_posix()
            send = partial(store.log_artifact, str(path), None if inner == "." else inner)
            return partial(self.make, send)

        self._wait_for(sending(path) for path in files)

    def _wait_for(self, calls: Iterable[Callable[[], object]]) -> None:
        """Make these calls, several at once; after the first error those that have not begun are left out."""
        begun = [self._threads.submit(call) for call in calls]
        try:
            for each in begun:
                each.result()
        finally:
            for each in begun:
                each.cancel()
            wait(begun)

    def has_files(self, run: "RunInfo | RunInfoRow") -> bool:  # noqa: ARG002
        """Return True: addresses elsewhere are refused when the files are opened."""
        return True

    def copy_folder(self, run: "RunInfo | RunInfoRow", name: str, to: Path) -> Path:
        """Fetch it file by file, so that a failure does not cause the others to be fetched again.

        Not by the client, which takes every failure for a missing file.
        """
        files = open_files(run.artifact_uri, self.location, f"run {run.run_id}")
        for file in self.make(lambda: files.list_artifacts(name)):
            self.make(partial(files.download_artifacts, file.path, str(to)))
        return to / name

    def place_model(self, model: "LoggedModel | ModelRow") -> None:
        """Delete a new logged model whose files would be elsewhere, and raise ``ForeignAddressError``."""
        try:
            check_address(model.artifact_location, self.location, f"model {model.model_id}")
        except ForeignAddressError:
            self.client.delete_logged_model(model.model_id)
            raise

    def keeps_model_file(self, model: "LoggedModel | ModelRow") -> Callable[[str], None]:
        """Return the function of the repository at the model's address."""
        address, whose = model.artifact_location, f"model {model.model_id}"
        log: Callable[[str], None] = open_files(address, self.location, whose).log_artifact
        return log


def open_server(location: StoreLocation, make: Caller) -> ServerStore:
    """Return the server, which MLflow's client writes to: a line on standard error says so."""
    said = f"{without_password(location.tracking_uri)}: MLflow's client writes to it"
    print(said, file=sys.stderr, flush=True)
    return ServerStore(client_of(location, make), location, make)


def client_of(location: StoreLocation, make: Caller) -> "MlflowClient":
    """Return MLflow's client of a server; the user's credentials stay with it when it redirects."""
    from mlflow import MlflowClient

    keep_credentials()
    client: MlflowClient = make(lambda: MlflowClient(location.tracking_uri))
    return client
