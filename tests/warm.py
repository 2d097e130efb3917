"""Commands in processes that begin with everything imported, forked from one that has done it once.

Four fifths of a short command's time go into importing, most of it MLflow for the writer. A command that is run here
is a process of its own all the same: its arguments, folder, environment, output and exit status are real, and so is
its writer; only that they do not begin with an empty interpreter. What a change of imports could break is held by
tests that start commands cold: those of the documentation's pages, and those that stop a command. And with
``MICROGRADE_COLD=1``, as in `make check-release`, all do.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

LIBRARIES = (
    "hydra._internal.hydra",
    "mlflow.store.tracking.sqlalchemy_store",
    "pandas",
    "pyarrow.parquet",
    "rich.progress",
    "scipy.stats",
    "sklearn.datasets",
)
# What an interpreter or a library looks at when it begins, and not later: where one of these differs, begin anew.
AT_BEGINNING = ("BLIS", "LD_", "MKL", "MPL", "NPY", "OMP", "OPENBLAS", "PYTHON")


class WarmPython:
    """A process with everything imported, of which commands are forked, one at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = _at_beginning(environment)
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the tests; without them this ends
            )
        self._answers = self._connection.makefile("r")

    def takes(self, environment: Mapping[str, str]) -> bool:
        """Whether a command would find nothing else with this environment if it began cold."""
        return _at_beginning(environment) == self._environment

    def run(
        self, script: Path, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]
    ) -> tuple[int, str, str]:
        """The exit status of a command, and what it has printed on standard output and standard error."""
        ends = [os.pipe(), os.pipe()]
        request = {
            "command": [str(script), *arguments],
            "folder": str(folder),
            "environment": dict(environment),
        }
        content = json.dumps(request).encode() + b"\n"
        socket.send_fds(self._connection, [len(content).to_bytes(8)], [writing for _, writing in ends])
        self._connection.sendall(content)
        for _, writing in ends:
            os.close(writing)
        with ThreadPoolExecutor() as pool:
            stdout, stderr = pool.map(_read, [reading for reading, _ in ends])
        status = self._answers.readline()
        assert status, "the process with everything imported has died"
        return int(status), stdout, stderr

    def end(self) -> None:
        """Close the connection; the process then ends."""
        self._answers.close()
        self._connection.close()
        self._process.wait()


def _at_beginning(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_BEGINNING)}


def _read(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8") as stream:
        return stream.read()


# --- the process with everything imported --------------------------------------------------------------------


def serve(connection: socket.socket) -> None:
    """Fork a process for each command that is asked for, and say how it ended."""
    import_everything()
    while True:
        header, descriptors, _, _ = socket.recv_fds(connection, 8, 2)
        if not header:
            return
        content = b""
        while len(content) < int.from_bytes(header):
            content += connection.recv(1 << 20)
        process_id = os.fork()
        if not process_id:
            become(json.loads(content), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(process_id, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def import_everything() -> None:
    """All rooms of micrograde, and the libraries that they import when they need them."""
    import micrograde
    from micrograde.store.library_environment import quiet_environment

    os.environ.update(quiet_environment())  # as the writer has it when it imports MLflow
    with warnings.catch_warnings(action="ignore"):  # of libraries among themselves, as commands ignore them
        for module in pkgutil.walk_packages(micrograde.__path__, "micrograde."):
            importlib.import_module(module.name)
        for library in LIBRARIES:
            importlib.import_module(library)
    gc.collect()
    gc.freeze()  # a page that a collection touches is copied


def become(request: dict[str, Any], stdout: int, stderr: int) -> None:
    """Be the command that was asked for, until its end."""
    redirect(os.open(os.devnull, os.O_RDONLY), stdout, stderr)
    script, *arguments = request["command"]
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [script, *arguments]
    fork_writers()
    status: object = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    # What the interpreter does at its end, all but taking apart what was imported.
    threading._shutdown()  # type: ignore[attr-defined]  # nobody else is to know it
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status or 0)


def redirect(*descriptors: int) -> None:
    """Have these as standard input, output and error, and no other descriptor of the process before."""
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
    os.closerange(3, 1024)
    # Python's streams remember whether what was there before could seek.
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)


def fork_writers() -> None:
    """Have the writer forked from the command, which has imported MLflow already, where a fork is safe."""
    from micrograde.tracking import writer, writer_process

    popen = subprocess.Popen

    class ForkedWriter:
        """What ``WriterProcess`` uses of a ``Popen``."""

        def __init__(self, environment: Mapping[str, str]) -> None:
            (reading, self_writing), (self_reading, writing) = os.pipe(), os.pipe()
            sys.stdout.flush()
            self.returncode: int | None = None
            self.pid = os.fork()
            if not self.pid:
                os.setsid()
                os.environ.clear()
                os.environ.update(environment)
                redirect(reading, writing, os.open(os.devnull, os.O_WRONLY))
                sys.argv = [writer.__file__]
                try:
                    writer.main()
                finally:
                    os._exit(1)  # it ends by itself
            os.close(reading)
            os.close(writing)
            self.stdin, self.stdout = open(self_writing, "wb", 0), open(self_reading, "rb", 0)

        def kill(self) -> None:
            if self.returncode is None:
                os.kill(self.pid, signal.SIGKILL)

        def wait(self) -> int:
            if self.returncode is None:
                self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            return self.returncode

    def start(command: list[str], **options: Any) -> "ForkedWriter | subprocess.Popen[bytes]":
        alone = len(os.listdir("/proc/self/task")) == 1  # another thread may hold a lock, and is not forked
        if command[1:] == ["-P", "-m", writer.__name__] and alone:
            return ForkedWriter(options["env"])
        return popen(command, **options)

    class OfWriters:
        PIPE, DEVNULL, Popen = subprocess.PIPE, subprocess.DEVNULL, staticmethod(start)

    writer_process.subprocess = OfWriters  # type: ignore[attr-defined, assignment]  # of this process alone


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1] / "pipelines")  # in the place of this file's folder
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        serve(asked)
