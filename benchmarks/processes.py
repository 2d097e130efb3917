"""Whole processes, timed side by side: the main job, the script a user would write instead, and the floor.

    python -m benchmarks.processes [--rounds 7] [--json processes.json] [--only "import mlflow" ...]

The peer stands in benchmarks/peer: PyTorch + Hydra + MLflow, wired by hand. Every round runs each command
once, in turn, on warm stores; the table gives medians and the spread. Times of a machine that others use too
compare as ratios round by round only, and better as time of the processor than of the clock. The last two
rows train 50 epochs of digits and record nothing: from a process that is not there yet to the trained
network, compiling included.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.cases import DIGITS

ROOT = Path(__file__).resolve().parents[1]
TRAIN = [sys.executable, str(ROOT / "pipelines" / "train.py")]
PEER = [sys.executable, str(ROOT / "benchmarks" / "peer" / "train.py")]
ITSELF = [sys.executable, "-m", "benchmarks.processes"]
COMMANDS = {
    "main job, 50 epochs": ("micrograde", TRAIN),
    "peer, 50 epochs": ("torch", PEER),
    "main job, 1 epoch": ("micrograde", [*TRAIN, "training.num_epochs=1"]),
    "import mlflow": ("mlflow", [sys.executable, "-c", "import mlflow"]),
    "train.py --help": ("micrograde", [*TRAIN, "--help"]),
    "nothing to 50 epochs, micrograde": ("micrograde", [*ITSELF, "--train", "micrograde"]),
    "nothing to 50 epochs, JAX jit(scan)": ("jax", [*ITSELF, "--train", "jax"]),
}


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command, children included; its failure is ours."""
    environment = {**os.environ, "MICROGRADE_HOME": str(folder), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else a checkout is compiled anew at each start
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def train(engine: str) -> None:
    """50 epochs of digits in this process, and nothing else."""
    case = replace(DIGITS, epochs=50)
    if engine == "jax":
        from benchmarks.peers import jax as make
    else:
        from benchmarks.engines import micrograde as make
    make(case, 1, 1)()()


def measure(rounds: int, commands: Mapping[str, tuple[str, list[str]]] = COMMANDS) -> list[dict[str, Any]]:
    """A row for each command; a peer that is not installed is named as missing."""
    times: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch) / f"{number}" for number, name in enumerate(commands)}
        for name, (package, command) in commands.items():
            if find_spec(package) is not None:
                folders[name].mkdir()
                timed(command, folders[name])  # makes the store, warms the caches; not counted
                times[name] = []
        for _ in range(rounds):
            for name, values in times.items():
                values.append(timed(commands[name][1], folders[name]))
    rows: list[dict[str, Any]] = []
    for name, (package, _) in commands.items():
        if name not in times:
            rows.append({"command": name, "missing": f"missing: {package} is not installed"})
            continue
        walls, cpus = zip(*times[name], strict=True)
        figures = {"median": statistics.median(walls), "smallest": min(walls), "largest": max(walls)}
        rows.append(
            {"command": name, **figures, "cpu": statistics.median(cpus), "walls": walls, "cpus": cpus}
        )
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """What the rows are measured for: medians of the ratios round by round."""
    times = {kind: {row["command"]: row[kind] for row in rows if kind in row} for kind in ("walls", "cpus")}

    def median(one: str, other: str, how: str, kind: str = "walls") -> float | None:
        found = times[kind]
        if one not in found or other not in found:
            return None
        pairs = zip(found[one], found[other], strict=True)
        return float(statistics.median(a / b if how == "/" else a - b for a, b in pairs))

    jax, ours = "nothing to 50 epochs, JAX jit(scan)", "nothing to 50 epochs, micrograde"
    found = {
        "peer / main job (at least 3)": median("peer, 50 epochs", "main job, 50 epochs", "/"),
        "main job / import mlflow (at most 1)": median("main job, 50 epochs", "import mlflow", "/"),
        "the same, time of the processor": median("main job, 50 epochs", "import mlflow", "/", "cpus"),
        "seconds that one epoch costs beyond import mlflow (at most 1.5)": median(
            "main job, 1 epoch", "import mlflow", "-"
        ),
        "nothing to 50 epochs, JAX / micrograde (at least 2)": median(jax, ours, "/"),
    }
    return {name: value for name, value in found.items() if value is not None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    parser.add_argument("--only", nargs="+", choices=list(COMMANDS), help="measure only these")
    parser.add_argument("--train", choices=["micrograde", "jax"], help="only train, in this process")
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train)
        return
    rows = measure(arguments.rounds, {name: COMMANDS[name] for name in arguments.only or COMMANDS})
    print(f"medians of {arguments.rounds} rounds; whole processes, seconds")
    print(f"{'':38} {'median':>7} {'min':>7} {'max':>7} {'cpu':>7}")
    for row in rows:
        if "missing" in row:
            print(f"{row['command']:38} {row['missing']}")
            continue
        figures = (row["median"], row["smallest"], row["largest"], row["cpu"])
        print(f"{row['command']:38} " + " ".join(f"{figure:7.2f}" for figure in figures))
    for name, value in ratios(rows).items():
        print(f"{name}: {value:.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
