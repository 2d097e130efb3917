"""A tracking server for the tests that need one."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.servers import MlflowServer
from tests.conftest import User


@pytest.fixture
def make_server(empty_store: Path, tmp_path: Path) -> Callable[[], MlflowServer]:
    """Makes a real `mlflow server` on loopback, with a store of its own, that has not been started."""

    def make() -> MlflowServer:
        folder = tmp_path / "server"
        folder.mkdir()
        shutil.copy(empty_store / "mlruns" / "mlflow.db", folder)
        return MlflowServer(folder)

    return make


@pytest.fixture
def server(
    make_server: Callable[[], MlflowServer], user: User, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowServer]:
    """One that runs; this user, and the test itself, know that on a busy machine it may be slow."""
    user.environment["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "60"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    with make_server() as server:
        yield server
