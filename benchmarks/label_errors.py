"""Whether rows with a wrong label are among those that most runs over folds miss.

    python -m benchmarks.label_errors [--share 0.05] [--folds 5] [--seeds 8] [--epochs 20] [--seed 0]

A share of the digits' labels is changed to another class, at random. The digits are then learned over folds,
with several seeds, as `mg.sweep(X, y, folds=5, seed=range(8))` does, with early stopping at its default for
tables. Rows are ranked as in `out_of_fold.parquet`: by the share of runs that miss them, then by the mean
loss. Asked is that at least 90 % of the changed rows are in the worst tenth.
"""

import argparse
import os
import tempfile
import time

import numpy as np

from micrograde.data import DATA_SETS, load

ASKED = 0.9


def found_in_worst_tenth(share: float, folds: int, seeds: int, epochs: int, seed: int) -> tuple[float, int]:
    """Return the share of the changed rows that are in the worst tenth, and how many were changed."""
    import micrograde as mg

    digits = load(DATA_SETS["digits"]())
    labels = digits.labels.copy()
    random = np.random.default_rng(seed)
    changed = random.choice(len(labels), round(share * len(labels)), replace=False)
    labels[changed] = (labels[changed] + random.integers(1, 10, len(changed))) % 10
    sweep = mg.sweep(digits.features, labels, folds=folds, seed=range(seeds), num_epochs=epochs)
    rows = sweep.out_of_fold()
    worst = rows["row"].head(len(rows) // 10).to_numpy() - 1
    return float(np.isin(changed, worst).mean()), len(changed)


def main() -> None:
    """Print the share."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["MICROGRADE_HOME"] = home
        began = time.perf_counter()
        found, changed = found_in_worst_tenth(given.share, given.folds, given.seeds, given.epochs, given.seed)
        print(
            f"{found:.1%} of {changed} changed rows are in the worst tenth ({ASKED:.0%} asked); "
            f"{time.perf_counter() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
