"""Where a training step spends its time, operation by operation.

    python -m benchmarks.operations [--models 64] [--json operations.json]

Every NumPy call that the layers and the loop make is timed where it stands in the source, on one thread; what
the clock itself costs is measured and taken off. The rest of the step is Python between the calls.
"""

import argparse
import json
import linecache
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import DIGITS
from benchmarks.engines import micrograde

clock = time.perf_counter


class Timed:
    """A stand-in for NumPy, or one of its functions, that keeps time by the line that calls it."""

    def __init__(self, original: Any, lines: dict[tuple[str, int], list[float]]) -> None:
        self._original, self._lines = original, lines

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        caller = sys._getframe(1)
        start = clock()
        result = self._original(*arguments, **options)
        taken = clock() - start
        spent = self._lines[caller.f_code.co_filename, caller.f_lineno]
        spent[0] += taken
        spent[1] += 1
        return result

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._original, name)
        if isinstance(found, type) or not callable(found):
            return found
        timed = self.__dict__[name] = Timed(found, self._lines)
        return timed


@contextmanager
def timed_numpy() -> Iterator[dict[tuple[str, int], list[float]]]:
    """While inside, the seconds and the number of calls by file and line."""
    lines: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0])
    rooms = ("micrograde.nn.", "micrograde.training.")
    modules: list[Any] = [module for name, module in sys.modules.items() if name.startswith(rooms)]
    modules = [module for module in modules if getattr(module, "np", None) is np]
    for module in modules:
        module.np = Timed(np, lines)
    try:
        yield lines
    finally:
        for module in modules:
            module.np = np


def seconds(run: Callable[[], object]) -> float:
    """How long one call takes."""
    start = clock()
    run()
    return clock() - start


def clock_cost() -> float:
    """What a timed call says of a function that does nothing."""
    lines: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0])
    nothing = Timed(lambda: None, lines)
    for _ in range(100_000):
        nothing()
    ((spent, calls),) = lines.values()
    return spent / calls


def profile(models: int) -> list[dict[str, Any]]:
    """The lines of a digits step, dearest first; microseconds a model-step."""
    from threadpoolctl import threadpool_limits

    steps = DIGITS.epochs_of(models) * DIGITS.steps * models
    prepare = micrograde(DIGITS, models, 1)
    with threadpool_limits(1):
        prepare()()
        whole = min(seconds(prepare()) for _ in range(5)) / steps * 1e6
        cost, best = clock_cost(), math.inf
        for _ in range(5):
            run = prepare()
            with timed_numpy() as lines:
                run()
            total = sum(spent for spent, _ in lines.values())
            if total < best:
                best, fewest = total, dict(lines)
    rows: list[dict[str, Any]] = [
        {
            "models": models,
            "us": max(0.0, spent - calls * cost) / steps * 1e6,
            "calls": calls / steps * models,
            "where": f"{Path(file).name}",
            "operation": linecache.getline(file, line).strip(),
        }
        for (file, line), (spent, calls) in fewest.items()
    ]
    rows.sort(key=lambda row: -row["us"])
    inside = sum(row["us"] for row in rows)
    rows.append(
        {
            "models": models,
            "us": whole - inside,
            "calls": 0,
            "where": "Python",
            "operation": "between the calls",
        }
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, nargs="*", default=[1, 64])
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    arguments = parser.parse_args()
    table = []
    for models in arguments.models:
        rows = profile(models)
        table += rows
        whole = sum(row["us"] for row in rows)
        print(f"\n{DIGITS.name}, {models} model(s): {whole:.1f} us a model-step")
        for row in rows[:25] + rows[-1:] if len(rows) > 26 else rows:
            share = row["us"] / whole * 100
            figures = f"{row['us']:7.2f} {share:5.1f} % {row['calls']:5.1f}"
            print(f"  {figures}  {row['where']:24} {row['operation'][:75]}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table))


if __name__ == "__main__":
    main()
