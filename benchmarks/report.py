"""What the report of a sweep takes: its page, tables and pictures, in a process that has drawn nothing yet.

    python -m benchmarks.report

Runs as the main sweep leaves them (10 learning rates × 10 seeds, 50 epochs of two metrics) and ten times as
many, made up here, because a report only reads them; what is measured is ``write_sweep_report`` alone.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

_EPOCHS = 50
_RATE, _METRIC = "optimizer.learning_rate", "kept/val/accuracy"


def made_up(runs: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of ten learning rates and as many seeds as are needed, and their history."""
    random = np.random.default_rng(0)
    rates, seeds = (
        np.repeat(np.geomspace(0.01, 1.5, 10).round(4), runs // 10),
        np.tile(np.arange(runs // 10), 10),
    )
    ids = [f"{number:032x}" for number in range(runs)]
    ends = 0.97 - 0.1 * np.abs(np.log10(rates)) + random.normal(0, 0.01, runs)
    table = pd.DataFrame({
        "run_id": ids,
        "run_name": [f"learning_rate={rate} seed={seed}" for rate, seed in zip(rates, seeds, strict=True)],
        "status": "FINISHED", "duration": 1.0, _RATE: rates, "seed": seeds,
        _METRIC: ends, "kept/test/accuracy": ends - 0.005, "kept/val/loss": 1 - ends,
    })  # fmt: skip
    steps = np.arange(1, _EPOCHS + 1)
    rising = ends[:, None] * (1 - np.exp(-steps / 8)) + random.normal(0, 0.003, (runs, _EPOCHS))
    parts = [
        pd.DataFrame({
            "run_id": np.repeat(ids, _EPOCHS), "metric": metric,
            "step": np.tile(steps, runs), "value": values.ravel(),
        })
        for metric, values in (("train/loss", 2.3 * (1.01 - rising)), ("val/accuracy", rising))
    ]  # fmt: skip
    history = pd.concat(parts, ignore_index=True)
    return table, history.astype({"run_id": "category", "metric": "category"})


def seconds(runs: int) -> tuple[float, float]:
    """Write one report in this process, and return what that takes by the clock and of the processor."""
    from micrograde.sweeps.report import write_sweep_report

    table, history = made_up(runs)
    with tempfile.TemporaryDirectory() as folder:
        start, busy = time.perf_counter(), time.process_time()
        write_sweep_report(
            Path(folder), table, history, title="learning_rate × seed", varies=(_RATE, "seed"), metric=_METRIC
        )
        return time.perf_counter() - start, time.process_time() - busy


def main() -> None:
    """Print the least of five, each in a new process."""
    if len(sys.argv) > 1:
        print(*seconds(int(sys.argv[1])))
        return
    for runs in (100, 1000):
        command = [sys.executable, "-m", "benchmarks.report", str(runs)]
        done = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(5)]
        wall, busy = (
            min(each) for each in zip(*(map(float, one.stdout.split()) for one in done), strict=True)
        )
        print(f"{runs:>5,} runs: {wall:.2f} s, {busy:.2f} s of processor", flush=True)


if __name__ == "__main__":
    main()
