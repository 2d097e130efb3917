"""Stacks side by side: the same as one after the other, and an interrupt ends them all."""

import threading
from functools import partial

import numpy as np
import pytest

from micrograde.nn import MLP, one_hot
from micrograde.training import Departure, Samples, StackOptimizer, StackRunner, Training, TrainingPlan
from micrograde.training.optimizers.sgd import SGD


def make(seed, epochs=4, replicas=3):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, 40)
    data = Samples(random.normal(size=(40, 4)), one_hot(labels, 3), labels)
    model = MLP(4, 5, 3, generators=[np.random.default_rng([seed, row]) for row in range(replicas)])
    optimizer = StackOptimizer([SGD()] * replicas, model.parameters, model.gradients)
    plan = TrainingPlan(epochs, 10, lambda steps: np.full((len(steps), replicas), 0.1))
    shuffling = [np.random.default_rng([seed, row, 1]) for row in range(replicas)]
    return Training(model, optimizer, plan, data, None, shuffling)


def ends(runner):
    return {
        (number, event.replica): event.model.parameters.tobytes()
        for number, event in runner.run()
        if isinstance(event, Departure)
    }


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_threads_change_nothing(workers):
    makers = [lambda seed=seed: make(seed) for seed in range(5)]
    assert ends(StackRunner(makers, workers)) == ends(StackRunner(makers, 1))


def test_a_maker_may_have_nothing_to_train():
    makers = [lambda: None, lambda: make(1), lambda: None]
    for workers in (1, 2):
        assert {number for number, _ in ends(StackRunner(makers, workers))} == {1}


@pytest.mark.parametrize("workers", [1, 2])
def test_after_an_interrupt_all_that_train_leave_and_no_more_begin(workers):
    begun = []

    def maker(seed):
        begun.append(seed)
        return make(seed, epochs=100_000)

    runner = StackRunner([partial(maker, seed) for seed in range(6)], workers)
    left = []

    def interrupted():
        for count, _ in enumerate(runner.run()):
            if count == 5:
                raise KeyboardInterrupt

    # The loop's frame is gone when leave() is called, as it is in a program that catches Ctrl-C.
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    left = list(runner.leave())
    assert sorted((number, departure.replica) for number, departure in left) == [
        (number, replica) for number in range(workers) for replica in range(3)
    ]
    assert sorted(begun) == list(range(workers))
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.startswith("ThreadPoolExecutor"):
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_stack_is_not_lost(workers):
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(StackRunner([lambda: make(0), broken], workers).run())
