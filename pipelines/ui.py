"""Open the MLflow UI of the recorded runs on this machine: `python pipelines/ui.py --port 5000`."""

import argparse
import ipaddress
import os
import socket
import sys

from micrograde.errors import InputError
from micrograde.tracking import local_store, make_store, project_home, quiet_environment, recover

_NAMES_OF_THIS_MACHINE = [
    f"{name}{port}" for name in ("localhost", "127.0.0.1", "[[]::1]") for port in ("", ":*")
]


def main() -> None:
    """Make sure that there is a store, then become MLflow's server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, default=5000, help="the port to listen on [5000]")
    arguments = parser.parse_args()
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
    try:
        store = local_store(project_home())
    except InputError as error:
        sys.exit(str(error))
    make_store(store)
    recover(store)
    print(
        f"The runs of {store.folder}: http://{arguments.host}:{arguments.port}  (Ctrl-C ends it)", flush=True
    )
    listen = ["--host", arguments.host, "--port", str(arguments.port), "--workers", "1"]
    what = ["--backend-store-uri", store.tracking_uri, "--default-artifact-root", str(store.artifact_root)]
    # Its job runners are for language models: seven processes that each import MLflow.
    environment = {**quiet_environment(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    if is_this_machine(arguments.host):
        # By default MLflow also answers to names such as 10.evil.example, which a page from elsewhere can
        # have resolved to this machine (DNS rebinding).
        environment.setdefault("MLFLOW_SERVER_ALLOWED_HOSTS", ",".join(_NAMES_OF_THIS_MACHINE))
    os.execve(sys.executable, [sys.executable, "-P", "-m", "mlflow", "server", *listen, *what], environment)


def is_this_machine(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    main()
