"""A PostgreSQL, an MLflow server on it, a Ray cluster and a browser, on this machine: `make test-system`.

PostgreSQL and the server listen on loopback alone. Ray puts the machine's own address in the place of
loopback's, so while the tests run the cluster can be reached from the network.

The folder is left out where Ray and Playwright are not installed: `make test-system` then collects no test,
and pytest's exit status is 5. JupyterLab has an environment of its own: `make check-release ARGS=jupyterlab`.
Where a program is not found the tests that need it fail: nothing passes in silence.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from benchmarks import cluster_parts
from benchmarks.servers import free_port
from tests.compose import filled, services

from micrograde.store.library_environment import quiet_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from playwright.sync_api import Browser


_IN_LAB = "test_jupyterlab.py"
_OTHERS = [each.name for each in Path(__file__).parent.glob("test_*.py") if each.name != _IN_LAB]
collect_ignore = [] if find_spec("ray") and find_spec("playwright") else _OTHERS
if not (find_spec("jupyterlab") and find_spec("playwright")):
    collect_ignore.append(_IN_LAB)
# Headless, and without what Chromium would fetch or say on its own.
_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_SECONDS = 300  # until something that has not come up is given up


@contextmanager
def running(
    command: list[str],
    log: Path,
    is_ready: Callable[[], object],
    stop: signal.Signals = signal.SIGTERM,
    **more: Any,
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process in a group of its own, from when it is ready; in the end none of the group is left.

    `is_ready` raises OSError for as long as it is not.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **more
        )
    try:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                is_ready()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"{command[0]} did not come up:\n{log.read_text()}")
                time.sleep(0.1)
        yield process
    finally:
        process.send_signal(stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def postgresql_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which PostgreSQL notes errors."""
    return tmp_path_factory.mktemp("postgresql") / "log"


@pytest.fixture(scope="session")
def postgresql(postgresql_log: Path) -> Iterator[str]:
    """The address of an empty database."""
    with cluster_parts.postgresql(postgresql_log, fsync="off") as (_, address):
        yield address


@pytest.fixture(scope="session")
def server(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real `mlflow server` whose store is PostgreSQL, started as `compose.yaml` does it."""
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    service = services()["mlflow"]
    here = {"0.0.0.0": "127.0.0.1", "5000": str(port), "/files": str(folder / "artifacts")}
    command = [re.sub("|".join(here), lambda found: here[found[0]], word) for word in service["command"]]
    environment = {**service["environment"], "MLFLOW_BACKEND_STORE_URI": postgresql}
    check = service["healthcheck"]["test"][-1].replace("5000", str(port))

    def is_ready() -> None:
        if subprocess.run([sys.executable, "-c", check], stderr=subprocess.DEVNULL).returncode:
            raise ConnectionRefusedError

    with running(
        [sys.executable, "-m", *(filled(word, {}) for word in command)],
        folder / "log",
        is_ready,
        cwd=folder,
        env={**quiet_environment(), **environment},
    ):
        yield f"http://127.0.0.1:{port}"


class Cluster:
    """Two nodes of one CPU each, on this machine.

    `address` is the head's; `homes` are the nodes' own, for a job knows no home of who launched it. A node's
    user has the name of its home's folder: a run's tag `mlflow.user` says where it was trained.
    """

    def __init__(self, address: str, homes: list[Path]) -> None:
        self.address, self.homes = address, homes


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A head and a node more; they end with the processes that hold them, and no other cluster does."""
    folder = tmp_path_factory.mktemp("ray")
    sockets = tempfile.mkdtemp(prefix="ray-")  # the name of a socket has 107 signs at most
    address = f"127.0.0.1:{(port := free_port())}"
    ray = str(Path(sys.executable).with_name("ray"))
    start = [ray, "start", "--block", "--node-ip-address=127.0.0.1", "--num-cpus=1", "--disable-usage-stats"]
    start += ["--object-store-memory=100000000", f"--temp-dir={sockets}"]
    head = [
        "--head",
        f"--port={port}",
        "--include-dashboard=false",
    ]

    def alive(nodes: int) -> Callable[[], None]:
        def is_ready() -> None:
            from ray._raylet import GcsClient

            try:
                found = GcsClient(address=address).get_all_node_info(timeout=5)
            except Exception as error:
                raise ConnectionRefusedError from error
            if len(found) < nodes:
                raise ConnectionRefusedError

        return is_ready

    def node(name: str, nodes: int, *arguments: str) -> "AbstractContextManager[subprocess.Popen[bytes]]":
        home = folder / name
        home.mkdir()
        return running(
            [*start, *arguments],
            folder / f"{name}.log",
            alive(nodes),
            cwd=home,
            env=cluster_parts.environment_of(home),
        )

    try:
        with node("head", 1, *head), node("other", 2, f"--address={address}"):
            yield Cluster(address, [folder / "head", folder / "other"])
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def client(server: str) -> "MlflowClient":
    """MLflow's own client of the server."""
    os.environ.update(quiet_environment())
    from mlflow import MlflowClient

    return MlflowClient(server)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("Chromium is not found: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_CHROMIUM_FLAGS)
        yield browser
        browser.close()
