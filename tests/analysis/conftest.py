import shutil

import pytest

from micrograde.tracking import local_store


def add_run(client, experiment, name, params, metrics, status="FINISHED", tags=None, start=0):
    from mlflow.entities import Metric, Param, RunTag

    run = client.create_run(experiment, start_time=1_700_000_000_000 + start, run_name=name).info.run_id
    client.log_batch(
        run,
        metrics=[Metric(key, value, 0, 1) for key, value in metrics.items()],
        params=[Param(key, value) for key, value in params.items()],
        tags=[RunTag(key, value) for key, value in (tags or {}).items()],
    )
    if status != "RUNNING":
        client.set_terminated(run, status, end_time=1_700_000_000_000 + start + 2500)
    return run


@pytest.fixture(scope="session")
def uri(empty_store, tmp_path_factory):
    """A store with two learning rates times three seeds, and some odd ones."""
    from mlflow import MlflowClient

    home = tmp_path_factory.mktemp("runs") / "home"
    shutil.copytree(empty_store, home)
    uri = local_store(home).tracking_uri
    client = MlflowClient(uri)
    digits, other = (
        client.create_experiment(name, f"file://{home}/artifacts") for name in ("digits", "other")
    )
    for number, (rate, seed) in enumerate((rate, seed) for rate in ("0.1", "1") for seed in "012"):
        accuracy = 0.9 + 0.01 * int(seed) - (0.2 if rate == "1" else 0)
        add_run(
            client,
            digits,
            f"run {number}",
            {
                "optimizer.learning_rate": rate,
                "optimizer.name": "sgd",
                "seed": seed,
                "model.hidden_size": "32",
                "model.batch_norm": "true",
                "training.batch_size": "null",
            },
            {"val/accuracy": accuracy, "val/loss": 1 - accuracy},
            tags={"micrograde.config_digest": f"d{number}"},
            start=number,
        )
    add_run(
        client,
        other,
        "odd | <b>",
        {"seed": "7", "model.hidden_size": "[8, 8]"},
        {"val/loss": float("nan")},
        "FAILED",
        start=10,
    )
    add_run(client, other, "going on", {}, {}, "RUNNING", start=11)
    client.delete_run(add_run(client, other, "deleted", {"seed": "9"}, {}, start=12))
    return uri
