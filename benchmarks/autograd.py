"""The autograd engine, timed: scalar graphs beside micrograd, deep chains, and arrays beside the manual pass.

    python -m benchmarks.autograd [--rounds 9]

The scalar case is micrograd's own: its MLP of 3-16-16-1 on 20 points, forward and backward, through
micrograd's ``Value`` and through ``Variable``. Each measurement is a fresh process with Python's default
settings (and once more with the garbage collector off); the processes take turns.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

STEPS = 5


def scalar_step(value: Callable[[float], Any]) -> Callable[[], None]:
    """Forward and backward of the network on all points, written once for both engines."""
    random.seed(0)
    sizes = (3, 16, 16, 1)
    layers = [
        [([value(random.uniform(-1, 1)) for _ in range(inputs)], value(0.0)) for _ in range(outputs)]
        for inputs, outputs in pairwise(sizes)
    ]
    points = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(20)]
    labels = [random.choice([-1.0, 1.0]) for _ in range(20)]

    def step() -> None:
        total = value(0.0)
        for point, label in zip(points, labels, strict=True):
            out: list[Any] = point
            for number, layer in enumerate(layers):
                sums = [sum((w * x for w, x in zip(ws, out, strict=True)), bias) for ws, bias in layer]
                out = [each.relu() for each in sums] if number < 2 else sums
            difference = out[0] - label
            total = total + difference * difference
        total.backward()

    return step


def measure_scalars(engine: str) -> None:
    """Print the milliseconds of the first step of this process, and of the median of the next."""
    if engine == "micrograd":
        from micrograd.engine import Value as Scalar
    else:
        from micrograde.autograd import Variable as Scalar
    step, times = scalar_step(Scalar), []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"first": times[0], "later": statistics.median(times[1:])}))


def measure_chain() -> None:
    """Print seconds and megabytes of a million additions, forward and backward."""
    from micrograde.autograd import Variable

    start = time.perf_counter()
    y = x = Variable(1.0)
    for _ in range(1_000_000):
        y = y + x
    y.backward()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def measure_arrays() -> None:
    """Print microseconds of digits 64-32-10 with batch norm, batch 32, float64: by hand and by autograd."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    from micrograde.gradcheck.comparison import architecture_of
    from micrograde.gradcheck.equations import trace_batch
    from micrograde.nn import MLP, one_hot

    model = MLP(64, 32, 10, generators=np.random.default_rng(0), initializer="xavier", loss_epsilon=0.0)
    x = np.random.default_rng(1).standard_normal((32, 64))
    targets = one_hot(np.arange(32) % 10, 10)
    parameters = {name: view.copy() for name, view in model.layout.views(model.parameters).items()}
    architecture = architecture_of(model)

    def manual() -> None:
        model.forward(x, targets)
        model.backward(input_gradient=True)

    def autograd() -> None:
        trace_batch(architecture, parameters, x, targets).loss.backward()

    times: dict[str, list[float]] = {"manual": [], "autograd": []}
    with threadpool_limits(1):
        for _ in range(500):
            for name, step in (("manual", manual), ("autograd", autograd)):
                start = time.perf_counter()
                step()
                times[name].append((time.perf_counter() - start) * 1e6)
    print(json.dumps({name: statistics.median(values) for name, values in times.items()}))


def fresh(*arguments: str, gc: bool = True) -> dict[str, float]:
    """What this file prints in a process of its own."""
    code = f"import sys, gc; {'' if gc else 'gc.disable();'} "
    code += f"sys.argv = {['autograd.py', *arguments]!r}; "
    code += f"import runpy; runpy.run_path({__file__!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--measure", choices=["micrograd", "micrograde", "chain", "arrays"])
    arguments = parser.parse_args()
    if arguments.measure in ("micrograd", "micrograde"):
        return measure_scalars(arguments.measure)
    if arguments.measure:
        return {"chain": measure_chain, "arrays": measure_arrays}[arguments.measure]()

    print(f"micrograd's MLP 3-16-16-1 on 20 points, ms, medians of {arguments.rounds} fresh processes")
    print(f"{'':24} {'micrograd':>9} {'Variable':>9} {'ratio':>6}  {'ratios':>11}")
    there = find_spec("micrograd") is not None
    if not there:
        print("missing: micrograd is not installed")
    for gc in (True, False):
        runs: dict[str, list[dict[str, float]]] = {"micrograd": [], "micrograde": []}
        for _ in range(arguments.rounds if there else 0):
            for engine, results in runs.items():
                results.append(fresh("--measure", engine, gc=gc))
        for which in ("first", "later") if there else ():
            theirs, ours = ([each[which] for each in runs[engine]] for engine in ("micrograd", "micrograde"))
            ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
            name = f"{which} step, gc {'on' if gc else 'off'}"
            medians = f"{statistics.median(theirs):9.1f} {statistics.median(ours):9.1f}"
            spread = f"{min(ratios):5.1f}-{max(ratios):5.1f}"
            print(f"{name:24} {medians} {statistics.median(ratios):6.1f}  {spread:>11}")
    chain = fresh("--measure", "chain")
    cost = f"{chain['seconds']:.2f} s (at most 3), {chain['MB']:.0f} MB (at most 600)"
    print(f"a million additions, forward and backward: {cost}")
    arrays = fresh("--measure", "arrays")
    ratio = arrays["autograd"] / arrays["manual"]
    cost = f"manual {arrays['manual']:.0f} us, autograd {ratio:.2f} times that (at most 3)"
    print(f"digits 64-32-10 with batch norm, batch 32, float64: {cost}")
    return None


if __name__ == "__main__":
    main()
