"""Open the MLflow UI of the recorded runs on this machine: `python pipelines/ui.py --port 5000`."""

import argparse
import os
import socket
import sys

from micrograde.tracking import local_store, make_store, project_home, quiet_environment


def main() -> None:
    """Make sure that there is a store, then become MLflow's server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, default=5000, help="the port to listen on [5000]")
    arguments = parser.parse_args()
    try:
        with socket.create_server((arguments.host, arguments.port)):
            pass
    except OSError as error:
        sys.exit(f"--port {arguments.port}: cannot listen there ({error.strerror}); give another --port")

    store = local_store(project_home())
    make_store(store)
    print(
        f"The runs of {store.folder}: http://{arguments.host}:{arguments.port}  (Ctrl-C ends it)", flush=True
    )
    where = ["--host", arguments.host, "--port", str(arguments.port), "--workers", "1"]
    what = ["--backend-store-uri", store.tracking_uri, "--default-artifact-root", str(store.artifact_root)]
    os.execve(sys.executable, [sys.executable, "-m", "mlflow", "server", *where, *what], quiet_environment())


if __name__ == "__main__":
    main()
