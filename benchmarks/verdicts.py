"""Whether verdicts are true: how often equal settings are told apart, and how often different ones are.

    python -m benchmarks.verdicts [--sweeps 1000] [--draw]

All values are those of real training runs that differ in their seed alone: ``benchmarks/verdicts.csv``, a
table of 500 runs of several recipes, which ``--draw`` makes anew. A sweep of equal settings is drawn without
replacement, and names a false winner if ``compare_settings`` tells any setting from the best. Two settings
are made different by a standard deviation of their paired differences. Ends with 1 if a goal is missed: false
winners in at most 5 % of the sweeps, within the binomial error, and at least 75 % of the differences found.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.findings import Keys, train
from micrograde.analysis import compare_settings
from micrograde.analysis.paired_differences import Blocks
from micrograde.analysis.settings_compared import LEVEL, compared_with_best
from micrograde.metrics import lower_is_better

TABLE = Path(__file__).with_suffix(".csv")
RUNS = 500
SETTINGS = (4, 9, 20)
SEEDS, SEEDS_OF_TWO = 5, 10
FALSE, FOUND = 0.05, 0.75
BOTH_WAYS = 20  # sweeps of each kind for which ``compare_settings`` itself is asked

_BASE: Keys = {
    "model.hidden_size": [8],
    "model.activation": "tanh",
    "model.batch_norm": True,
    "optimizer.name": "sgd",
    "training.batch_size": 32,
    "training.num_epochs": 30,
    "training.diagnostics": False,
    "training.early_stopping.enabled": False,
}
RECIPES: dict[str, Keys] = {
    "wine": {"data.name": "wine", "data.validation_fraction": 0.2, "optimizer.learning_rate": 0.05},
    "iris": {"data.name": "iris", "optimizer.learning_rate": 0.1},
    "digits": {"data.name": "digits", "optimizer.learning_rate": 0.1, "training.num_epochs": 15},
}
"""Accuracies of 36, 15 and 180 rows: five different values, two, and fifteen."""
METRICS = ("kept/val/accuracy", "kept/val/loss")


def draw() -> None:
    """Train the runs and write their table."""
    columns: dict[str, list[float]] = {"seed": list(range(RUNS))}
    for name, keys in RECIPES.items():
        runs = train([{**_BASE, **keys, "seed": seed} for seed in range(RUNS)])
        columns |= {f"{name} {metric}": [run.kept[metric] for run in runs] for metric in METRICS}
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([f"{value:.8g}" for value in row] for row in zip(*columns.values(), strict=True))


def values_of_runs() -> dict[str, np.ndarray]:
    """Return the values (500,) of the table by data set and metric."""
    table = pd.read_csv(TABLE)
    return {str(name): table[name].to_numpy() for name in table if name != "seed"}


def sweep_of(values: np.ndarray, metric: str) -> pd.DataFrame:
    """Return the runs of a sweep with these values (settings, seeds)."""
    settings, seeds = values.shape
    return pd.DataFrame(
        {
            "run_id": [f"{number:032x}" for number in range(values.size)],
            "run_name": "run",
            "status": "FINISHED",
            "optimizer.learning_rate": np.repeat(np.arange(settings, dtype=float), seeds),
            "seed": np.tile(np.arange(seeds), settings),
            metric: values.ravel(),
        }
    )


def told_apart(values: np.ndarray, metric: str) -> bool:
    """Return whether any setting is said to be worse or better than the best one."""
    table = compare_settings(sweep_of(values, metric), metric, by=["optimizer.learning_rate"])
    return bool(table["verdict"].isin(["worse", "better"]).any())


def told_apart_fast(values: np.ndarray, metric: str) -> bool:
    """Return the same by what ``compare_settings`` calls, without its data frames, which take most time."""
    means = values.mean(axis=1)
    best = int(means.argmin() if lower_is_better(metric) else means.argmax())
    differences, factors = compared_with_best(best, Blocks(values, np.arange(values.shape[1])))
    return bool((differences.p * factors < LEVEL).any())


def false_winners(values: np.ndarray, metric: str, settings: int, sweeps: int, seed: int = 0) -> float:
    """Return the share of sweeps of equal settings that tell any apart."""
    random = np.random.default_rng([seed, settings])
    shape = (settings, SEEDS)
    drawn = [random.choice(values, settings * SEEDS, replace=False).reshape(shape) for _ in range(sweeps)]
    return float(np.mean([_told(each, metric, number) for number, each in enumerate(drawn)]))


def differences_found(values: np.ndarray, metric: str, sweeps: int, seed: int = 0) -> float:
    """Return the share of sweeps that tell two settings apart that are one standard deviation apart."""
    random = np.random.default_rng([seed, 2])
    apart = np.sqrt(2) * values.std()  # of the difference of two runs that are drawn independently
    worse = np.array([[0.0], [apart if lower_is_better(metric) else -apart]])
    shape = (2, SEEDS_OF_TWO)
    drawn = [
        random.choice(values, 2 * SEEDS_OF_TWO, replace=False).reshape(shape) + worse for _ in range(sweeps)
    ]
    return float(np.mean([_told(each, metric, number) for number, each in enumerate(drawn)]))


def _told(values: np.ndarray, metric: str, number: int) -> bool:
    """Return whether a sweep tells settings apart; the first ones are asked both ways."""
    fast = told_apart_fast(values, metric)
    if number < BOTH_WAYS and fast != told_apart(values, metric):
        raise AssertionError(f"sweep {number} of {metric}: compare_settings says something else")
    return fast


def most_false(sweeps: int) -> float:
    """Return the share that 95 % of such experiments stay below if the chance is 5 %."""
    return FALSE + 1.645 * float(np.sqrt(FALSE * (1 - FALSE) / sweeps))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--sweeps", type=int, default=1000)
    parser.add_argument("--draw", action="store_true", help="train the runs of the table anew")
    given = parser.parse_args(arguments)
    if given.draw:
        draw()
    missed = 0
    titles = [f"{count} × {SEEDS}" for count in SETTINGS]
    print(f"{'false winners, % of sweeps':28}" + "".join(f"{title:>9}" for title in titles) + "     found, %")
    for name, values in values_of_runs().items():
        metric = name.partition(" ")[2]
        wrong = [false_winners(values, metric, count, given.sweeps) for count in SETTINGS]
        found = differences_found(values, metric, given.sweeps)
        missed += sum(share > most_false(given.sweeps) for share in wrong) + (found < FOUND)
        print(f"{name:28}" + "".join(f"{share:9.1%}" for share in wrong) + f"{found:13.1%}", flush=True)
    if missed:
        print(f"{missed} goals missed: at most {most_false(given.sweeps):.1%} false, {FOUND:.0%} found")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
