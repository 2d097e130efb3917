"""How fast runs are read: our two readers beside MLflow's, over one SQLite store.

    python -m benchmarks.reading [--rounds 5] [--whole] [--skip-large] [--json reading.json]

The store holds a sweep of 1,000 runs with 8 metrics of 50 epochs each, 400 values a run, filled by bulk
inserts. `load_runs` is timed beside `mlflow.search_runs`, `load_history` beside a loop of
`MlflowClient.get_metric_history` over runs and metrics. That loop takes about a minute, so without --whole
it is timed over 100 runs spread over the store and scaled. Then 10,000 runs: each reader in a process of its
own, with its time, how it compares with ten times the 1,000 runs' (1 is linear), and its peak memory.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy

from micrograde.analysis import load_history, load_runs
from micrograde.config.schema import ModelConfig, TrainConfig, TrainingConfig, as_params, config_digest
from micrograde.data.sets.digits import Digits
from micrograde.store import StoreLocation, make_store
from micrograde.store.backends.local import LocalTracking
from micrograde.training.optimizers.sgd import SGD
from micrograde.training.schedules.constant import Constant

METRICS = (
    "train/loss",
    "train/accuracy",
    "val/loss",
    "val/accuracy",
    "gradient_norm/total",
    "gradient_norm/layer1.weights",
    "gradient_norm/layer2.weights",
    "gradient_norm/layer1.biases",
)
EPOCHS = 50
START = 1_700_000_000_000
SAMPLE = 100  # runs over which the slow loop is timed
TARGETS = {"load_runs": 15.0, "load_history": 40.0}


def recipe(number: int) -> TrainConfig:
    """One of a sweep over learning rates and seeds."""
    return TrainConfig(
        data=Digits(),
        model=ModelConfig(),
        optimizer=SGD(learning_rate=round(0.01 * (1 + number // 10), 6)),
        schedule=Constant(),
        training=TrainingConfig(num_epochs=EPOCHS),
        tracking=LocalTracking(),
        seed=number % 10,
        experiment_name="digits",
    )


def fill(uri: str, runs: int) -> None:
    """A sweep of so many runs into an empty store, as micrograde would have recorded it."""
    engine = sqlalchemy.create_engine(uri)
    parent = uuid.uuid4().hex
    about = {
        "mlflow.user": "someone",
        "mlflow.source.name": "pipelines/train.py",
        "mlflow.source.type": "LOCAL",
        "micrograde.data_digest": "d" * 64,
        "micrograde.git_commit": "c" * 40,
        "micrograde.git_dirty": "false",
    }
    with engine.begin() as connection:
        experiment = connection.exec_driver_sql(
            "insert into experiments (name, lifecycle_stage) values ('digits', 'active') "
            "returning experiment_id"
        ).scalar_one()

        def insert(table: str, rows: list[tuple[Any, ...]]) -> None:
            signs = ", ".join("?" * len(rows[0]))
            connection.exec_driver_sql(f"insert into {table} values ({signs})", rows)

        def start(run_id: str, name: str, time: int, tags: dict[str, str]) -> None:
            connection.exec_driver_sql(
                "insert into runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, "
                "experiment_id) values (?, ?, 'someone', 'FINISHED', ?, ?, 'active', ?)",
                (run_id, name, time, time + 2000, experiment),
            )
            insert("tags (key, value, run_uuid)", [(*tag, run_id) for tag in {**about, **tags}.items()])

        varies = json.dumps(["optimizer.learning_rate", "seed"])
        tags = {"micrograde.sweep_digest": "s" * 64, "micrograde.sweep_varies": varies}
        start(parent, "learning_rate × seed", START, tags)
        for number in range(runs):
            run_id, config, began = uuid.uuid4().hex, recipe(number), START + number
            tags = {"micrograde.config_digest": config_digest(config), "mlflow.parentRunId": parent}
            start(run_id, f"run {number}", began, {**tags, "mlflow.runName": f"run {number}"})
            params = [(*param, run_id) for param in as_params(config).items()]
            insert("params (key, value, run_uuid)", params)
            values = np.random.default_rng(number).random((EPOCHS, len(METRICS)))
            points = [
                (name, value, began + epoch, epoch, False, run_id)
                for epoch, row in enumerate(values.tolist(), 1)
                for name, value in zip(METRICS, row, strict=True)
            ]
            columns = "(key, value, timestamp, step, is_nan, run_uuid)"
            insert(f"metrics {columns}", points)
            insert(f"latest_metrics {columns}", points[-len(METRICS) :])
    engine.dispose()


def runs_by_mlflow(uri: str) -> Any:
    import mlflow

    mlflow.set_tracking_uri(uri)
    return mlflow.search_runs(search_all_experiments=True, max_results=50_000)


def history_by_mlflow(uri: str, run_ids: list[str]) -> int:
    """How many values a loop over runs and metrics finds."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    return sum(len(client.get_metric_history(run_id, name)) for run_id in run_ids for name in METRICS)


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def small(uri: str, runs: int, rounds: int, whole: bool) -> Iterator[dict[str, Any]]:
    """Both readers beside MLflow's, in turn; a row each, of medians."""
    run_ids = load_runs(uri)["run_id"].tolist()
    sample = run_ids if whole else run_ids[:: max(1, runs // SAMPLE)]
    scale = runs / len(sample)
    assert history_by_mlflow(uri, run_ids[:1]) == len(METRICS) * EPOCHS
    assert len(load_history(uri)) == runs * len(METRICS) * EPOCHS
    assert len(runs_by_mlflow(uri)) == runs + 1  # and the sweep itself
    pairs: dict[str, tuple[str, Callable[[], Any], Callable[[], Any], float]] = {
        "load_runs": ("mlflow.search_runs", lambda: load_runs(uri), lambda: runs_by_mlflow(uri), 1.0),
        "load_history": (
            "get_metric_history" if whole else f"get_metric_history, {len(sample)} runs scaled",
            lambda: load_history(uri),
            lambda: history_by_mlflow(uri, sample),
            scale,
        ),
    }
    for name, (peer, ours, theirs, factor) in pairs.items():
        times = [(seconds(ours), factor * seconds(theirs)) for _ in range(1 if whole else rounds)]
        mine, other = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(b / a for a, b in times)
        yield {
            "reader": name,
            "runs": runs,
            "seconds": mine,
            "peer": peer,
            "peer_seconds": other,
            "ratio": ratio,
        }


def alone(reader: str, uri: str) -> dict[str, Any]:
    """A reader once in this process, which has done nothing else: its seconds, rows and peak memory."""
    import pandas  # noqa: F401 (imports are not what is measured)

    start = time.perf_counter()
    rows = len(load_runs(uri) if reader == "load_runs" else load_history(uri))
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"reader": reader, "rows": rows, "seconds": taken, "peak_gib": peak}


def in_a_process(reader: str, uri: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.reading", "--alone", reader, "--uri", uri]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="time MLflow's loop over all runs, once")
    parser.add_argument("--skip-large", action="store_true", help="leave out the 10,000 runs")
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    parser.add_argument("--alone", choices=list(TARGETS), help="only this reader, in this process")
    parser.add_argument("--uri", help="the store for --alone")
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(alone(arguments.alone, arguments.uri)))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        uris = {}
        for runs in (1_000,) if arguments.skip_large else (1_000, 10_000):
            folder = Path(scratch) / str(runs)
            uris[runs] = f"sqlite:///{folder}/mlflow.db"
            make_store(StoreLocation(uris[runs], folder / "artifacts", folder))
            fill(uris[runs], runs)
            print(f"filled: {runs:,} runs, {runs * len(METRICS) * EPOCHS:,} values", flush=True)
        for row in small(uris[1_000], 1_000, arguments.rounds, arguments.whole):
            rows.append(row)
            asked = TARGETS[row["reader"]]
            print(
                f"{row['reader']:13} {row['seconds']:7.3f} s   {row['peer']} {row['peer_seconds']:.2f} s   "
                f"ratio {row['ratio']:.1f} (asked: {asked:g})",
                flush=True,
            )
        for reader in () if arguments.skip_large else TARGETS:
            few = statistics.median(
                in_a_process(reader, uris[1_000])["seconds"] for _ in range(arguments.rounds)
            )
            row = in_a_process(reader, uris[10_000])
            row |= {"runs": 10_000, "of_linear": row["seconds"] / (10 * few)}
            rows.append(row)
            print(
                f"{reader:13} {row['seconds']:7.3f} s   10,000 runs, {row['rows']:,} rows; "
                f"{row['of_linear']:.2f} of ten times 1,000 runs; "
                f"peak {row['peak_gib']:.2f} GiB (asked: below 3)",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
