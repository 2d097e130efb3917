"""Ours, and the floor under everybody: each engine prepares a round, and running it trains some epochs.

A round starts afresh from the case's initial weights and returns the mean training loss of its last epoch
(or NaN, if there is none), so that it shows whether all engines did the same work.
"""

import math
from collections.abc import Callable

import numpy as np

from benchmarks.cases import LEARNING_RATE, Case
from micrograde.nn import MLP, one_hot
from micrograde.training import (
    EpochRecord,
    GradientNorms,
    Samples,
    StackOptimizer,
    StackRunner,
    Training,
    TrainingPlan,
    replicas_per_stack,
)
from micrograde.training.optimizers.sgd import SGD

Round = Callable[[], float]


def micrograde(case: Case, models: int, threads: int) -> Callable[[], Round]:
    """A real `Training` as a run has it, gradient norms after every epoch; stacks cut as a run's are."""
    features, labels = case.data()
    samples = Samples(features, one_hot(labels, case.classes, np.float32), labels)
    size = replicas_per_stack(models, threads, case.batch * max(case.hidden, case.classes))
    epochs = case.epochs_of(models)

    def stack(seeds: range) -> Training:
        generators = [np.random.default_rng(seed) for seed in seeds]
        sizes = (case.inputs, case.hidden, case.classes)
        model = MLP(*sizes, generators=generators, dtype="float32", loss_epsilon=0.0)
        for row, seed in enumerate(seeds):
            model.layer1.weights[row], model.layer2.weights[row] = case.weights(seed)
        optimizer = StackOptimizer([SGD()] * len(seeds), model.parameters, model.gradients)
        rates = np.full(len(seeds), LEARNING_RATE)
        plan = TrainingPlan(epochs, case.batch, lambda steps: np.tile(rates, (len(steps), 1)))
        return Training(model, optimizer, plan, samples, None, generators, callbacks=[GradientNorms()])

    def giving(made: Training) -> Callable[[], Training]:
        return lambda: made

    def prepare() -> Round:
        starts = range(0, models, size)
        stacks = [stack(range(start, min(start + size, models))) for start in starts]

        def run() -> float:
            loss = math.nan
            for _, event in StackRunner([giving(each) for each in stacks], threads).run():
                if isinstance(event, EpochRecord):
                    loss = float(event.metrics["train/loss"][0])
            return loss

        return run

    return prepare


def products_alone(case: Case, models: int, threads: int) -> Callable[[], Round]:
    """The matrix products that no engine can do without, and nothing else, on one thread."""
    del threads
    random = np.random.default_rng(0)
    together = min(models, 64)

    def array(*shape: int) -> np.ndarray:
        return random.standard_normal((together, *shape), dtype=np.float32)

    batch, first = array(case.batch, case.inputs), array(case.inputs, case.hidden)
    second, hidden = array(case.hidden, case.classes), array(case.batch, case.hidden)
    slopes = array(case.batch, case.classes)
    outputs = [np.empty_like(each) for each in (hidden, slopes, second, hidden, first)]

    def run() -> float:
        for _ in range(case.epochs_of(models) * case.steps * (models // together)):
            np.matmul(batch, first, out=outputs[0])
            np.matmul(hidden, second, out=outputs[1])
            np.matmul(hidden.swapaxes(-1, -2), slopes, out=outputs[2])
            np.matmul(slopes, second.swapaxes(-1, -2), out=outputs[3])
            np.matmul(batch.swapaxes(-1, -2), hidden, out=outputs[4])
        return math.nan

    return lambda: run


def compiled_loop(case: Case, models: int, threads: int) -> Callable[[], Round]:
    """What a compiled inner loop would give: whole epochs of each replica in numba."""
    from benchmarks.compiled import train_epochs

    features, labels = case.data()
    epochs = case.epochs_of(models)

    def prepare() -> Round:
        order = np.stack([np.random.default_rng(e).permutation(case.rows) for e in range(epochs)])
        all_weights = zip(*(case.weights(s) for s in range(models)), strict=True)
        first, second = (np.stack(each) for each in all_weights)

        def run() -> float:
            losses = train_epochs(first, second, features, labels, order, case.batch, LEARNING_RATE, threads)
            return float(losses[0])

        return run

    return prepare
