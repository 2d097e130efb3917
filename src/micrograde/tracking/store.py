"""Where runs are recorded: the project's own SQLite store, or a tracking server."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # anonymous usage reporting is off
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # a server that is gone is reported in seconds, not minutes
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}


@dataclass(frozen=True)
class StoreLocation:
    """A store and the folder where a launch keeps its files until they are in it.

    Attributes
    ----------
    tracking_uri
        For MLflow: ``sqlite:///...`` or a server's address.
    artifact_root
        Where a local store keeps files; None lets the server decide.
    folder
        ``mlruns/`` of the project: nothing is written outside it.
    """

    tracking_uri: str
    artifact_root: Path | None
    folder: Path


def project_home() -> Path:
    """The folder that holds ``mlruns/``, whatever the working directory.

    ``MICROGRADE_HOME`` if it is set, else the checkout that this file lies in, else the working
    directory (for an installed package).
    """
    if os.environ.get("MICROGRADE_HOME"):
        return Path(os.environ["MICROGRADE_HOME"]).resolve()
    checkout = Path(__file__).resolve().parents[3]
    return checkout if (checkout / "conf" / "train.yaml").exists() else Path.cwd()


def local_store(home: Path) -> StoreLocation:
    """The project's own store: ``mlruns/mlflow.db`` and ``mlruns/artifacts``."""
    folder = home / "mlruns"
    return StoreLocation(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts", folder)


def server_store(uri: str, home: Path) -> StoreLocation:
    """A tracking server, which keeps the files as well."""
    return StoreLocation(uri, None, home / "mlruns")


def make_launch_folder(location: StoreLocation) -> Path:
    """A new folder of this launch's own, also when two start in the same instant."""
    launches = location.folder / "launches"
    launches.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{datetime.now():%Y-%m-%d_%H-%M-%S}_", dir=launches))


def quiet_environment() -> dict[str, str]:
    """The environment of this process with reporting and endless retries of libraries turned off."""
    return {**_QUIET, **os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


@contextmanager
def store_lock(location: StoreLocation) -> Iterator[None]:
    """Held while a process makes or writes the SQLite store, so that none finds it locked or half-made.

    MLflow's first start migrates the schema, and two processes that migrate at once break each other's;
    SQLite also refuses at once, without waiting, a reader that turns writer beside another. Servers
    look after themselves.
    """
    from filelock import FileLock

    if location.artifact_root is None:
        yield
        return
    location.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(location.folder / "mlflow.lock"):
        yield


def make_store(location: StoreLocation) -> None:
    """Make the local store if there is none."""
    os.environ.update(quiet_environment())
    from mlflow import MlflowClient

    with store_lock(location):
        MlflowClient(location.tracking_uri)


def without_password(text: str) -> str:
    """The text with ``user:password@`` of any address in it made unreadable."""
    return re.sub(r"(?<=://)[^/\s]+@", "***@", text)
