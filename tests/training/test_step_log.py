"""Steps that are logged: which, what is said of them, and that nothing depends on how they are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.metrics import METRICS, GivenOutputs
from micrograde.metrics.accuracy import Accuracy
from micrograde.nn import MLP, one_hot
from micrograde.training import (
    Departure,
    EpochRecord,
    Samples,
    StackOptimizer,
    StepRecord,
    Training,
    TrainingPlan,
)
from micrograde.training.optimizers.sgd import SGD
from micrograde.training.step_log import StepLog

ROWS = 37


def events(log_every, *, batch_size=8, epochs=3, replicas=2, rate=0.3):
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, ROWS)
    rows = Samples(random.normal(size=(ROWS, 4)), one_hot(labels, 3), labels)
    streams = [np.random.default_rng(seed) for seed in range(replicas)]
    model = MLP(4, 5, 3, generators=streams, loss_epsilon=0.0)
    plan = TrainingPlan(
        epochs,
        batch_size,
        lambda steps: np.full((len(steps), replicas), rate),
        least_rows=model.least_rows,
        log_every=log_every,
    )
    optimizer = StackOptimizer([SGD()] * replicas, model.parameters, model.gradients)
    shuffling = [np.random.default_rng(9 + seed) for seed in range(replicas)]
    return list(Training(model, optimizer, plan, rows, None, shuffling).run())


def points(found):
    """Each metric's values by step, (R,) each."""
    by_step: dict[int, dict[str, list[float]]] = {}
    for event in found:
        if isinstance(event, StepRecord):
            for place, step in enumerate(event.steps.tolist()):
                assert step not in by_step
                by_step[step] = {name: each[place].tolist() for name, each in event.metrics.items()}
    return by_step


def seen(event):
    if isinstance(event, EpochRecord):
        return event.epoch, {name: each.tolist() for name, each in event.metrics.items()}
    assert isinstance(event, Departure)
    return event.epoch, event.model.parameters.tobytes(), event.model.statistics.tobytes()


@pytest.mark.parametrize("batch_size", [8, 37, 1 + 8])
def test_an_epochs_loss_is_the_mean_of_its_steps(batch_size):
    found = events(1, batch_size=batch_size)
    epochs = [event for event in found if isinstance(event, EpochRecord)]
    sizes = [min(batch_size, ROWS - start) for start in range(0, ROWS, batch_size)]
    if sizes[-1] < 2 and len(sizes) > 1:
        sizes[-2:] = [sizes[-2] + sizes[-1]]
    logged = points(found)
    assert list(logged) == list(range(1, len(sizes) * len(epochs) + 1))
    for number, epoch in enumerate(epochs):
        of_epoch = [logged[number * len(sizes) + place + 1] for place in range(len(sizes))]
        for name in ("train/loss", "train/accuracy"):
            mean = np.average([each[name] for each in of_epoch], axis=0, weights=sizes)
            np.testing.assert_allclose(mean, epoch.metrics[name], rtol=1e-12)


@given(st.integers(1, 30), st.integers(5, 40))
def test_every_nth_step_is_logged_and_nothing_else_changes(every, batch_size):
    found, plain = events(every, batch_size=batch_size), events(None, batch_size=batch_size)
    all_points, some = points(events(1, batch_size=batch_size)), points(found)
    assert some == {step: each for step, each in all_points.items() if step % every == 0}
    rest = [event for event in found if not isinstance(event, StepRecord)]
    assert [seen(event) for event in rest] == [seen(event) for event in plain]


@given(st.integers(1, 9), st.lists(st.integers(0, 12), max_size=9))
def test_the_places_of_logged_steps_go_on_over_epochs(every, counts):
    log, done, found = StepLog(every, ()), 0, []
    for count in counts:
        found += [done + place + 1 for place in sorted(log.places(done, count))]
        done += count
    assert found == list(range(every, done + 1, every))


def test_what_was_measured_is_told_after_a_second_or_when_it_is_much(monkeypatch):
    now = [0.0]
    log = StepLog(1, [Accuracy()], clock=lambda: now[0])
    logits, labels = np.eye(3)[np.newaxis].repeat(2, axis=0), np.arange(3)
    outputs = GivenOutputs(logits, labels, np.array([[0, 1, 2], [0, 0, 0]]))
    assert not log.due()
    log.add(1, np.array([0.5, 0.25]), outputs, 3)
    assert not log.due()
    now[0] = 1.0
    assert log.due()
    (record,) = log.take(np.array([4, 7]), np.array([1]))
    assert (record.steps.tolist(), record.replicas.tolist()) == ([1], [7])
    assert {name: each.tolist() for name, each in record.metrics.items()} == {
        "train/loss": [[0.25]],
        "train/accuracy": [[1 / 3]],
    }
    assert not log.due()
    assert not list(log.take(np.array([4, 7]), np.array([0, 1])))
    monkeypatch.setattr("micrograde.training.step_log._NUMBERS", 8)
    for step in range(2, 4):
        log.add(step, np.array([0.5, 0.25]), outputs, 3)
    assert log.due()


def test_any_metric_can_be_logged():
    """Also one of each class, and one that a batch leaves undefined."""
    of_classes = [entry(name=name) for name, entry in METRICS.items() if entry.task == "classification"]
    log = StepLog(1, of_classes, ("a", "b", "c"))
    labels = np.zeros(3, np.int64)
    log.add(1, np.array([0.5]), GivenOutputs(np.eye(3)[np.newaxis], labels, np.array([[0, 1, 2]])), 3)
    (record,) = log.take(np.array([0]), np.array([0]))
    assert "train/recall/a" in record.metrics
    assert np.isnan(record.metrics["train/roc_auc"][0, 0])


def test_a_replica_that_diverges_has_no_points_from_there_on_and_the_others_have_all():
    found = events(1, replicas=2, rate=np.array([0.3, 1e308]))
    of_each: dict[int, list[int]] = {0: [], 1: []}
    for event in found:
        if isinstance(event, StepRecord):
            for row, replica in enumerate(event.replicas.tolist()):
                of_each[replica] += event.steps.tolist()
                assert np.isfinite(event.metrics["train/loss"][:, row]).all()
    assert of_each[0] == list(range(1, 16))
    (gone,) = [event for event in found if getattr(event, "divergence", None)]
    assert of_each[1] == list(range(1, gone.divergence.step))
