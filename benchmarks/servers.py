"""A real MLflow server that can be killed and started again, and a proxy that fails requests."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from micrograde.store.library_environment import quiet_environment

_SECONDS = 300  # until a server that has not come up is given up


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class MlflowServer:
    """`mlflow server` on loopback, with a folder of its own, and there a SQLite store; a context manager.

    Parameters
    ----------
    database
        The address of another store.
    workers
        Processes that answer requests.
    files
        A folder into which clients put files themselves; else they send them to the server.
    """

    def __init__(
        self,
        folder: Path,
        cores: set[int] | None = None,
        *,
        database: str | None = None,
        workers: int = 1,
        files: Path | None = None,
    ) -> None:
        self.folder, self.port, self.cores = folder, free_port(), cores
        self.database, self.workers, self.files = database, workers, files
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def _keep_to_cores(self) -> None:
        os.sched_setaffinity(0, self.cores or ())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def begin(self) -> None:
        """Start it, without waiting until it answers."""
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]
        what = ["--backend-store-uri", self.database or f"sqlite:///{self.folder}/mlflow.db"]
        if self.files:
            what += ["--no-serve-artifacts", "--default-artifact-root", str(self.files)]
        else:
            what += ["--artifacts-destination", str(self.folder / "artifacts")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *where, *what],
                env={**quiet_environment(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=self._keep_to_cores if self.cores else None,
            )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/health", timeout=5).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def kill(self) -> None:
        """End it by SIGKILL, with its workers."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


Failure = Callable[[str, str], str | None]
"""From a request's method and path to ``refuse``, ``lose``, or None: it goes well."""


def failing(share: float, seed: int) -> Failure:
    """Half of the failures answer 500 at once; the other half forward the request and lose the reply."""
    chance = random.Random(seed)

    def decide(method: str, path: str) -> str | None:
        if chance.random() >= share:
            return None
        return chance.choice(["refuse", "lose"])

    return decide


class Proxy:
    """Stands between a client and a server; a context manager. ``counts`` says what became of requests."""

    def __init__(self, target_port: int, failure: Failure) -> None:
        self.counts: Counter[str] = Counter()
        self.failure = failure
        proxy, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    fate = proxy.failure(self.command, self.path)
                    proxy.counts[fate or "well"] += 1
                if fate == "refuse":
                    self.reply(500, b"the proxy does not like it", [])
                    return
                target = HTTPConnection("127.0.0.1", target_port, timeout=60)
                try:
                    headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
                    target.request(self.command, self.path, body, headers)
                    answer = target.getresponse()
                    content, status, given = answer.read(), answer.status, answer.getheaders()
                except OSError:
                    self.reply(502, b"the server is gone", [])
                    return
                finally:
                    target.close()
                if fate == "lose":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.reply(status, content, given)

            def reply(self, status: int, content: bytes, headers: list[tuple[str, str]]) -> None:
                self.send_response_only(status)
                for key, value in headers:
                    if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *words: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client has gone."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
