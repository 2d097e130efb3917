"""A cluster on this machine: head, nodes, database and server can be killed, stopped and started again.

Whatever a part has started is a part of it, also what has left its parent, as a writer of a worker does: the
environment of each process names the part.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.servers import free_port
from micrograde.store.library_environment import quiet_environment

_SECONDS = 300.0  # until a part that has not come up is given up
_MARK = "MICROGRADE_PART"


def postgresql_programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    folders = [Path(found).resolve()] if found else sorted(debian, key=lambda each: float(each.parts[-3]))
    return folders[-1].parent if folders else None


def environment_of(home: Path) -> dict[str, str]:
    """Return the environment of a machine of somebody's own, whose home this folder is."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "USER": home.name,
        "LOGNAME": home.name,
        "MICROGRADE_HOME": str(home),
    }


class Part:
    """Something that runs all the time: a command, in a folder, with a log beside it.

    Parameters
    ----------
    is_ready
        Raises OSError for as long as it is not.
    more
        For ``subprocess.Popen``, such as the user.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        is_ready: Callable[[], object],
        **more: Any,
    ) -> None:
        self.name, self.command, self.folder, self._is_ready = name, command, folder, is_ready
        self._mark = f"{name}-{uuid.uuid4().hex[:12]}"
        self._environment, self._more = {**environment, _MARK: self._mark}, more
        self.log = folder.with_name(f"{folder.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_up(self) -> bool:
        """Whether its first process runs."""
        return self._process is not None and self._process.poll() is None

    def begin(self) -> None:
        """Start it, without waiting until it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._more,
            )

    def wait(self) -> None:
        """Wait until it is ready."""
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self._is_ready()
                return
            except OSError:
                if not self.is_up or time.monotonic() > deadline:
                    raise SystemExit(
                        f"{self.name} did not come up:\n{self.log.read_text()[-3000:]}"
                    ) from None
                time.sleep(0.1)

    def start(self) -> None:
        """Start it, unless it runs, and wait until it is ready."""
        if not self.is_up:
            self.kill()  # what is left of it
            self.begin()
        self.wait()

    def processes(self) -> list[psutil.Process]:
        """All processes of it that there are."""
        found: dict[int, psutil.Process] = {}
        roots = [self._process.pid] if self.is_up and self._process else []
        for each in psutil.process_iter():
            with suppress(psutil.Error):
                # A process that has changed its title shows no environment, but is a child of one that does.
                if each.pid in roots or each.environ().get(_MARK) == self._mark:
                    for one in (each, *each.children(recursive=True)):
                        found[one.pid] = one
        return list(found.values())

    def stop(self) -> None:
        """Stop all of it, as SIGSTOP does."""
        for each in self.processes():
            with suppress(psutil.Error):
                each.suspend()

    def go_on(self) -> None:
        """Let it go on after a stop."""
        for each in self.processes():
            with suppress(psutil.Error):
                each.resume()

    def kill(self) -> None:
        """Kill all of it at once."""
        for _ in range(2):  # while the first are suspended, others may begin
            found = self.processes()
            for each in found:
                with suppress(psutil.Error):
                    each.suspend()
        for each in found:
            with suppress(psutil.Error):
                each.kill()
        if self._process is not None:
            self._process.wait()
        psutil.wait_procs(found, timeout=10)


class RayCluster:
    """A head without CPUs and nodes of one CPU, each with a home of its own.

    Attributes
    ----------
    address
        What ``hydra.launcher.address`` is given.
    head, nodes
        The parts; a node's folder is its home.
    """

    def __init__(self, folder: Path, names: tuple[str, ...] = ("node-a", "node-b")) -> None:
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._sockets = tempfile.mkdtemp(prefix="ray-")  # the name of a socket has 107 signs at most
        more = ["--head", f"--port={self._port}", "--num-cpus=0", "--include-dashboard=false"]
        more.append(f"--temp-dir={self._sockets}")
        self.head = self._part("head", folder, more, self._answers)
        join = [f"--address={self.address}", "--num-cpus=1"]
        self.nodes = [
            self._part(name, folder, [*join, f"--resources={json.dumps({name: 1})}"], self._has(name))
            for name in names
        ]

    @property
    def parts(self) -> list[Part]:
        """The head and the nodes."""
        return [self.head, *self.nodes]

    def end(self) -> None:
        """Kill all parts, and remove what Ray has left."""
        for each in reversed(self.parts):
            each.kill()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def alive(self) -> list[set[str]]:
        """The resources of each node that the head takes for alive."""
        from ray._raylet import GcsClient

        socket.create_connection(("127.0.0.1", self._port), timeout=5).close()  # the client waits for long
        try:
            found = GcsClient(address=self.address).get_all_node_info(timeout=5)
        except Exception as error:
            raise ConnectionRefusedError(str(error)) from error
        return [set(dict(each.resources_total)) for each in found.values() if each.state == 0]

    def _answers(self) -> None:
        self.alive()

    def _has(self, name: str) -> Callable[[], None]:
        def is_ready() -> None:
            if not any(name in each for each in self.alive()):
                raise ConnectionRefusedError

        return is_ready

    def _part(self, name: str, folder: Path, more: list[str], is_ready: Callable[[], object]) -> Part:
        home = folder / name
        start = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats"]
        start += ["--node-ip-address=127.0.0.1", "--object-store-memory=100000000"]
        environment = {
            **environment_of(home),
            "RAY_AUTH_MODE": "disabled",
            # A machine that is gone is noticed after a few seconds; Ray's default is up to a minute.
            "RAY_health_check_initial_delay_ms": "1000",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "2000",
            "RAY_health_check_failure_threshold": "3",
        }
        if path := os.environ.get("PYTHONPATH"):
            environment["PYTHONPATH"] = path
        return Part(name, [*start, *more], home, environment, is_ready)


def mlflow_server(folder: Path, store: str, workers: int = 1, files: Path | None = None) -> tuple[Part, str]:
    """An `mlflow server` of a store; the part and its address.

    It has files in its own folder, or clients put them into a folder that all machines share.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--backend-store-uri", store]
    if files:
        command += ["--no-serve-artifacts", "--default-artifact-root", str(files)]
    else:
        command += ["--artifacts-destination", str(folder / "files")]
    environment = {**quiet_environment(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

    def is_ready() -> None:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()

    return Part("server", command, folder, environment, is_ready), address


def started_cluster(stack: ExitStack, folder: Path) -> RayCluster:
    """Start a cluster, whose head and nodes have their folders in this one; ``stack`` ends it."""
    cluster = RayCluster(folder)
    stack.callback(cluster.end)
    for part in cluster.parts:  # one after the other: Ray's names of sockets collide
        part.start()
    return cluster


def started_server(stack: ExitStack, *given: Any) -> tuple[Part, str]:
    """Start what ``mlflow_server`` makes of these arguments; ``stack`` ends it."""
    server, address = mlflow_server(*given)
    stack.callback(server.kill)
    server.start()
    return server, address


@contextmanager
def postgresql(
    log: Path, owner: str = "mlflow", password: str = "", **settings: str
) -> Iterator[tuple[Part, str]]:
    """An empty PostgreSQL, and its address; it refuses to run as root, so as `postgres` then.

    Without a password it lets everybody in, under any name.
    """
    programs = postgresql_programs()
    if programs is None:
        raise SystemExit("PostgreSQL's programs are not found: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    somebody: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        somebody = {"user": "postgres", "group": "postgres", "extra_groups": []}
    port = free_port()
    initdb = [
        str(programs / "initdb"),
        "-U",
        owner,
        "-E",
        "UTF8",
        "--no-locale",
        "-N",
        "-D",
        f"{folder}/data",
    ]
    if password:
        file = folder / "password"
        file.write_text(password)
        file.chmod(0o644)
        initdb += ["-A", "scram-sha-256", f"--pwfile={file}"]
    else:
        initdb += ["-A", "trust"]
    asked = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]

    def is_ready() -> None:
        if subprocess.run(asked, check=False).returncode:
            raise ConnectionRefusedError

    try:
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **somebody)
        command = [str(programs / "postgres"), "-D", f"{folder}/data", "-p", str(port)]
        for name, value in {
            **settings,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }.items():
            command += ["-c", f"{name}={value}"]
        part = Part("database", command, folder, dict(os.environ), is_ready, **somebody)
        part.log = log
        try:
            part.start()
            yield part, f"postgresql+psycopg://{owner}@127.0.0.1:{port}/postgres"
        finally:
            part.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
