"""What tests of several rooms share: no deadlines, a store that need not be made anew each time, a user."""

import atexit
import functools
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import settings
from tests.homes import copy_home
from tests.waiting import wait_for
from tests.warm import WarmPython

from micrograde.store import local_store, make_store
from micrograde.store.location import StoreLocation

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.pyfunc import PyFuncModel
    from tests.records import Records

ROOT = Path(__file__).parents[1]

# Whoever runs the tests in the background has Ctrl-C ignored, and what they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test asserts a time, so no example has a deadline either.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow keeps the address that one test sets for the next one, in a variable that we follow.

    Nor does it matter what starts the tests: advice says what to type.
    """
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MICROGRADE_STARTED_AS", raising=False)
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a store in which nothing is recorded; MLflow takes two seconds to make one."""
    home = tmp_path_factory.mktemp("empty-store")
    make_store(local_store(home))
    return home


@pytest.fixture(scope="session")
def old_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that version 0.1 wrote, in a folder that is no more; to be looked at, not written to."""
    return unpack_old_home(tmp_path_factory.mktemp("old-home"))


def unpack_old_home(folder: Path) -> Path:
    """Unpack that home: runs of iris, wine and two tables, a sweep of four, one run that was killed."""
    with tarfile.open(ROOT / "tests" / "old_store.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def is_newer_than_mlflow(location: StoreLocation) -> bool:
    """Whether this MLflow refuses the store of that home, which 3.17 has written; asserts that it does."""
    import mlflow

    if tuple(map(int, mlflow.__version__.split(".")[:2])) >= (3, 17):
        return False
    with pytest.raises(mlflow.exceptions.MlflowException, match="Detected out-of-date database schema"):
        mlflow.MlflowClient(location.tracking_uri)
    return True


@pytest.fixture
def home(empty_store: Path, tmp_path: Path) -> Path:
    """A home of the test's own, with an empty store."""
    return copy_home(empty_store, tmp_path / "home")


@pytest.fixture(scope="session")
def recorded(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> "Records":
    """Two runs that are recorded once; tests that change something take a copy, ``records``."""
    from tests.records import record

    return record(copy_home(empty_store, tmp_path_factory.mktemp("records") / "home"))


@pytest.fixture
def records(recorded: "Records", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Records":
    """A copy of them in a home that is this process's."""
    records = recorded.copied_to(tmp_path / "home")
    monkeypatch.setenv("MICROGRADE_HOME", str(records.home))
    monkeypatch.chdir(records.folder)
    return records


ENVIRONMENT = {
    "PYTHONWARNINGS": "error::UserWarning",
    "MICROGRADE_QUIET": "1",  # what takes over a second depends on the machine
}


@functools.cache
def warm_python() -> WarmPython:
    """What commands are forked from; it is there when the first is run."""
    warm = WarmPython({**os.environ, **ENVIRONMENT})
    atexit.register(warm.end)
    return warm


class User:
    """Somebody at a shell, in a folder of their own, with a home that has an empty store."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        own = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        self.environment = {**own, **ENVIRONMENT, "MICROGRADE_HOME": str(home)}

    def start(self, pipeline: str, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(ROOT / "pipelines" / f"{pipeline}.py"), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, pipeline: str, *arguments: str, status: int | None = 0
    ) -> "subprocess.CompletedProcess[str]":
        """The command, when it has ended with this status; None allows any."""
        warm = None if os.environ.get("MICROGRADE_COLD") else warm_python()
        if warm and warm.takes(self.environment):
            script = ROOT / "pipelines" / f"{pipeline}.py"
            ended, stdout, stderr = warm.run(script, arguments, self.folder, self.environment)
        else:
            process = self.start(pipeline, *arguments)
            stdout, stderr = process.communicate()
            ended = process.returncode
        assert status in (ended, None), f"{stdout}\n{stderr}"
        assert "could not be drawn" not in stdout + stderr  # a picture is only left out for an error in it
        assert "UserWarning" not in stderr
        return subprocess.CompletedProcess([pipeline, *arguments], ended, stdout, stderr)

    @property
    def client(self) -> "MlflowClient":
        from mlflow import MlflowClient

        return MlflowClient(local_store(self.home).tracking_uri)

    def runs(self) -> "list[Run]":
        client = self.client
        found: list[Run] = client.search_runs([each.experiment_id for each in client.search_experiments()])
        return found

    def wait_until_written(self) -> None:
        """A writer that outlives its launch removes the launch's folder when everything is in the store.

        It puts it aside first, whence it goes file by file; what a killed process has left there stays.
        """
        mlruns = self.home / "mlruns"
        wait_for(lambda: not any((mlruns / "launches").iterdir()))
        with suppress(pytest.fail.Exception):
            wait_for(lambda: not (mlruns / "temporary").exists(), seconds=5)

    def artifacts(self, run: "Run") -> Path:
        """The folder of a run's files, themselves and no copies."""
        return Path(unquote(run.info.artifact_uri.removeprefix("file://")))

    def loaded_model(self, run: "Run") -> "PyFuncModel":
        """The run's model, as MLflow loads it."""
        import mlflow

        mlflow.set_tracking_uri(local_store(self.home).tracking_uri)
        model: PyFuncModel = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
        return model

    def files(self) -> list[str]:
        """All files of the home, and of the folder the commands are given in."""
        folders = (self.home, self.folder)
        return sorted(str(path) for folder in folders for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def user(home: Path, tmp_path: Path) -> User:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return User(home, folder)


@pytest.fixture(scope="session")
def make_user(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], User]:
    """Makes users whose launches several tests look at."""

    def make(name: str) -> User:
        folder = tmp_path_factory.mktemp(name)
        (folder / "elsewhere").mkdir()
        return User(copy_home(empty_store, folder / "home"), folder / "elsewhere")

    return make
