"""Whether the interval of a retest holds what it claims to: the mean over seeds that nobody has looked at.

    python -m benchmarks.retest [--searches 200] [--small] [--make]

Real runs of six settings with 1,600 seeds each are kept in ``results/retest.csv``: how many validation and
test rows each classifies right (--make trains them anew, in some minutes). A search takes five seeds of each
setting, ranks them by the validation part, and runs the best setting again on twenty seeds that took no part,
as ``sweep.retest=20 sweep.retest_settings=1`` does and by the same functions. In how many searches does the
95 % interval hold the mean over 1,000 more seeds, and how far above that mean is what one might have reported
instead? Ends with 1 if it is fewer than nine in ten.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.findings import train
from micrograde.analysis import compare_settings, summarize
from micrograde.analysis.retests import retests_of, winner_of
from micrograde.sweeps.retest import settings_to_retest

TABLE = Path(__file__).parent / "results" / "retest.csv"
SETTINGS = [(rate, width) for rate in (0.03, 0.1, 0.3) for width in (4, 16)]
VALIDATION, TEST = 60, 60  # rows
SEEDS, SWEPT, FRESH, MORE = 1600, 5, 20, 1000
METRIC, TESTED = "kept/val/accuracy", "kept/test/accuracy"
RATE, WIDTH = "optimizer.learning_rate", "model.hidden_size"


@dataclass(frozen=True)
class Search:
    """What a search and its retest said, and the truth.

    Attributes
    ----------
    low, high
        The ends of the retest's 95 % interval; NaN if all fresh seeds came out alike, of which there is none.
    retested, swept, winner
        The means over fresh seeds and over the search's own of the best setting, and the value of the run
        that the search ranked best; all of the test part.
    validated
        The best mean that the search found, of the validation part.
    truth
        The mean of the test part over 1,000 more seeds of that setting.
    """

    low: float
    high: float
    retested: float
    swept: float
    winner: float
    validated: float
    truth: float

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


def read_table(path: Path = TABLE) -> dict[tuple[float, int], np.ndarray]:
    """Return for each setting the accuracies (seeds, 2) on the validation and on the test part."""
    table = pd.read_csv(path)
    return {
        (rate, width): table[[f"{rate}/{width}/val", f"{rate}/{width}/test"]].to_numpy(float)
        / np.array([VALIDATION, TEST])
        for rate, width in SETTINGS
    }


def frame(
    known: dict[tuple[float, int], np.ndarray], settings: list[tuple[float, int]], seeds: np.ndarray
) -> pd.DataFrame:
    """Return runs as ``load_runs`` does, of these settings with these seeds."""
    rows = [
        (f"{rate}/{width}/{seed}", "FINISHED", rate, width, seed, *known[rate, width][seed])
        for rate, width in settings
        for seed in seeds.tolist()
    ]
    return pd.DataFrame(rows, columns=["run_id", "status", RATE, WIDTH, "seed", METRIC, TESTED])


def search(known: dict[tuple[float, int], np.ndarray], number: int) -> Search:
    """Return what the search of this number said, whose seeds are fixed by the number."""
    order = np.random.default_rng([20, number]).permutation(SEEDS)
    swept, fresh, more = np.split(order[: SWEPT + FRESH + MORE], [SWEPT, SWEPT + FRESH])
    runs = frame(known, SETTINGS, swept)
    settings = summarize(runs, [RATE, WIDTH], METRIC)
    chosen = settings_to_retest(settings, compare_settings(runs, METRIC, by=[RATE, WIDTH]), 1).iloc[0]
    best = (float(chosen[RATE]), int(chosen[WIDTH]))
    row = retests_of(runs, frame(known, [best], fresh), [RATE, WIDTH, "seed"], METRIC).iloc[0]
    truth = float(known[best][more, 1].mean())
    winner = winner_of(runs, METRIC, "auto")
    assert winner is not None
    return Search(
        row["ci_low"], row["ci_high"], row["mean"], row["sweep_mean"], winner, chosen["mean"], truth
    )


def make_table() -> None:
    """Train the runs and write the table."""
    columns: dict[str, list[int]] = {}
    for rate, width in SETTINGS:
        keys = {
            "data.name": "moons",
            "data.samples": 300,
            "data.noise": 0.3,
            "data.validation_fraction": 0.2,
            "data.test_fraction": 0.2,
            "model.hidden_size": [width],
            "optimizer.name": "sgd",
            "optimizer.learning_rate": rate,
            "training.num_epochs": 10,
            "training.batch_size": 32,
            "training.diagnostics": False,
        }
        runs = train([{**keys, "seed": seed} for seed in range(SEEDS)])
        for column, metric, rows in (("val", METRIC, VALIDATION), ("test", TESTED, TEST)):
            right = [0] * SEEDS
            for run in runs:
                right[run.place] = round(run.last_metrics()[metric] * rows)
            columns[f"{rate}/{width}/{column}"] = right
        print(f"{rate}/{width} trained", flush=True)
    TABLE.parent.mkdir(exist_ok=True)
    pd.DataFrame(columns).to_csv(TABLE, index=False)


def main() -> int:
    """Print what the searches said, and return 1 if too few intervals hold the truth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--small", action="store_true", help="40 searches")
    parser.add_argument("--make", action="store_true", help="train the runs of the table anew")
    given = parser.parse_args()
    if given.make:
        make_table()
    known = read_table()
    count = 40 if given.small else given.searches
    found = [search(known, number) for number in range(count)]
    held = sum(each.holds for each in found)
    none = sum(bool(np.isnan(each.low)) for each in found)
    print(f"intervals of the retest that hold the mean over {MORE:,} more seeds: {held} of {count}")
    print(f"searches without an interval, as all {FRESH} fresh seeds came out alike: {none}")
    print(f"half of the interval's width: {np.nanmean([(each.high - each.low) / 2 for each in found]):.4f}")
    for name, values in (
        ("the retest", [each.retested for each in found]),
        ("the best setting's mean in the search", [each.swept for each in found]),
        ("the search's winner, test part", [each.winner for each in found]),
        ("the best mean, validation part", [each.validated for each in found]),
    ):
        errors = np.array(values) - [each.truth for each in found]
        print(
            f"{name}: {errors.mean():+.4f} from that mean, root mean square {np.sqrt((errors**2).mean()):.4f}"
        )
    return int(held < 0.9 * count)


if __name__ == "__main__":
    sys.exit(main())
