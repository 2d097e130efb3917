"""One training step, timed: ours, alone and stacked, beside PyTorch, JAX, scikit-learn and the bare products.

    python benchmarks/training.py [--rounds 5] [--csv steps.csv]

Needs the extra `benchmarks`; a peer that is not installed is named as missing. Every engine trains the same
network (linear, batch norm, tanh, linear, batch norm, softmax; scikit-learn has no batch norm) in float32
on one thread, by plain SGD, with the loss, the accuracy and, once a round, the gradient norms, as a run
needs them. The engines take turns round by round; a figure is the median of the rounds, in microseconds
for a step of one model. Compile time is not in it, but named below.
"""

import argparse
import csv
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from micrograde.nn import MLP, one_hot
from micrograde.training import SGD, gradient_norms

LEARNING_RATE = 0.01
Step = Callable[[int], None]
"""Takes that many steps."""


@dataclass(frozen=True)
class Case:
    """Sizes of a network and of its batches; how many different batches an engine is given."""

    name: str
    inputs: int
    hidden: int
    classes: int
    batch: int
    stacks: tuple[int, ...]
    steps: int

    def data(self, replicas: int, batches: int = 8) -> tuple[np.ndarray, np.ndarray]:
        """Batches (batches, replicas, batch, inputs) and labels (batches, replicas, batch)."""
        random = np.random.default_rng(0)
        shape = (batches, replicas, self.batch)
        x = random.standard_normal((*shape, self.inputs), dtype=np.float32)
        return x, random.integers(0, self.classes, shape)


CASES = (
    Case("notebook 3-5-2, 10 rows", 3, 5, 2, 10, (16, 64, 256), 200),
    Case("digits 64-32-10, batch 32", 64, 32, 10, 32, (16, 64, 256), 200),
    Case("784-128-10, batch 128", 784, 128, 10, 128, (16,), 50),
    Case("784-1024-10, batch 256", 784, 1024, 10, 256, (), 10),
)


def micrograde(case: Case, replicas: int) -> Step:
    """A stack of so many replicas."""
    x, labels = case.data(replicas)
    targets = one_hot(labels, case.classes, np.float32)
    generators = [np.random.default_rng(seed) for seed in range(replicas)]
    sizes = (case.inputs, case.hidden, case.classes)
    model = MLP(*sizes, generators=generators, dtype="float32", loss_epsilon=0.0)
    zeros = np.zeros(replicas)
    optimizer = SGD(model.parameters, model.gradients, momentum=zeros, weight_decay=zeros)
    rates = np.full(replicas, LEARNING_RATE)

    def run(steps: int) -> None:
        loss_sum, hits = np.zeros(replicas), np.zeros(replicas)
        for number in range(steps):
            which = number % len(x)
            loss = model.forward(x[which], targets[which])
            if not np.isfinite(loss).all():
                raise FloatingPointError
            model.backward()
            optimizer.step(rates)
            loss_sum += loss * case.batch
            hits += np.count_nonzero(np.argmax(model.logits, axis=-1) == labels[which], axis=-1)
        gradient_norms(model)

    return run


def pytorch(case: Case, compiled: bool) -> Step:
    """One model, eager or compiled, written the usual way."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    x, labels = case.data(1)
    batches = [(torch.tensor(x[n, 0]), torch.tensor(labels[n, 0])) for n in range(len(x))]
    layers = [nn.Linear(case.inputs, case.hidden), nn.BatchNorm1d(case.hidden), nn.Tanh()]
    layers += [nn.Linear(case.hidden, case.classes), nn.BatchNorm1d(case.classes)]
    model: nn.Module = nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    loss_of = nn.CrossEntropyLoss()
    forward = torch.compile(model) if compiled else model

    def run(steps: int) -> None:
        total = hits = 0.0
        for number in range(steps):
            data, target = batches[number % len(batches)]
            optimizer.zero_grad()
            out = forward(data)
            loss = loss_of(out, target)
            loss.backward()
            optimizer.step()
            total += loss.item() * case.batch
            hits += (out.argmax(1) == target).sum().item()
        for parameter in model.parameters():
            parameter.grad.norm().item()

    return run


def jax(case: Case, replicas: int) -> Step:
    """All steps of a round in one compiled `scan`; several replicas through `vmap`."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax as jx
    import jax.numpy as jnp

    x, labels = case.data(replicas)

    def start(seed: int) -> list:
        random = np.random.default_rng(seed)
        parameters = []
        for a, b in ((case.inputs, case.hidden), (case.hidden, case.classes)):
            weights = 0.01 * random.standard_normal((a, b), dtype=np.float32)
            parameters.append(
                (weights, np.zeros(b, np.float32), np.ones(b, np.float32), np.zeros(b, np.float32))
            )
        return parameters

    def loss(parameters: list, batch: jnp.ndarray, target: jnp.ndarray) -> tuple:
        out = batch
        for number, (weights, biases, gamma, beta) in enumerate(parameters):
            out = out @ weights + biases
            out = gamma * (out - out.mean(0)) / jnp.sqrt(out.var(0) + 1e-5) + beta
            out = jnp.tanh(out) if number == 0 else out
        logs = jx.nn.log_softmax(out)
        picked = jnp.take_along_axis(logs, target[:, None], 1)
        return -picked.mean(), (out.argmax(1) == target).sum()

    jx.value_and_grad(loss, has_aux=True)

    def train(parameters: list, batches: jnp.ndarray, targets: jnp.ndarray, order: jnp.ndarray) -> tuple:
        def step(parameters: list, which: jnp.ndarray) -> tuple:
            (value, hits), slopes = jx.value_and_grad(loss, has_aux=True)(
                parameters, batches[which], targets[which]
            )
            return jx.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, slopes), (value, hits)

        return jx.lax.scan(step, parameters, order)

    if replicas == 1:
        compiled, state = jx.jit(train), jx.tree.map(jnp.asarray, start(0))
        batches, targets = jnp.asarray(x[:, 0]), jnp.asarray(labels[:, 0])
    else:
        compiled = jx.jit(jx.vmap(train, in_axes=(0, 1, 1, None)))
        state = jx.tree.map(lambda *each: jnp.stack(each), *(start(seed) for seed in range(replicas)))
        batches, targets = jnp.asarray(x), jnp.asarray(labels)

    def run(steps: int) -> None:
        order = jnp.arange(steps) % len(x)
        jx.block_until_ready(compiled(state, batches, targets, order))

    return run


def scikit_learn(case: Case) -> Step:
    """`MLPClassifier.partial_fit`, a batch a call; without batch norm, and without accuracy."""
    from sklearn.neural_network import MLPClassifier

    x, labels = case.data(1)
    model = MLPClassifier(
        (case.hidden,), activation="tanh", solver="sgd", momentum=0.0, alpha=0.0, batch_size=case.batch,
        learning_rate_init=LEARNING_RATE,
    )  # fmt: skip
    model.partial_fit(x[0, 0], labels[0, 0], classes=np.arange(case.classes))

    def run(steps: int) -> None:
        for number in range(steps):
            model.partial_fit(x[number % len(x), 0], labels[number % len(x), 0])

    return run


def products_alone(case: Case, replicas: int) -> Step:
    """The matrix products that no engine can do without, and nothing else."""
    x, _ = case.data(replicas)
    random = np.random.default_rng(0)

    def array(*shape: int) -> np.ndarray:
        return random.standard_normal((replicas, *shape), dtype=np.float32)

    first, second = array(case.inputs, case.hidden), array(case.hidden, case.classes)
    hidden, slopes = array(case.batch, case.hidden), array(case.batch, case.classes)
    outputs = [np.empty_like(each) for each in (hidden, slopes, second, hidden, first)]

    def run(steps: int) -> None:
        for number in range(steps):
            batch = x[number % len(x)]
            np.matmul(batch, first, out=outputs[0])
            np.matmul(hidden, second, out=outputs[1])
            np.matmul(hidden.swapaxes(-1, -2), slopes, out=outputs[2])
            np.matmul(slopes, second.swapaxes(-1, -2), out=outputs[3])
            np.matmul(batch.swapaxes(-1, -2), hidden, out=outputs[4])

    return run


def engines(case: Case) -> dict[str, tuple[str, int, Callable[[], Step]]]:
    """What is timed in a case: the package it needs, how many models a step trains, and how to make it."""
    rows: dict[str, tuple[str, int, Callable[[], Step]]] = {
        "micrograde": ("micrograde", 1, lambda: micrograde(case, 1)),
        "PyTorch eager": ("torch", 1, lambda: pytorch(case, compiled=False)),
        "PyTorch compiled": ("torch", 1, lambda: pytorch(case, compiled=True)),
        "JAX jit(scan)": ("jax", 1, lambda: jax(case, 1)),
        "scikit-learn (no batch norm)": ("sklearn", 1, lambda: scikit_learn(case)),
        "matrix products alone": ("numpy", 1, lambda: products_alone(case, 1)),
    }
    for size in case.stacks:
        rows[f"micrograde, stack of {size}"] = ("micrograde", size, lambda size=size: micrograde(case, size))
        rows[f"JAX vmap(scan) of {size}"] = ("jax", size, lambda size=size: jax(case, size))
        rows[f"matrix products, {size}"] = ("numpy", size, lambda size=size: products_alone(case, size))
    return rows


def measure(case: Case, rounds: int) -> list[dict[str, object]]:
    """The rows of one case."""
    runs: dict[str, tuple[Step, int, int, float]] = {}
    missing = []
    for name, (package, models, make) in engines(case).items():
        if find_spec(package) is None:
            missing.append({"case": case.name, "engine": name, "us": None})
            continue
        steps = max(5, case.steps // models)
        start = time.perf_counter()
        run = make()
        run(steps)
        runs[name] = (run, models, steps, time.perf_counter() - start)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (run, models, steps, _) in runs.items():
            start = time.perf_counter()
            run(steps)
            times[name].append((time.perf_counter() - start) / steps / models * 1e6)
    rows = [
        {
            "case": case.name,
            "engine": name,
            "us": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "first round, s": runs[name][3],
        }
        for name, values in times.items()
    ]
    return rows + missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv", type=Path, help="write the table here as well")
    parser.add_argument("--case", default="", help="only cases whose name begins with this")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, one thread")
    print("microseconds a step of one model: median (min-max); seconds of the first round, with compiling")
    table = []
    with threadpool_limits(1):
        for case in CASES:
            if not case.name.startswith(arguments.case):
                continue
            rows = measure(case, arguments.rounds)
            table += rows
            print(f"\n{case.name}")
            for row in rows:
                if row["us"] is None:
                    print(f"  {row['engine']:30} missing: not installed here")
                    continue
                spread = f"({row['min']:.1f}-{row['max']:.1f})"
                print(f"  {row['engine']:30} {row['us']:10.1f} {spread:22} {row['first round, s']:6.1f} s")
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["case", "engine", "us", "min", "max", "first round, s"])
            writer.writeheader()
            writer.writerows(table)


if __name__ == "__main__":
    main()
