"""What somebody else's store holds before it is changed."""

from pathlib import Path

import pytest
from tests.homes import copy_home
from tests.hostile_store import HostileStore, loosen
from tests.stored_runs import add_run

from micrograde.store import local_store


@pytest.fixture(scope="session")
def made(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> HostileStore:
    """A sweep of two runs, three runs alone, and the victim, which began last and has finished."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    home = copy_home(empty_store, tmp_path_factory.mktemp("hostile") / "home")
    client = MlflowClient(local_store(home).tracking_uri)
    experiment = client.create_experiment("digits", f"file://{home}/mlruns/artifacts/digits")

    def run(name: str, start: int, tags: dict[str, str] | None = None, status: str = "FINISHED") -> str:
        params = {"seed": str(start), "optimizer.learning_rate": "0.1", "model.hidden_size": "[8, 8]"}
        run_id = add_run(client, experiment, name, params, {}, status, tags, start)
        points = [
            Metric(key, 0.5 / step, 1, step) for step in (1, 2) for key in ("train/loss", "val/accuracy")
        ]
        client.log_batch(run_id, metrics=points)
        return run_id

    about = {
        "micrograde.sweep_digest": "d",
        "micrograde.sweep_varies": '["seed"]',
        "micrograde.launched": "7",
    }
    sweep = run("a sweep", 0, about)
    inner = [run(f"inner {start}", start, {"mlflow.parentRunId": sweep}) for start in (1, 2)]
    alone = [run(f"alone {start}", start, {"note": "n"}) for start in (3, 4)]
    stopped = run("stopped", 5, status="KILLED")
    victim = run("victim", 6, {"note": "n", "micrograde.config_digest": "c"})
    loosen(home)
    return HostileStore(home, victim, frozenset([*inner, *alone, stopped]), sweep)
