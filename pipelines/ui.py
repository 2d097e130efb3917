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
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        where = f"--host {arguments.host} --port {arguments.port}"
        sys.exit(f"{where}: cannot listen there ({reason}); give another --port")

    store = local_store(project_home())
    make_store(store)
    print(
        f"The runs of {store.folder}: http://{arguments.host}:{arguments.port}  (Ctrl-C ends it)", flush=True
    )
    listen = ["--host", arguments.host, "--port", str(arguments.port), "--workers", "1"]
    what = ["--backend-store-uri", store.tracking_uri, "--default-artifact-root", str(store.artifact_root)]
    # Its job runners are for language models: seven processes that each import MLflow.
    environment = {**quiet_environment(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    os.execve(sys.executable, [sys.executable, "-P", "-m", "mlflow", "server", *listen, *what], environment)


if __name__ == "__main__":
    main()
