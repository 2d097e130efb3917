"""What a model costs: each answer over HTTP beyond MLflow's own, and logging it at the end of a run.

    python -m benchmarks.serving [--requests 300]

Two servers of `mlflow models serve` are asked for one row in turn: the model of a digits run, and one with
the same columns that answers with a constant. Medians, in milliseconds. Then models are logged as at the end
of a run, into a SQLite store; in seconds.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.servers import free_port
from micrograde.data.sets.digits import Digits
from micrograde.models.trained_network import describe_model
from micrograde.runs.building import prepare_data
from micrograde.store import StoreLocation, local_store
from micrograde.store.library_environment import quiet_environment
from micrograde.store.logged_model import log_model
from micrograde.store.mlflow_local import LocalStore
from micrograde.store.mlmodel import write_mlmodel

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).parents[1]
MODELS_LOGGED = 15


class Constant:
    """A model that takes no time."""

    def __init__(self, answer: "pd.DataFrame") -> None:
        self.answer = answer

    def predict(self, model_input: object, params: object = None) -> "pd.DataFrame":
        return self.answer


def _load_pyfunc(path: str) -> Constant:
    import pandas as pd

    return Constant(pd.read_json(Path(path) / "answer.json", orient="split"))


@contextmanager
def served(folder: Path) -> Iterator[HTTPConnection]:
    """A connection to a server of the model in a folder."""
    port = free_port()
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**quiet_environment(), "PATH": commands, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder), "--env-manager", "local"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            for _ in range(600):
                with suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/ping").close()
                    break
                time.sleep(0.2)
            yield HTTPConnection("127.0.0.1", port)
        finally:
            os.killpg(process.pid, 15)
            process.wait()


def ask(connection: HTTPConnection, content: bytes) -> tuple[float, dict[str, Any]]:
    """Milliseconds to the whole answer, and the answer."""
    start = time.perf_counter()
    connection.request("POST", "/invocations", content, {"Content-Type": "application/json"})
    answer = connection.getresponse().read()
    return 1000 * (time.perf_counter() - start), json.loads(answer)


def measure_answers(model: Path, requests: int) -> None:
    constant = model.parent / "constant"
    shutil.copytree(model, constant)
    described = (constant / "MLmodel").read_text()
    (constant / "MLmodel").write_text(described.replace("micrograde.serving", "benchmarks.serving"))
    example = json.loads((model / "serving_input_example.json").read_text())["dataframe_split"]
    content = json.dumps({"dataframe_split": {**example, "data": example["data"][:1]}}).encode()
    import pandas as pd

    from micrograde.models.trained_network import read_network

    answer = read_network(model).predict(pd.DataFrame(example["data"][:1], columns=example["columns"]))
    answer.to_json(constant / "answer.json", orient="split")
    times: dict[str, list[float]] = {"ours": [], "constant": []}
    with ExitStack() as stack:
        connections = {
            "ours": stack.enter_context(served(model)),
            "constant": stack.enter_context(served(constant)),
        }
        for _ in range(requests + 20):
            for name, connection in connections.items():
                milliseconds, found = ask(connection, content)
                assert found["predictions"][0].keys() == set(answer.columns), found
                times[name].append(milliseconds)
    ours, constant_model = (statistics.median(each[20:]) for each in times.values())
    print(
        f"one row over HTTP        {ours:.2f} ms, {constant_model:.2f} of a constant model: "
        f"{ours - constant_model:.2f} ms are the model's  ({requests} requests each)"
    )


def measure_logging(location: StoreLocation, run_id: str, model: Path) -> None:
    """As a writer does it at the end of a run, each time for a run of its own."""
    from mlflow import MlflowClient

    client = MlflowClient(location.tracking_uri)
    described = describe_model(prepare_data(Digits(), "float32").dataset)
    finished = client.get_run(run_id)
    seconds = []
    for _ in range(MODELS_LOGGED):
        run = client.create_run(finished.info.experiment_id)
        for key, value in finished.data.metrics.items():
            client.log_metric(run.info.run_id, key, value)
        client.log_artifacts(run.info.run_id, str(model), "model")
        folder = Path(run.info.artifact_uri.removeprefix("file://")) / "model"
        start = time.perf_counter()
        write_mlmodel(folder, described, run.info.run_id)
        log_model(LocalStore(client, location), run.info.run_id, shown_with=run.info.run_id)
        seconds.append(time.perf_counter() - start)
    print(
        f"logging a model          {statistics.median(seconds):.3f} s, the first {seconds[0]:.3f}, "
        f"at worst {max(seconds):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=300)
    arguments = parser.parse_args()
    os.environ.update(quiet_environment())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MICROGRADE_HOME"] = folder
        subprocess.run(
            [sys.executable, str(ROOT / "pipelines" / "train.py"), "training.num_epochs=20"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        store = local_store(Path(folder))
        assert store.artifact_root
        (model,) = store.artifact_root.glob("*/*/artifacts/model")
        run_id = model.parent.parent.name
        copied = Path(folder) / "served" / "ours"
        shutil.copytree(model, copied)
        measure_logging(store, run_id, model)
        measure_answers(copied, arguments.requests)


if __name__ == "__main__":
    main()
