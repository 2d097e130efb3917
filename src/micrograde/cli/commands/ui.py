"""Open the MLflow UI of the recorded runs in a browser."""

import argparse
import ipaddress
import os
import socket
import sys
import time
import webbrowser
from importlib.metadata import entry_points

from micrograde.cli.mlflow_ui import APP_NAME
from micrograde.cli.surroundings import check_surroundings, refusal
from micrograde.config.mlflow_variables import TRACKING_URI, is_own_store, shown
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.streams import keep_output_steady
from micrograde.core.terminal import use_plain_characters
from micrograde.core.version import VERSION
from micrograde.store import local_store, make_store
from micrograde.store.library_environment import keep_warnings_warnings, quiet_environment
from micrograde.store.path_kinds import check_content, check_kinds
from micrograde.tracking import recover

_MODEL_TRAINING = "/#/experiments?workflowType=machine_learning"
"""MLflow's list of experiments, for model training, as `micrograde.cli.mlflow_ui` chooses for all pages."""
_START_SECONDS = 120.0  # time that MLflow may take until it answers
_NAMES_OF_THIS_MACHINE = [
    f"{name}{port}" for name in ("localhost", "127.0.0.1", "[[]::1]") for port in ("", ":*")
]


def main() -> None:
    """Make sure that there is a store, then become MLflow's server; exit with status 2 on a mistake."""
    keep_output_steady()
    use_plain_characters()
    try:
        serve()
    except (InputError, OSError, MemoryError) as error:
        said = str(error) if isinstance(error, InputError) else refusal(error)
        if said is None or os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(printable(said), file=sys.stderr)
        sys.exit(2)


def serve() -> None:
    """Read the command line, check the store, and replace this process by MLflow's server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, default=5000, help="the port to listen on [5000]")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--version", action="version", version=f"micrograde {VERSION}")
    arguments = parser.parse_args()
    keep_warnings_warnings()
    home = check_surroundings()
    check_kinds(home / "mlruns")
    store = local_store(home)
    check_content(home / "mlruns" / "mlflow.db")  # MLflow's server would end with its traceback
    if arguments.port == 0:  # the system would choose a free port, and nobody would know which
        raise InputError("--port 0: should be from 1 to 65535")
    try:
        with socket.create_server((arguments.host, arguments.port)):
            pass
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        where = f"--host {arguments.host} --port {arguments.port}"
        sys.exit(f"{where}: cannot listen there ({reason}); give another --port")

    if not is_this_machine(arguments.host):
        print(
            f"--host {arguments.host}: whoever reaches this machine can read, change and delete the runs; "
            "see docs/security.md",
            file=sys.stderr,
        )
    uri = os.environ.get(TRACKING_URI)
    if uri and not is_own_store(uri):
        print(f"{TRACKING_URI}={shown(uri)} is not shown; that is another store", file=sys.stderr)
    make_store(store)
    recover(store)
    address = address_of(arguments.host, arguments.port)
    print(f"The runs of {store.folder}: {address}  (Ctrl-C ends it)", flush=True)
    if not arguments.no_browser and has_browser():
        open_when_it_answers(arguments.host, arguments.port, address)
    listen = ["--host", arguments.host, "--port", str(arguments.port), "--workers", "1"]
    what = ["--backend-store-uri", store.tracking_uri, "--default-artifact-root", str(store.artifact_root)]
    if entry_points(
        group="mlflow.app", name=APP_NAME
    ):  # an installation from before the entry point was added does not have it
        what += ["--app-name", APP_NAME]
    # Its job runners are for language models: seven processes that each import MLflow.
    given = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_SERVER_")}
    environment = {**given, **quiet_environment(servers=False), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    if is_this_machine(arguments.host):
        # By default MLflow also answers to names such as 10.evil.example, which a page from elsewhere can
        # have resolved to this machine (DNS rebinding).
        environment.setdefault("MLFLOW_SERVER_ALLOWED_HOSTS", ",".join(_NAMES_OF_THIS_MACHINE))
    os.execve(sys.executable, [sys.executable, "-P", "-m", "mlflow", "server", *listen, *what], environment)


def address_of(host: str, port: int) -> str:
    """Return the address to type into a browser on this machine to see the experiments."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}{_MODEL_TRAINING}"


def has_browser() -> bool:
    """Return whether a browser with a window can be opened here, rather than one within the terminal."""
    wanted = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform == "darwin" or any(os.environ.get(name) for name in wanted)


def open_when_it_answers(host: str, port: int, address: str) -> None:
    """Open a browser at the address as soon as the server listens, from a process that nobody waits for."""
    if os.fork():
        os.wait()  # for the intermediate process, which exits at once
        return
    if os.fork() == 0:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            time.sleep(0.2)
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                continue
            with open(os.devnull, "w") as nothing:  # for the browser's own messages
                os.dup2(nothing.fileno(), 1)
                os.dup2(nothing.fileno(), 2)
            webbrowser.open(address)
            break
    os._exit(0)


def is_this_machine(host: str) -> bool:
    """Return whether an address to listen on can be reached only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
