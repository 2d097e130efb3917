from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.homes import copy_home

from micrograde.store import local_store

if TYPE_CHECKING:
    from mlflow import MlflowClient


def add_run(
    client: "MlflowClient",
    experiment: str,
    name: str,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    status: str = "FINISHED",
    tags: Mapping[str, str] | None = None,
    start: int = 0,
) -> str:
    from mlflow.entities import Metric, Param, RunTag

    run = client.create_run(experiment, start_time=1_700_000_000_000 + start, run_name=name).info.run_id
    assert isinstance(run, str)
    client.log_batch(
        run,
        metrics=[Metric(key, value, 0, 1) for key, value in metrics.items()],
        params=[Param(key, value) for key, value in params.items()],
        tags=[RunTag(key, value) for key, value in (tags or {}).items()],
    )
    if status != "RUNNING":
        client.set_terminated(run, status, end_time=1_700_000_000_000 + start + 2500)
    return run


def new_store(empty_store: Path, folder: Path, *names: str) -> tuple["MlflowClient", str, list[str]]:
    """A copy of the empty store with these experiments: a client, its address, the experiments' ids."""
    from mlflow import MlflowClient

    home = copy_home(empty_store, folder / "home")
    uri = local_store(home).tracking_uri
    client = MlflowClient(uri)
    return client, uri, [client.create_experiment(name, f"file://{home}/artifacts") for name in names]


@pytest.fixture(scope="session")
def uri(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two learning rates times three seeds, and some odd ones."""
    client, uri, (digits, other) = new_store(empty_store, tmp_path_factory.mktemp("runs"), "digits", "other")
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


DIVERGED = "the loss became NaN at step 12 <script>"


@pytest.fixture(scope="session")
def sweep_uri(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two sweeps of one name, another in another experiment, and a run alone.

    The first has a run that failed, an attempt that was run again, and a run that was deleted.
    """
    from mlflow.entities import Metric

    client, uri, (digits, moons) = new_store(
        empty_store, tmp_path_factory.mktemp("sweeps"), "digits", "moons"
    )

    def add_sweep(experiment: str, name: str, varies: str, start: int) -> str:
        tags = {"micrograde.sweep_digest": f"d{start}", "micrograde.sweep_varies": varies}
        return add_run(client, experiment, name, {}, {}, tags=tags, start=start)

    def add_child(
        parent: str,
        experiment: str,
        rate: float,
        seed: int,
        start: int,
        *,
        values: Sequence[float] = (0.5, 0.8),
        status: str = "FINISHED",
        **tags: str,
    ) -> str:
        run = add_run(
            client,
            experiment,
            f"learning_rate={rate} seed={seed}",
            {"optimizer.learning_rate": str(rate), "seed": str(seed), "optimizer.name": "sgd"},
            {},
            status="RUNNING",
            tags={"mlflow.parentRunId": parent, "micrograde.config_digest": f"{rate} {seed}"},
            start=start,
        )
        points = [
            Metric(name, sign * value, 1000 * step, step)
            for step, value in enumerate(values, 1)
            for name, sign in (("val/accuracy", 1), ("train/loss", 2))
        ]
        client.log_batch(run, metrics=points)
        for key, value in tags.items():
            client.set_tag(run, f"micrograde.{key}", value)
        client.set_terminated(run, status, end_time=1_700_000_000_000 + start + 900)
        return run

    rates_and_seeds = '["optimizer.learning_rate", "seed"]'
    first = add_sweep(digits, "learning_rate × seed", rates_and_seeds, 100)
    for number, (rate, seed) in enumerate((rate, seed) for rate in (0.1, 0.5) for seed in (0, 1)):
        add_child(first, digits, rate, seed, 101 + number, values=(0.5, 0.6 + rate / 2 + seed / 100))
    nan, inf = float("nan"), float("inf")
    add_child(first, digits, 2.0, 0, 110, values=(0.3, -inf, inf, nan), status="FAILED", reason=DIVERGED)
    add_child(first, digits, 2.0, 1, 111, status="KILLED", superseded="true")
    client.delete_run(add_child(first, digits, 3.0, 0, 112))
    second = add_sweep(digits, "learning_rate × seed", rates_and_seeds, 200)
    add_child(second, digits, 0.1, 7, 201)
    add_child(add_sweep(moons, "seed", '["seed"]', 150), moons, 0.1, 0, 151)
    add_sweep(moons, "edited", "no JSON", 50)
    add_run(client, digits, "alone", {"seed": "5"}, {"val/accuracy": 0.1}, start=300)
    return uri
