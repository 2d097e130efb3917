"""The time of a training step, ours beside the peers': one process, a number of threads, all cases.

    python -m benchmarks.steps --threads 1 [--case digits] [--rounds 5] [--json steps.json]

The process keeps to as many cores as it is given threads. Engines take turns round by round; a row is the
median of the rounds, in microseconds for a step of one model, with the smallest and the largest. The time of
the first round is a column of its own: it has what an engine compiles. A peer that is not installed is named
as missing; one that cannot do a case says why.
"""

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.cases import CASES, Case
from benchmarks.engines import Round, compiled_loop, micrograde, products_alone
from benchmarks.peers import jax, notebook, pytorch, scikit_learn

Make = Callable[[Case, int, int], Callable[[], Round]]
SCIKIT_LEARN = "scikit-learn (no batch norm)"
PRODUCTS = "matrix products alone, 1 thread"
COMPILED = "compiled loop (numba)"


@dataclass
class Row:
    """One engine in one case; times in microseconds for a step of one model, ``first`` in seconds."""

    case: str
    models: int
    threads: int
    engine: str
    median: float = math.nan
    smallest: float = math.nan
    largest: float = math.nan
    first: float = math.nan
    loss: float = math.nan
    missing: str = ""


def engines(models: int) -> Iterator[tuple[str, str, Make]]:
    """Name, the package it needs, and how to make it; most peers train one model at a time."""
    yield "micrograde", "micrograde", micrograde
    if models == 1:
        yield "the notebook's classes", "numpy", notebook
        yield "PyTorch eager", "torch", partial(pytorch, compiled=False)
        yield "PyTorch compiled", "torch", partial(pytorch, compiled=True)
        yield "JAX jit(scan)", "jax", jax
        yield SCIKIT_LEARN, "sklearn", scikit_learn
    else:
        yield "JAX vmap(scan)", "jax", jax
    yield COMPILED, "numba", compiled_loop
    yield PRODUCTS, "numpy", products_alone


def measure(case: Case, models: int, threads: int, rounds: int) -> list[Row]:
    """The rows of one case for so many models."""
    rows, ready = [], {}
    for name, package, make in engines(models):
        row = Row(case.name, models, threads, name)
        rows.append(row)
        if find_spec(package) is None:
            row.missing = f"missing: {package} is not installed"
            continue
        try:
            start = time.perf_counter()
            prepare = make(case, models, threads)
            row.loss = prepare()()
            row.first = time.perf_counter() - start
        except Exception as error:  # a peer that cannot do it says so in the table; ours must
            if name == "micrograde":
                raise
            row.missing = f"failed: {type(error).__name__}"
            continue
        ready[name] = prepare
    steps = case.epochs_of(models) * case.steps * models
    times: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(rounds):
        for name, prepare in ready.items():
            run = prepare()
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) / steps * 1e6)
    for row in rows:
        if row.engine in times:
            values = times[row.engine]
            row.median, row.smallest, row.largest = statistics.median(values), min(values), max(values)
    check_that_all_learned(rows)
    return rows


def check_that_all_learned(rows: list[Row]) -> None:
    """The same weights, data and steps, in another order of the rows: the losses must be near each other."""
    for row in rows:
        if abs(row.loss - rows[0].loss) > 0.05 + 0.1 * rows[0].loss:
            raise AssertionError(f"{row.engine} came to a loss of {row.loss}, micrograde to {rows[0].loss}")


def show(rows: list[Row]) -> None:
    """Print the rows of one case and number of models."""
    print(f"\n{rows[0].case}, {'alone' if rows[0].models == 1 else f'{rows[0].models} models'}")
    for row in rows:
        if row.missing:
            print(f"  {row.engine:32} {row.missing}")
            continue
        spread = f"({row.smallest:.1f}-{row.largest:.1f})"
        factor = f"{row.median / rows[0].median:7.2f}x" if row is not rows[0] else " " * 8
        print(f"  {row.engine:32} {row.median:10.1f} {spread:23} {factor} {row.first:7.2f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", default="", help="only cases whose name begins with this")
    parser.add_argument("--models", type=int, nargs="*", help="only these numbers of models")
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    print(f"{arguments.threads} thread(s): microseconds a step of one model, median (smallest-largest),")
    print("times micrograde's, and the seconds of the first round with what is compiled in it")
    from threadpoolctl import threadpool_limits

    table: list[Row] = []
    with threadpool_limits(1):
        for case in CASES:
            if not case.name.startswith(arguments.case):
                continue
            for models in (1, *case.stacks):
                if arguments.models and models not in arguments.models:
                    continue
                rows = measure(case, models, arguments.threads, arguments.rounds)
                show(rows)
                table += rows
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in table]))


if __name__ == "__main__":
    main()
