"""What insight costs: diagnostics as a share of training, and the files that a run by itself leaves.

    python -m benchmarks.insight [--rounds 15]

Training with and without diagnostics alternates, for a network alone and for a stack of 64; medians. The
copies of the parameters that the pictures need are part of it. Then each of a run's files is written, in
turn, as at the end of a run.
"""

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from micrograde.config.schema import ModelConfig, TrainConfig, TrainingConfig
from micrograde.data import DataSet
from micrograde.data.sets.digits import Digits
from micrograde.data.sets.moons import Moons
from micrograde.diagnostics import Measurements
from micrograde.diagnostics.layers import Diagnostics
from micrograde.diagnostics.trajectory import Trajectory, TrajectoryKeeper
from micrograde.drawing import RunContents
from micrograde.models.trained_network import write_network
from micrograde.nn import MLP
from micrograde.runs.building import (
    PreparedData,
    RandomStreams,
    build_model,
    build_optimizer,
    build_plan,
    prepare_data,
)
from micrograde.runs.pictures import write_pictures
from micrograde.store.backends.disabled import DisabledTracking
from micrograde.training import Departure, EpochRecord, GradientNorms, Training, confusion_counts
from micrograde.training.optimizers.sgd import SGD
from micrograde.training.schedules.constant import Constant

DIGITS = Digits()
MOONS = Moons()


def config_of(
    data: DataSet, hidden: tuple[int, ...] = (32,), *, diagnostics: bool = True, epochs: int = 50
) -> TrainConfig:
    return TrainConfig(
        data=data,
        model=ModelConfig(hidden_size=hidden),
        optimizer=SGD(learning_rate=0.2),
        schedule=Constant(),
        training=TrainingConfig(diagnostics=diagnostics, num_epochs=epochs),
        tracking=DisabledTracking(name="disabled"),
    )


def trained(
    config: TrainConfig, data: PreparedData, replicas: int
) -> tuple[float, dict[str, list[float]], MLP, Trajectory | None]:
    """Seconds of training, what was recorded of the first replica, its network and its trajectory."""
    configs = [config] * replicas
    streams = [RandomStreams.spawn(seed) for seed in range(replicas)]
    model = build_model([config.model] * replicas, data, "float32", [each.weights for each in streams])
    follow = config.training.diagnostics and replicas == 1
    trajectories = [Trajectory()] if follow else []
    callbacks = [GradientNorms(), *([Diagnostics(model)] if config.training.diagnostics else [])]
    training = Training(
        model, build_optimizer([config.optimizer] * replicas, model), build_plan(configs, len(data.training)),
        data.training, data.validation, [each.shuffling for each in streams],
        callbacks=[*callbacks, *([TrajectoryKeeper(trajectories)] if follow else [])],
    )  # fmt: skip
    history: dict[str, list[float]] = {}
    start = time.perf_counter()
    for event in training.run():
        if isinstance(event, EpochRecord):
            for metric, values in event.metrics.items():
                history.setdefault(metric, []).append(float(values[0]))
        elif isinstance(event, Departure) and event.replica == 0:
            left = event.model
    return time.perf_counter() - start, history, left, trajectories[0] if follow else None


def cost_of_diagnostics(rounds: int, replicas: int) -> tuple[float, float, float]:
    """Median seconds without and with, and the median of the rounds' shares."""
    data = prepare_data(DIGITS, "float32")
    pairs = []
    for number in range(rounds + 1):
        order = (False, True) if number % 2 else (True, False)
        seconds = {on: trained(config_of(DIGITS, diagnostics=on), data, replicas)[0] for on in order}
        pairs.append((seconds[False], seconds[True]))
    without, with_them = zip(*pairs[1:], strict=True)
    share = statistics.median(b / a - 1 for a, b in pairs[1:])
    return statistics.median(without), statistics.median(with_them), share


def cost_of_files(rounds: int, config: TrainConfig, epochs: int) -> dict[str, float]:
    """Median seconds of each group of a run's files."""
    data = prepare_data(config.data, "float32")
    _, history, model, trajectory = trained(config, data, 1)
    assert trajectory
    batch = data.training.first(32)
    assert data.test is not None
    confusion = confusion_counts(model, data.test)[0]
    counts = np.bincount(data.training.labels)
    majority = float(counts.max() / counts.sum())
    measured = Measurements(history, float("nan"), len(counts), majority, config.model.activation)
    run = RunContents(
        "run", measured, model, trajectory, data.dataset, data.preprocessing, data.training, data.validation,
        data.test, confusion, batch, 32, data.task,
    )  # fmt: skip
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writers: dict[str, Callable[[], None]] = {
            "model": lambda: write_network(folder / "model", model, config, data.preprocessing),
            "light pictures": lambda: write_pictures(folder, run, light=True),
            "other pictures": lambda: write_pictures(folder, dataclasses.replace(run), light=False),
        }
        for _ in range(rounds + 1):
            for what, write in writers.items():
                start = time.perf_counter()
                write()
                found.setdefault(what, []).append(time.perf_counter() - start)
        print(f"walkthrough.html: {(folder / 'walkthrough.html').stat().st_size / 1e6:.2f} MB")
    first = {what: seconds[0] for what, seconds in found.items()}
    medians = {what: statistics.median(seconds[1:]) for what, seconds in found.items()}
    assert len(history["train/loss"]) == epochs
    print(f"    the first time, imports included: {sum(first.values()):.3f} s")
    return medians


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    np.seterr(all="ignore")
    with threadpool_limits(limits=1):
        for replicas, times in ((1, rounds), (64, max(3, rounds // 3))):
            without, with_them, share = cost_of_diagnostics(times, replicas)
            print(
                f"digits, 50 epochs, stack of {replicas}: {without:.3f} s without diagnostics, "
                f"{with_them:.3f} s with, {100 * share:+.1f} %",
                flush=True,
            )
        for data, hidden in ((DIGITS, (32,)), (MOONS, (16, 16)), (MOONS, (4,))):
            print(f"files of a run on {data.name}, hidden {list(hidden)}:")
            medians = cost_of_files(3, config_of(data, hidden), 50)
            parts = ", ".join(f"{what} {1000 * seconds:.0f} ms" for what, seconds in medians.items())
            print(f"    {sum(medians.values()):.3f} s: {parts}", flush=True)


if __name__ == "__main__":
    main()
