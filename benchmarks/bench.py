"""All measurements in one go: `make bench`. Prints them, and writes the tables and the page.

    python -m benchmarks.bench [--rounds 5] [--case digits]

Each part is a process of its own, one after the other, so that no library's threads disturb another's
figures; what is compared with each other is always measured in the same process or the same round. Writes
benchmarks/results/*.csv and docs/benchmarks.md.
"""

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, DIGITS, MIDDLE, NOTEBOOK, WIDE, Case
from benchmarks.machine import describe
from benchmarks.processes import ratios
from benchmarks.steps import COMPILED, SCIKIT_LEARN

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "benchmarks" / "results", ROOT / "docs" / "benchmarks.md"
OURS, EAGER, SCAN, VMAP = "micrograde", "PyTorch eager", "JAX jit(scan)", "JAX vmap(scan)"

# What was asked for: our case and number of models, a peer and its number of models, how many times faster.
TARGETS: tuple[tuple[Case, int, str, int, float], ...] = (
    (DIGITS, 1, EAGER, 1, 4.0),
    (MIDDLE, 1, EAGER, 1, 1.6),
    (MIDDLE, 1, SCIKIT_LEARN, 1, 1.3),
    (WIDE, 1, EAGER, 1, 1.1),
    (WIDE, 1, SCAN, 1, 0.95),
    (DIGITS, 64, EAGER, 1, 30.0),
    (DIGITS, 64, VMAP, 64, 1.3),
    (DIGITS, 256, EAGER, 1, 30.0),
    (DIGITS, 256, VMAP, 256, 1.3),
    (NOTEBOOK, 256, EAGER, 1, 60.0),
    (NOTEBOOK, 256, VMAP, 256, 1.0),
)


def run(module: str, *arguments: str) -> str:
    """Run a part, show what it prints as it prints it, and give it back."""
    command = [sys.executable, "-u", "-m", f"benchmarks.{module}", *arguments]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(f"benchmarks.{module} ended with status {process.returncode}")
    return "".join(lines)


def microseconds(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, int, int, str], float]:
    """Median by case, models, threads and engine."""
    return {(row["case"], row["models"], row["threads"], row["engine"]): row["median"] for row in rows}


def target_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What was asked for and what was measured, as a Markdown table."""
    found = microseconds(rows)
    yield "| case | against | asked | 1 thread | 2 threads | compiled loop, 1 and 2 threads |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for case, models, peer, their_models, asked in TARGETS:

        def times(
            engine: str,
            threads: int,
            *,
            us: tuple[Case, int] = (case, models),
            them: tuple[int, str] = (their_models, peer),
        ) -> str:
            ours = found.get((us[0].name, us[1], threads, engine), math.nan)
            theirs = found.get((us[0].name, them[0], threads, them[1]), math.nan)
            return "missing" if math.isnan(theirs / ours) else f"{theirs / ours:.2f}"

        alone = "alone" if models == 1 else f"stack of {models}"
        against = peer if their_models == 1 else f"{peer} of {their_models}"
        cells = [f"{case.name}, {alone}", against, f"{asked:g}", times(OURS, 1), times(OURS, 2)]
        cells.append(" and ".join(times(COMPILED, threads) for threads in (1, 2)))
        yield f"| {' | '.join(cells)} |"


def step_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The time of a step of every engine, as a Markdown table."""
    yield "| case | models | threads | engine | us a model-step | smallest - largest | first round, s |"
    yield "| --- | ---: | ---: | --- | ---: | ---: | ---: |"
    for row in rows:
        figures = [row["missing"], "", ""]
        if not row["missing"]:
            spread = f"{row['smallest']:.1f} - {row['largest']:.1f}"
            figures = [f"{row['median']:.1f}", spread, f"{row['first']:.2f}"]
        cells = [row["case"], str(row["models"]), str(row["threads"]), row["engine"], *figures]
        yield f"| {' | '.join(cells)} |"


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Rows whose keys are the first row's, or fewer."""
    with path.open("w", newline="") as file:
        columns = dict.fromkeys(key for row in rows for key in row if key not in ("walls", "cpus"))
        writer = csv.DictWriter(file, list(columns), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", default="", help=f"only cases whose name begins with this: {CASES[1].name}")
    arguments = parser.parse_args()
    machine = describe()
    print("\n".join(f"{key:10} {value}" for key, value in machine.items()), "\n", flush=True)
    steps: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "table.json"
        options = ("--rounds", str(arguments.rounds), "--json", str(table))
        for threads in (1, 2):
            run("steps", "--threads", str(threads), "--case", arguments.case, *options)
            steps += json.loads(table.read_text())
        operations = run("operations")
        whole = run("processes", *options)
        processes = json.loads(table.read_text())
        autograd = run("autograd", "--rounds", str(arguments.rounds))
    asked = "\n".join(target_lines(steps))
    print(f"\n{asked}")

    RESULTS.mkdir(exist_ok=True)
    write_csv(RESULTS / "steps.csv", steps)
    write_csv(RESULTS / "processes.csv", processes)
    notes = (ROOT / "benchmarks" / "notes.md").read_text()
    parts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "rounds": str(arguments.rounds),
        "machine": "\n".join(f"- {key}: {value}" for key, value in machine.items()),
        "asked": asked,
        "whole": "\n".join(f"- {name}: {value:.2f}" for name, value in ratios(processes).items()),
        "processes": whole,
        "steps": "\n".join(step_lines(steps)),
        "operations": operations,
        "autograd": autograd,
    }
    for name, text in parts.items():
        notes = notes.replace(f"{{{name}}}", text.strip())
    PAGE.write_text(notes)
    print(f"\nwritten: {PAGE.relative_to(ROOT)} and {RESULTS.relative_to(ROOT)}/*.csv")


if __name__ == "__main__":
    main()
