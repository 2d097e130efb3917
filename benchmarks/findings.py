"""Whether findings are true: false alarms of sound runs, hits of ill ones, and what their advice does.

    python -m benchmarks.findings [--sound 500] [--ill 100] [--only not_done start] [--seed 1] [--small]

Sound runs are of varied recipes and tables, of which nothing should be said. Runs are made ill on purpose,
for each finding in its own way. Whether one is ill is measured without any finding: it is worse off than
its healthy twin, the same recipe and seed without what was done to it. Then what the finding says to type is
typed, and the run trained again. Ends with 1 if a goal is missed: at most 2 % false alarms, at least 90 %
hits among the ill runs, an improvement of what was complained of in most. With --small, of a few runs, goals
are wide. Rules are adjusted by recipes of other seeds than those of the table in docs/insight.md.
"""

import argparse
import csv
import os
import re
import shlex
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from micrograde.config.parsing import parse_train_config
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.runs.live_run import LiveRun, RunRequest
from micrograde.runs.train import PreparedSets, train_runs
from micrograde.tracking import NullRecorder

Keys = dict[str, Any]
Random = np.random.Generator

SEEDS = 5  # replicas of a recipe, which train in one stack
MATTERS = 0.1  # of a loss, and of the loss without knowing anything: less harm is no illness
MOST_TRIED = 12  # times the ill runs that are wanted
RATE_OF_SGD: Keys = {"optimizer.learning_rate": 0.1}


# --- tables ---------------------------------------------------------------------------------------------


def write_tables(folder: Path) -> None:
    """Write the tables as CSV files; columns have noise, and the classes overlap a little."""
    random = np.random.default_rng(0)
    write(folder / "rare.csv", *clusters(random, [380, 20], 4, apart=4.0))
    write(folder / "unequal.csv", *clusters(random, [300, 90, 60], 5, apart=3.5))
    write(folder / "many.csv", *clusters(random, [60] * 8, 10, apart=5.0))
    write(folder / "wide.csv", *clusters(random, [150, 150], 30, apart=4.0))
    write(folder / "mixed.csv", *clusters(random, [200, 150], 5, apart=3.5), texts=True)
    features, labels = clusters(random, [60, 60], 20, apart=1.2)
    write(folder / "noisy.csv", features, labels)
    features, labels = clusters(random, [150, 150], 4, apart=2.0)
    write(folder / "copies.csv", np.vstack([features, features]), np.concatenate([labels, labels]))
    for number in range(5):
        write(
            folder / f"chance{number}.csv",
            random.normal(size=(400, 4)),
            random.permutation([0] * 280 + [1] * 120),
        )
    features, labels = clusters(random, [100, 100], 4, apart=4.0)
    write(folder / "usual.csv", features, labels)
    features, labels = clusters(random, [30, 30], 4, apart=4.0)
    features[:5, 0] = 1e300
    write(folder / "huge.csv", features, labels)
    write_tables_of_numbers(folder)


def write_tables_of_numbers(folder: Path) -> None:
    """Write tables with the numbers ``y``, some noisier than others, in units of their own."""
    random = np.random.default_rng(1)
    x = random.uniform(-1, 1, (500, 5))
    line = x @ [3.0, -2.0, 1.0, 0.5, 0.0]
    friedman = 10 * np.sin(np.pi * (x[:, 0] + 1) * (x[:, 1] + 1) / 4) + 5 * x[:, 2] ** 2 + 5 * x[:, 3]
    noise = random.normal(size=500)
    write_numbers(folder / "line.csv", x, 1e4 * (line + 0.5 * noise))
    write_numbers(folder / "weak.csv", x, line + 2.5 * noise)
    write_numbers(folder / "little.csv", x[:150], line[:150] + 4 * noise[:150])
    write_numbers(folder / "friedman.csv", x, friedman + noise)
    write_numbers(folder / "skewed.csv", x, np.exp(line / 3 + 0.3 * noise))
    write_numbers(folder / "spread.csv", x, line + 0.7 * noise * (1.2 + x[:, 0]))
    write_numbers(folder / "heavy.csv", x, line + 0.3 * random.standard_t(3, 500))
    several = np.stack([line + noise / 2, 1e-3 * (friedman + noise)], axis=1)
    np.savez(folder / "several.npz", features=x, labels=several)
    for number in range(5):
        write_numbers(folder / f"unrelated{number}.csv", x[:400], random.normal(size=400))
    for number in range(5):
        wrong = random.choice(500, 4, replace=False)
        numbers = line + 0.3 * noise
        numbers[wrong] += random.choice([-1, 1], 4) * random.uniform(40, 120, 4)
        write_numbers(folder / f"wrong{number}.csv", x, numbers)
    waves = np.sin(6 * x[:, 0]) + np.cos(5 * x[:, 1])
    write_numbers(folder / "waves.csv", x[:, :2], 100 * waves + 10 * noise)


def clusters(
    random: Random, rows: Sequence[int], features: int, *, apart: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return normal rows around a centre for each class, and their labels."""
    labels = np.repeat(np.arange(len(rows)), rows)
    centres = random.normal(size=(len(rows), features))
    centres -= centres.mean(axis=0)
    centres *= apart / np.linalg.norm(centres, axis=1, keepdims=True)
    return centres[labels] + random.normal(size=(len(labels), features)), labels


def write(path: Path, features: np.ndarray, labels: np.ndarray, *, texts: bool = False) -> None:
    """Write a table with the column ``class``; of ``texts`` the first column in three words, with gaps."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{number}" for number in range(features.shape[1])), "class"])
        for number, (row, label) in enumerate(zip(features, labels, strict=True)):
            cells = [f"{value:.6g}" for value in row]
            if texts:
                cells[0] = "low" if row[0] < -1 else "high" if row[0] > 1 else "middle"
                cells[1] = "" if number % 17 == 0 else cells[1]
            writer.writerow([*cells, f"class {label}"])


def write_numbers(
    path: Path, features: np.ndarray, numbers: np.ndarray, names: Sequence[str] = ("y",)
) -> None:
    """Write a table with numbers to be predicted, (n,) or (n, K)."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{number}" for number in range(features.shape[1])), "y"])
        for row, number in zip(features, numbers, strict=True):
            writer.writerow([f"{value:.6g}" for value in (*row, number)])


def numbers(name: str) -> Keys:
    """The keys of a table of numbers, or of arrays with two of them."""
    if name == "several":
        keys: Keys = {"data.name": "npz", "data.path": "several.npz", "data.validation_fraction": 0.2}
        return keys | {"task": "regression"}
    return table(name, target="y") | {"task": "regression"}


def table(name: str, **more: Any) -> Keys:
    """The keys of a table of the folder."""
    keys = {"data.name": "csv", "data.path": f"{name}.csv", "data.target": "class"}
    return keys | {f"data.{key}": value for key, value in more.items()} | {"data.validation_fraction": 0.2}


# --- recipes ---------------------------------------------------------------------------------------------


def one_of(random: Random, *choices: Any) -> Any:
    return choices[random.integers(len(choices))]


def between(random: Random, low: float, high: float) -> float:
    """Draw a number, evenly in its logarithm."""
    return float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.3g}")


def sound(random: Random) -> Keys:
    """A recipe as somebody with experience would choose it."""
    optimizer = one_of(random, "sgd", "sgd", "adam", "adamw", "rmsprop")
    rates = {"sgd": (0.03, 0.15), "adam": (0.002, 0.01), "adamw": (0.002, 0.01), "rmsprop": (0.001, 0.003)}
    data: Keys = one_of(
        random,
        {"data.name": "iris"},
        {"data.name": "wine"},
        {"data.name": "breast_cancer"},
        {"data.name": "moons"},
        {"data.name": "circles"},
        {"data.name": "xor"},
        {"data.name": "blobs", "data.features": 4},
        *map(table, ("rare", "unequal", "many", "wide", "mixed")),
    )
    batch_norm = one_of(random, True, False)
    activations = ["tanh", "relu", "leaky_relu", "gelu", "silu", "elu", *(["sigmoid"] if batch_norm else [])]
    return data | {
        "model.hidden_size": one_of(random, [8], [16], [32], [16, 16], [32, 16]),
        "model.activation": one_of(random, *activations),
        "model.batch_norm": batch_norm,
        "optimizer.name": optimizer,
        "optimizer.learning_rate": between(random, *rates[optimizer]),
        "training.batch_size": one_of(random, 16, 32, 32, 64),
        "training.num_epochs": one_of(random, 60, 80, 120),
        "training.early_stopping.enabled": one_of(random, True, True, False),
        "training.keep": one_of(random, "best", "last"),
    }


def sound_numbers(random: Random) -> Keys:
    """A recipe for numbers as somebody with experience would choose it."""
    data: Keys = one_of(
        random, *map(numbers, ("line", "weak", "friedman", "skewed", "spread", "heavy", "several"))
    )
    keys: Keys = {key: value for key, value in sound(random).items() if not key.startswith("data.")} | data
    keys["loss.name"] = one_of(random, "huber", "huber", "mse", "mae")
    if keys["data.path"] == "weak.csv":
        keys["training.keep"] = "best"  # noise would be learned by heart
    if keys["loss.name"] == "mse" and keys["optimizer.name"] == "sgd":
        keys["optimizer.learning_rate"] = between(random, 0.005, 0.02)
    return keys


def usual_numbers(random: Random, *tables: str) -> Keys:
    """A sound recipe for one of these tables of numbers, for a kind of ill run to change."""
    keys = {key: value for key, value in usual(random).items() if not key.startswith("data.")}
    ill = {"optimizer.name": "adam", "optimizer.learning_rate": between(random, 0.003, 0.01)}
    return keys | numbers(one_of(random, *tables)) | ill | {"loss.name": one_of(random, "huber", "mse")}


def usual(random: Random, **more: Any) -> Keys:
    """A sound recipe for a kind of ill run to change, on data that are quick and can be learned."""
    data = one_of(
        random,
        {"data.name": "moons"},
        {"data.name": "wine"},
        {"data.name": "blobs", "data.features": 4},
        *map(table, ("unequal", "many", "wide")),
    )
    keys = sound(random) | {"training.num_epochs": 40, "training.early_stopping.enabled": False}
    keys["training.keep"] = "best"
    keys = {key: value for key, value in keys.items() if not key.startswith("data.")} | data
    changed: Keys = keys | {key.replace("__", "."): value for key, value in more.items()}
    return changed


def ill_start(random: Random) -> Keys:
    return usual(random) | {"model.initial_scale": between(random, 8, 30)}


def ill_saturated(random: Random) -> Keys:
    activation = one_of(random, "tanh", "sigmoid")
    scale = between(random, 10, 30) * (2 if activation == "sigmoid" else 1)
    return usual(random) | {
        "model.activation": activation,
        "model.batch_norm": False,
        "model.initial_scale": scale,
    }


def ill_grown(random: Random) -> Keys:
    ill = {"model.activation": "tanh", "model.batch_norm": False, "optimizer.name": "adam"}
    return usual(random) | ill | {"optimizer.learning_rate": between(random, 0.3, 1)}


def ill_dead(random: Random) -> Keys:
    ill = {"model.activation": "relu", "model.batch_norm": False, "optimizer.name": "adam"}
    ill |= {"model.hidden_size": [32] * 4, "optimizer.learning_rate": between(random, 0.5, 2)}
    return usual(random) | ill


def ill_vanishing(random: Random) -> Keys:
    ill = {"model.activation": "sigmoid", "model.batch_norm": False, "optimizer.name": "sgd"}
    return usual(random) | ill | {"model.hidden_size": [16] * int(random.integers(5, 8))}


def ill_exploding(random: Random) -> Keys:
    ill = {"model.activation": "tanh", "model.batch_norm": False, "optimizer.name": "sgd"}
    ill |= {"model.hidden_size": [32] * int(random.integers(14, 18)), "model.initial_scale": 7}
    return usual(random) | ill | {"optimizer.learning_rate": between(random, 1e-4, 1e-3)}


def ill_large(random: Random) -> Keys:
    name = one_of(random, "adam", "adamw", "rmsprop")
    return usual(random) | {"optimizer.name": name, "optimizer.learning_rate": between(random, 1, 5)}


def ill_small(random: Random) -> Keys:
    name = one_of(random, "sgd", "adam", "adamw")
    rate = between(random, 1e-6, 1e-5) * (10 if name == "sgd" else 1)
    return usual(random) | {"optimizer.name": name, "optimizer.learning_rate": rate}


def ill_not_learning(random: Random) -> Keys:
    """Labels that have nothing to do with the features, or steps that are much too small."""
    keys = {key: value for key, value in usual(random).items() if not key.startswith("data.")}
    if random.integers(2):
        return keys | table(f"chance{random.integers(5)}") | {"training.early_stopping.enabled": True}
    ill = {"optimizer.name": "adam", "optimizer.learning_rate": between(random, 1e-5, 3e-5)}
    return keys | table("rare") | ill | {"model.initial_scale": 0.5}


def ill_never(random: Random) -> Keys:
    keys = {key: value for key, value in usual(random).items() if not key.startswith("data.")}
    ill = {"optimizer.name": "sgd", "optimizer.learning_rate": between(random, 0.005, 0.01)}
    ill |= {"training.batch_size": 64, "model.initial_scale": 0.3, "model.batch_norm": False}
    return keys | table("rare") | ill | {"training.num_epochs": 10}


def ill_training_mode(random: Random) -> Keys:
    """Running statistics that are far behind, or those of batches of two or three rows."""
    if random.integers(2):
        few = {"model.batch_norm": True, "training.batch_size": int(random.integers(2, 4))}
        return usual(random) | few | {"training.num_epochs": 20}
    ill: Keys = {"model.batch_norm": True, "training.batch_size": None, "training.num_epochs": 10}
    ill |= {"model.normalization": {"name": "batch_norm", "momentum": 0.002}, "training.keep": "last"}
    ill |= {"optimizer.name": "adam", "optimizer.learning_rate": between(random, 0.01, 0.03)}
    return usual(random) | ill | {"model.initial_scale": between(random, 4, 8), "model.hidden_size": [32, 32]}


def ill_shared(random: Random) -> Keys:
    keys = {key: value for key, value in usual(random).items() if not key.startswith("data.")}
    return keys | table("copies") | {"training.num_epochs": 10}


def ill_overflow(random: Random) -> Keys:
    """Values far beyond those trained on, which no activation bounds."""
    keys = {key: value for key, value in usual(random).items() if not key.startswith("data.")}
    ill = table("usual", validation_path="huge.csv") | {"data.validation_fraction": 0.0}
    activation = one_of(random, "relu", "leaky_relu", "gelu", "silu", "elu")
    return keys | ill | {"model.activation": activation, "training.num_epochs": 10}


def ill_overfitting(random: Random) -> Keys:
    keys = {key: value for key, value in usual(random).items() if not key.startswith("data.")}
    ill = {"optimizer.name": "adam", "optimizer.learning_rate": between(random, 0.005, 0.02)}
    ill |= {"training.keep": "last", "training.num_epochs": 80, "model.hidden_size": [64]}
    return keys | table("noisy") | ill


def ill_not_done(random: Random) -> Keys:
    ill = {"optimizer.name": "adam", "optimizer.learning_rate": between(random, 1e-3, 2e-3)}
    return usual(random) | ill | {"training.num_epochs": 10, "training.batch_size": 32}


def ill_diverged(random: Random) -> Keys:
    keys = usual_numbers(random, "line", "friedman", "weak") | {"loss.name": "mse", "optimizer.name": "sgd"}
    return keys | {"model.batch_norm": False, "optimizer.learning_rate": between(random, 1, 3)}


def ill_no_better(random: Random) -> Keys:
    """Numbers that have nothing to do with the columns, or steps that are much too small."""
    if random.integers(2):
        keys = usual_numbers(random, *(f"unrelated{number}" for number in range(5)))
        return keys | {"training.early_stopping.enabled": True}
    ill = {"optimizer.learning_rate": between(random, 1e-6, 1e-5), "model.initial_scale": 0.1}
    return usual_numbers(random, "line", "friedman") | ill | {"model.batch_norm": False}


def ill_patterned(random: Random) -> Keys:
    """Networks that are too small for waves, or trained too shortly, or with the noise of batch norm."""
    keys = usual_numbers(random, "waves") | {"model.batch_norm": False, "model.activation": "tanh"}
    kind = random.integers(3)
    if kind == 2:
        return keys | {"model.batch_norm": True, "model.hidden_size": [8], "training.batch_size": 8}
    if kind:
        return keys | {"model.hidden_size": [2], "training.num_epochs": 150}
    return keys | {"model.hidden_size": [32, 32], "training.num_epochs": 12}


def ill_outliers(random: Random) -> Keys:
    keys = usual_numbers(random, *(f"wrong{number}" for number in range(5)))
    return keys | {"loss.name": "mse", "model.hidden_size": [8], "training.num_epochs": 60}


def ill_mode_of_numbers(random: Random) -> Keys:
    """Running statistics that are far behind."""
    ill: Keys = {"model.batch_norm": True, "training.batch_size": None, "training.num_epochs": 10}
    ill |= {"model.normalization": {"name": "batch_norm", "momentum": 0.02}, "training.keep": "last"}
    ill |= {"optimizer.learning_rate": between(random, 0.01, 0.03), "model.hidden_size": [32, 32]}
    return usual_numbers(random, "line", "friedman") | ill | {"model.initial_scale": between(random, 4, 8)}


def ill_overfitting_numbers(random: Random) -> Keys:
    ill = {"optimizer.learning_rate": between(random, 0.005, 0.02), "model.hidden_size": [64, 64]}
    ill |= {"training.keep": "last", "training.num_epochs": 80, "model.batch_norm": False}
    ill |= {"training.batch_size": 16}
    return usual_numbers(random, "weak", "little") | ill


def of_an_ill_table(_: Keys) -> Keys:
    return {}


@dataclass(frozen=True)
class Kind:
    """A finding, or one of the things that it may say.

    Attributes
    ----------
    said
        A regular expression of its sentences.
    ill
        Draws a recipe of an ill run.
    healthy
        What the recipe of an ill run has instead to be that of its healthy twin; nothing if the table is ill.
    harm
        What a run must have more of than its twin to be ill: see ``harm_of``.
    lower
        The harm that advice is to lower; empty if the finding is to disappear.
    sound
        Draws a recipe of a sound run of the same task.
    """

    said: str
    ill: Callable[[Random], Keys]
    healthy: Callable[[Keys], Keys] = of_an_ill_table
    harm: str = "train/loss"
    lower: str = ""
    sound: Callable[[Random], Keys] = sound


def usual_rate(_: Keys) -> Keys:
    return {"optimizer.learning_rate": 0.003}


def usual_scale(_: Keys) -> Keys:
    return {"model.initial_scale": 1}


def usual_normalization(keys: Keys) -> Keys:
    return {"model.normalization": {"name": "batch_norm"}} | (
        {"training.batch_size": 32} if keys["training.batch_size"] else {}
    )


def large_and_long(_: Keys) -> Keys:
    """Keys of a network that learns all there is in the tables of numbers, whatever else is typed."""
    return {
        "model.hidden_size": [32, 32],
        "model.activation": "tanh",
        "model.batch_norm": False,
        "optimizer.name": "adam",
        "optimizer.learning_rate": 0.005,
        "training.num_epochs": 150,
        "training.batch_size": 32,
        "training.keep": "best",
    }


KINDS = {
    "start": Kind("^loss starts at", ill_start, usual_scale),
    "shared_rows": Kind("stand in two parts", ill_shared),
    "not_finite": Kind("^validation loss is not finite", ill_overflow),
    "rows_of_no_class": Kind("^the network's numbers overflow", ill_overflow),
    "saturation (start)": Kind("saturated, .* before training", ill_saturated, usual_scale),
    "saturation (grown)": Kind("saturated: .* grown", ill_grown, usual_rate),
    "saturation (dead)": Kind("units are dead", ill_dead, usual_rate),
    "vanishing": Kind("^gradients vanish", ill_vanishing, lambda _: {"model.activation": "tanh"}),
    "vanishing (exploding)": Kind(
        "^gradients explode", ill_exploding, lambda _: {"model.initial_scale": 1, **RATE_OF_SGD}
    ),
    "updates (large)": Kind("learning rate is too large", ill_large, usual_rate, harm="kept/train/loss"),
    "updates (small)": Kind(
        "learning rate is too small",
        ill_small,
        lambda keys: RATE_OF_SGD if keys["optimizer.name"] == "sgd" else usual_rate(keys),
    ),
    "not_learning": Kind(
        "always saying the most frequent class gives",
        ill_not_learning,
        lambda keys: {} if "chance" in keys.get("data.path", "") else usual_rate(keys),
    ),
    "never_predicted": Kind(
        "never predicted",
        ill_never,
        lambda _: {"training.num_epochs": 80, **RATE_OF_SGD},
        harm="missed",
        lower="missed",
    ),
    "training_mode": Kind("in training mode", ill_training_mode, usual_normalization, harm="kept/train/loss"),
    "overfitting": Kind(
        "^overfitting",
        ill_overfitting,
        lambda _: {"training.keep": "best"},
        harm="kept/val/loss",
        lower="kept/val/loss",
    ),
    "not_done": Kind(
        "^not done yet",
        ill_not_done,
        lambda keys: {"training.num_epochs": 2 * keys["training.num_epochs"]},
        harm="kept/val/loss",
        lower="kept/val/loss",
    ),
    "diverged": Kind(
        "^the loss was not finite",
        ill_diverged,
        lambda _: {"optimizer.learning_rate": 0.01},
        sound=sound_numbers,
    ),
    "not_better_than_mean": Kind(
        "training part's mean gives",
        ill_no_better,
        lambda keys: {} if "unrelated" in keys.get("data.path", "") else usual_rate(keys) | usual_scale(keys),
        sound=sound_numbers,
    ),
    "patterned_residuals": Kind(
        "^residuals have",
        ill_patterned,
        large_and_long,
        harm="unexplained",
        lower="kept/val/rmse",
        sound=sound_numbers,
    ),
    "outliers": Kind(
        "of the loss of .* training rows", ill_outliers, lower="kept/val/mae", sound=sound_numbers
    ),
    "training_mode (numbers)": Kind(
        "in training mode",
        ill_mode_of_numbers,
        usual_normalization,
        harm="kept/train/loss",
        sound=sound_numbers,
    ),
    "overfitting (numbers)": Kind(
        "^overfitting",
        ill_overfitting_numbers,
        lambda _: {"training.keep": "best"},
        harm="kept/val/loss",
        lower="kept/val/loss",
        sound=sound_numbers,
    ),
}


# --- runs ------------------------------------------------------------------------------------------------


class Unwatched:
    """Nobody looks on."""

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None: ...

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None: ...


def train(recipes: Sequence[Keys]) -> list[LiveRun]:
    """Train the runs of recipes; nothing is recorded."""
    if not recipes:
        return []
    configs = [parse_train_config(nested(keys)) for keys in recipes]
    prepared = PreparedSets()
    for config in configs:
        prepared.check(config)
    requests = [RunRequest(config, "run") for config in configs]
    with NullRecorder() as recorder:
        return train_runs(requests, recorder, prepared, Unwatched(), closing=threading.Event())


def nested(keys: Keys) -> dict[str, Any]:
    """Return a recipe by its nested keys."""
    container: dict[str, Any] = {"recipe_version": RECIPE_VERSION, "schedule": {"name": "constant"}}
    container["tracking"] = {"name": "disabled"}
    for key, value in keys.items():
        *groups, last = key.split(".")
        place = container
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = dict(value) if isinstance(value, dict) else value  # typed keys may go into it
    return container


def recipes_of(draw: Callable[[Random], Keys], count: int, seed: int) -> list[Keys]:
    """Draw recipes, each for a few seeds; data that are made are made anew for each recipe."""
    random = np.random.default_rng(seed)
    recipes: list[Keys] = []
    while len(recipes) < count:
        keys = draw(random)
        keys["data.seed"] = int(random.integers(1000))
        recipes += [keys | {"seed": number} for number in range(min(SEEDS, count - len(recipes)))]
    return recipes


def typed(sentence: str) -> Keys:
    """Return the keys that a finding says to type."""
    advice = re.search(r"; try (.*)$", sentence)
    pairs = [word.partition("=") for word in shlex.split(advice[1])] if advice else []
    return {key: _number(value) for key, _, value in pairs}


def said(run: LiveRun, kind: Kind) -> str:
    """Return the first sentence of a kind about a run; empty if there is none."""
    return next((each for each in run.findings if re.search(kind.said, each)), "")


def harm_of(run: LiveRun, harm: str) -> float:
    """Return ``missed``, the share of the rarest class's training rows that are not found; or a metric.

    Or ``unexplained``, the RMSE of the validation part's rows as a share of their standard deviation.

    A metric is of the kept model (``kept/val/loss``) or a mean over the epochs (``train/loss``). A run that
    failed, as its loss was not finite, has infinite harm.
    """
    if run.status != "FINISHED":
        return np.inf
    if harm == "missed":
        return 1 - min(value for name, value in run.kept.items() if name.startswith("kept/train/recall/"))
    if harm == "unexplained":
        return float(np.sqrt(max(0.0, 1 - run.kept["kept/val/r2"])))
    return run.kept[harm] if harm in run.kept else float(np.mean(run.history[harm]))


def ignorant_loss(run: LiveRun) -> float:
    """Return what the loss is without knowing anything of a row: ``log(C)``; of scaled numbers about 1."""
    classes = sum(name.startswith("kept/train/recall/") for name in run.kept)
    return float(np.log(classes)) if classes else 1.0


def is_ill(kind: Kind, run: LiveRun, twin: LiveRun, matters: float = MATTERS) -> bool:
    """Return whether a run is worse off than its twin.

    By a tenth, and by a tenth of what the loss is without knowing anything of a row. Of a class that is
    missed: none of its rows is found, but by the twin.
    """
    ill, healthy = harm_of(run, kind.harm), harm_of(twin, kind.harm)
    if kind.harm == "missed":
        return ill == 1 > healthy
    return ill > healthy * (1 + matters) and ill > healthy + matters * ignorant_loss(twin)


def improved(kind: Kind, before: LiveRun, after: LiveRun) -> bool:
    """Return whether a run is better for the advice."""
    if after.status != "FINISHED":
        return False
    if kind.lower:
        return harm_of(after, kind.lower) < harm_of(before, kind.lower)
    return not said(after, kind)


def ill_runs(kind: Kind, count: int, seed: int) -> tuple[list[Keys], list[LiveRun], int]:
    """Return recipes and runs that are ill, ``count`` of them if enough are, and how many were tried."""
    recipes: list[Keys] = []
    runs: list[LiveRun] = []
    tried = 0
    while len(runs) < count and tried < MOST_TRIED * count:
        drawn = recipes_of(kind.ill, count, seed)
        seed += 1
        trained = train(drawn)
        for keys, run, ill in zip(drawn, trained, which_are_ill(kind, drawn, trained), strict=True):
            tried += len(runs) < count
            if ill and len(runs) < count:
                recipes.append(keys)
                runs.append(run)
    return recipes, runs, tried


def which_are_ill(
    kind: Kind, recipes: Sequence[Keys], runs: Sequence[LiveRun], matters: float = MATTERS
) -> list[bool]:
    """Return of each run whether its healthy twin is better off; of an ill table it is ill anyway."""
    changes = [kind.healthy(keys) for keys in recipes]
    twins = iter(train([keys | change for keys, change in zip(recipes, changes, strict=True) if change]))
    return [
        not change or is_ill(kind, run, next(twins), matters)
        for run, change in zip(runs, changes, strict=True)
    ]


def follow_advice(kind: Kind, recipes: Sequence[Keys], runs: Sequence[LiveRun]) -> tuple[int, int]:
    """Return in how many of the runs the advice improved, and in how many there was some."""
    advised = [(keys, run, typed(said(run, kind))) for keys, run in zip(recipes, runs, strict=True)]
    advised = [each for each in advised if each[2]]
    again = train([keys | advice for keys, _, advice in advised])
    better = [improved(kind, run, after) for (_, run, _), after in zip(advised, again, strict=True)]
    return sum(better), len(better)


def _number(text: str) -> object:
    """Return what a value that is typed means."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    if re.fullmatch(r"\[\d+(,\d+)*\]", text):
        return [int(size) for size in text[1:-1].split(",")]
    if group := re.fullmatch(r"\{name:(\w+),momentum:(.*)\}", text):
        return {"name": group[1], "momentum": float(group[2])}
    return {"true": True, "false": False, "huber": {"name": "huber"}}.get(text, text)


# --- the table -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What was measured of a finding.

    Attributes
    ----------
    false, sound
        The sound runs with a false alarm, and all sound runs. An alarm is not false if the run is
        worse off than its twin by half of what makes it ill, or more.
    hits, ill, tried
        The ill runs in which the finding was said, all ill runs, and those that were meant to be ill.
    better, advised
        The hits that the advice improved, and those with advice to type.
    """

    false: int
    sound: int
    hits: int
    ill: int
    tried: int
    better: int
    advised: int

    def misses(self, most: float, least: float) -> bool:
        """Return whether a goal is missed: most false alarms, least hits, improvement in most."""
        return (
            self.false > most * self.sound
            or not self.ill
            or self.hits < least * self.ill
            or (self.advised > 0 and self.better <= 0.5 * self.advised)
        )

    def __str__(self) -> str:
        ill = f"{self.hits} of {self.ill}"
        advice = f"{self.better} of {self.advised}" if self.advised else "nothing to type"
        return f"{self.false} of {self.sound} | {ill} | {self.ill} of {self.tried} | {advice}"


def measure(
    kind: Kind, recipes: Sequence[Keys], runs: Sequence[LiveRun], count: int, seed: int, *, shown: bool
) -> Row:
    """Measure a finding on sound runs, and on ``count`` runs that are made ill."""
    alarms = [(keys, run) for keys, run in zip(recipes, runs, strict=True) if said(run, kind)]
    true = which_are_ill(kind, [keys for keys, _ in alarms], [run for _, run in alarms], MATTERS / 2)
    false = [alarm for alarm, ill in zip(alarms, true, strict=True) if not (ill and kind.healthy(alarm[0]))]
    ill, of_ill, tried = ill_runs(kind, count, seed)
    missed = [(keys, run) for keys, run in zip(ill, of_ill, strict=True) if not said(run, kind)]
    if shown:
        for word, some in (("false", false), ("missed", missed)):
            for keys, run in some:
                print(f"    {word}:", run.status, said(run, kind) or run.findings, keys)
    return Row(
        len(false), len(runs), len(ill) - len(missed), len(ill), tried, *follow_advice(kind, ill, of_ill)
    )


def main() -> int:
    """Measure and print; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sound", type=int, default=500)
    parser.add_argument("--ill", type=int, default=100)
    parser.add_argument("--only", choices=KINDS, nargs="*", default=list(KINDS))
    parser.add_argument("--small", action="store_true", help="a few runs of each, and wide goals")
    parser.add_argument("--seed", type=int, default=1, help="of the recipes: another one to adjust rules by")
    parser.add_argument(
        "--show", action="store_true", help="print each false alarm, and each run that is missed"
    )
    options = parser.parse_args()
    if options.small:
        options.sound, options.ill = 20, 5
    most, least = (0.1, 0.6) if options.small else (0.02, 0.9)
    start, missed = time.monotonic(), False
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_tables(Path(folder))
        drawn: dict[Callable[[Random], Keys], tuple[list[Keys], list[LiveRun]]] = {}
        print("| finding | false alarms | hits | ill of those meant to be | advice improves |")
        print("| --- | --- | --- | --- | --- |")
        for name in options.only:
            kind = KINDS[name]
            if kind.sound not in drawn:
                recipes = recipes_of(kind.sound, options.sound, options.seed)
                drawn[kind.sound] = recipes, train(recipes)
            row = measure(kind, *drawn[kind.sound], options.ill, 1000 * options.seed, shown=options.show)
            wrong = row.misses(most, least)
            missed |= wrong
            print(f"| {name} | {row} |{' missed' if wrong else ''}", flush=True)
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
