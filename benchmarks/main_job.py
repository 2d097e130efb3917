"""Whole processes, timed side by side: the main job, the script a user would write instead, and the floor.

    python benchmarks/main_job.py --peer PEER/train.py --peer-python PYTHON

The peer is any script that trains the same network with PyTorch, Hydra and MLflow; it runs in a temporary
folder with the interpreter given, which needs torch. Without --peer that row is said to be missing. Every
round runs each command once, in turn, on warm stores; the table gives medians and the spread.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRAIN = [sys.executable, str(ROOT / "pipelines" / "train.py")]


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command, children included; its failure is ours."""
    environment = {**os.environ, "MICROGRADE_HOME": str(folder)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, help="the peer's train.py")
    parser.add_argument("--peer-python", default=sys.executable, help="an interpreter that has torch")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()

    commands = {
        "main job, 50 epochs": TRAIN,
        "main job, 1 epoch": [*TRAIN, "training.num_epochs=1"],
        "import mlflow": [sys.executable, "-c", "import mlflow"],
        "train.py --help": [*TRAIN, "--help"],
    }
    if arguments.peer:
        commands["peer, 50 epochs"] = [arguments.peer_python, str(arguments.peer.resolve())]
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch) / f"{number}" for number, name in enumerate(commands)}
        for name, folder in folders.items():
            folder.mkdir()
            timed(commands[name], folder)  # makes the store, warms the caches; not counted
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, folder in folders.items():
                times[name].append(timed(commands[name], folder))

    print(f"medians of {arguments.rounds} rounds; whole processes, seconds")
    print(f"{'':22} {'median':>7} {'min':>7} {'max':>7} {'cpu':>7}")
    for name, values in times.items():
        walls, cpus = zip(*values, strict=True)
        figures = (statistics.median(walls), min(walls), max(walls), statistics.median(cpus))
        print(f"{name:22} " + " ".join(f"{figure:7.2f}" for figure in figures))
    added = [a[0] - b[0] for a, b in zip(times["main job, 1 epoch"], times["import mlflow"], strict=True)]
    print(f"one epoch costs {statistics.median(added):.2f} s more than import mlflow (at most 1.5)")
    if arguments.peer:
        pairs = zip(times["main job, 50 epochs"], times["peer, 50 epochs"], strict=True)
        ratios = [ours[0] / peer[0] for ours, peer in pairs]
        print(f"main job / peer: {statistics.median(ratios):.3f} (at most 0.333)")
    else:
        print("peer: missing (give --peer)")


if __name__ == "__main__":
    main()
