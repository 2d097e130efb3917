"""Sweeps as whole processes: beside the peer, where their time goes, how far they carry.

    python -m benchmarks.sweep [--peer] [--many 10000] [--kill 20]

Always: 100 runs of digits (10 learning rates, 10 seeds, 50 epochs) with everything recorded, what the parts
of that take, and what recording takes a run of 400 values. With --peer the same 100 runs by the script that a
user would write instead (benchmarks/peer), which takes minutes. With --many a sweep of so many runs of the
notebook's network, and how many a second were finished in each tenth of it. With --kill so many sweeps of 30
runs, each killed by SIGKILL at a random moment and started again, beside one that was left alone.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.processes import PEER, ROOT, TRAIN

RATES = "0.01,0.02,0.05,0.1,0.2,0.3,0.5,0.7,1.0,1.5"
SWEEP = ["-m", f"optimizer.learning_rate={RATES}", "seed=range(10)"]
PEER_SWEEP = ["-m", "seed=range(10)", f"learning_rate={RATES}"]
KILLED = [
    "-m",
    "data=moons",
    "training.num_epochs=60",
    "seed=range(10)",
    "optimizer.learning_rate=0.1,0.3,0.5",
]


@contextmanager
def shell() -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty home, and the environment of somebody who is at home there."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder), {**os.environ, "MICROGRADE_HOME": folder, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}


def seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Wall time of a command that must end well."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
    return time.perf_counter() - start


# --- where the time goes: run in a process of its own -------------------------------------------------


def timed(owner: Any, name: str, spent: dict[str, float], part: str) -> None:
    """Add what calls of ``owner.name`` take to ``spent[part]``."""
    function: Callable[..., Any] = getattr(owner, name)

    def wrapper(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[part] = spent.get(part, 0.0) + time.perf_counter() - start

    setattr(owner, name, wrapper)


def sweep_in_parts(target: Path) -> None:
    """The sweep of 100 runs in this process; seconds by part into a JSON file."""
    import runpy

    from micrograde.runs import live_run
    from micrograde.sweeps import launching, session
    from micrograde.tracking import Recorder

    spent: dict[str, float] = {}
    timed(launching, "compose_jobs", spent, "compose")
    timed(session, "train_runs", spent, "train and artifacts")
    timed(live_run.LiveRun, "end", spent, "artifacts")
    timed(Recorder, "wait", spent, "MLflow, waited for")
    timed(Recorder, "close", spent, "MLflow, waited for")
    timed(session, "summarize_sweep", spent, "summary with the wait")
    sys.argv = [*TRAIN[1:], *SWEEP]
    start = time.perf_counter()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        spent["in all, without the interpreter's start"] = time.perf_counter() - start
        target.write_text(json.dumps(spent))


def parts() -> dict[str, float]:
    """Seconds by part of a sweep of 100 runs."""
    with shell() as (folder, environment):
        target = folder / "parts.json"
        seconds([sys.executable, "-m", "benchmarks.sweep", "--parts", str(target)], folder, environment)
        spent: dict[str, float] = json.loads(target.read_text())
    whole = spent.pop("in all, without the interpreter's start")
    ended, wait = spent["artifacts"], spent["MLflow, waited for"]
    result = {
        "compose": spent["compose"],
        "train": spent["train and artifacts"] - ended,
        "artifacts of the runs": ended,
        "MLflow, waited for": wait,
        "table, report and pictures": spent["summary with the wait"] - wait,
    }
    return {**result, "imports and the rest": whole - sum(result.values()), "in all": whole}


def recording(runs: int = 100, epochs: int = 50, metrics: int = 8) -> None:
    """What the recorder and its writer take for runs with 400 values and 20 params that are told at once."""
    from micrograde.store import local_store
    from micrograde.tracking import DatasetInput, Recorder

    with tempfile.TemporaryDirectory() as folder:
        dataset = DatasetInput("digits", "f" * 64, "{}", "{}", "{}")
        params = {f"key{number}": str(number) for number in range(20)}
        with Recorder(local_store(Path(folder))) as recorder:
            recorder.wait()  # until the store is made
            start = time.perf_counter()
            for _ in range(runs):
                run = recorder.start_run(
                    experiment_name="digits", run_name="r", params=params, tags={}, dataset=dataset
                )
                for epoch in range(epochs):
                    recorder.log_metrics(run, epoch, {f"metric{k}": epoch + k / 7 for k in range(metrics)})
                recorder.end_run(run, "FINISHED")
            told = time.perf_counter() - start
            recorder.close()
            written = time.perf_counter() - start
    print(f"recording {runs} runs of {epochs * metrics} values: telling {1000 * told / runs:.1f} ms a run,")
    print(f"  until all is written {1000 * written / runs:.1f} ms a run", flush=True)


def many(runs: int) -> list[float]:
    """Runs a second in each tenth of a sweep of the notebook's network, by the order in which they ended."""
    import pandas as pd

    from micrograde.analysis import load_runs
    from micrograde.store import local_store

    with shell() as (folder, environment):
        took = seconds([*TRAIN, "-m", "experiment=notebook", f"seed=range({runs})"], folder, environment)
        table = load_runs(local_store(folder).tracking_uri, sweep="latest", status="FINISHED")
    ended = (table["start_time"] + pd.to_timedelta(table["duration"], unit="s")).sort_values()
    if len(ended) != runs:
        sys.exit(f"{len(ended)} of {runs} runs are FINISHED")
    print(f"{runs} runs in {took:.0f} s: {runs / took:.1f} runs a second as a whole process")
    tenth = runs // 10
    marks = [ended.iloc[k * tenth] for k in range(10)] + [ended.iloc[-1]]
    return [tenth / (after - before).total_seconds() for before, after in pairwise(marks)]


def killed(attempts: int) -> int:
    """How many sweeps that were killed and started again ended as one that was not."""
    from micrograde.analysis import load_history, load_runs, load_sweeps
    from micrograde.store import local_store

    def values(folder: Path) -> dict[Any, Any]:
        uri = local_store(folder).tracking_uri
        runs = load_runs(uri, sweep="latest", status="FINISHED")
        history = load_history(uri, run_ids=list(runs["run_id"]))
        by_run = {
            run_id: sorted(zip(part["metric"], part["step"], part["value"], strict=True))
            for run_id, part in history.groupby("run_id", observed=True)
        }
        keys = zip(runs["seed"], runs["optimizer.learning_rate"], strict=True)
        found = [(key, by_run[run_id]) for key, run_id in zip(keys, runs["run_id"], strict=True)]
        if len(found) != len(dict(found)) or len(load_sweeps(uri)) != 1:
            return {}  # something is there twice
        return dict(found)

    with shell() as (folder, environment):
        took = seconds([*TRAIN, *KILLED], folder, environment)
        undisturbed = values(folder)
    good = 0
    for attempt in range(attempts):
        with shell() as (folder, environment):
            process = subprocess.Popen(
                [*TRAIN, *KILLED],
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            moment = random.Random(attempt).uniform(0, took)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
            seconds([*TRAIN, *KILLED], folder, environment)
            same = values(folder) == undisturbed and len(undisturbed) == 30
            good += same
            print(
                f"killed after {moment:5.2f} s: {'30 runs, the same numbers' if same else 'NOT the same'}",
                flush=True,
            )
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--parts", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.parts:
        sweep_in_parts(arguments.parts)
        return
    with shell() as (folder, environment):
        ours = [
            seconds([*TRAIN, *SWEEP, "sweep.resume=false"], folder, environment)
            for _ in range(arguments.rounds)
        ]
    print(f"micrograde, 100 runs: {', '.join(f'{each:.1f}' for each in ours)} s", flush=True)
    if arguments.peer:
        with shell() as (folder, environment):
            theirs = seconds([*PEER, *PEER_SWEEP], folder, environment)
        print(
            f"peer, 100 runs: {theirs:.1f} s; {theirs / sorted(ours)[len(ours) // 2]:.1f} times as long",
            flush=True,
        )
    for part, spent in parts().items():
        print(f"  {part:28} {spent:6.2f} s", flush=True)
    recording()
    if arguments.many:
        print(
            "runs a second by tenths:", " ".join(f"{rate:.1f}" for rate in many(arguments.many)), flush=True
        )
    if arguments.kill:
        print(
            f"{killed(arguments.kill)} of {arguments.kill} killed sweeps ended as if they had not been",
            flush=True,
        )


if __name__ == "__main__":
    main()
