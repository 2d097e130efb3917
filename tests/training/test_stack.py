"""A replica in a stack is the same run alone, bit for bit, whoever else is there and whoever leaves."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from micrograde.diagnostics import Diagnostics
from micrograde.nn import MLP, one_hot
from micrograde.training import (
    Departure,
    EpochRecord,
    ForeignSnapshotError,
    Freezing,
    GradientNorms,
    Samples,
    Snapshot,
    StackOptimizer,
    StackRunner,
    StepRecord,
    Training,
    TrainingPlan,
    frozen_stretches,
    noisy_labels,
)
from micrograde.training.callbacks import Callback
from micrograde.training.callbacks.clip import GradientClipping
from micrograde.training.callbacks.early_stopping import BestWeights, EarlyStopping
from micrograde.training.optimizers.adam import Adam
from micrograde.training.optimizers.sgd import SGD


def samples(rows, seed, dtype):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows)
    features = (2 * np.eye(3, 4)[labels] + random.normal(size=(rows, 4))).astype(dtype)
    return Samples(features, one_hot(labels, 3, dtype), labels)


replicas = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 5),
        # Small and sensible, or so large that a network without batch norm diverges, sooner or later.
        "learning_rate": st.sampled_from([0.01, 0.1, 0.5, 1e3, 1e12, 1e30]),
        "momentum": st.sampled_from([0.5, 0.9]),
        "weight_decay": st.sampled_from([1e-4, 1e-1]),
        "scale": st.sampled_from([0.1, 1.0, 3.0]),
        "noise": st.sampled_from([0.0, 0.0, 0.3]),
        "norm": st.sampled_from([1e-60, 0.01, 0.2, 100.0]),
        "value": st.sampled_from([0.001, 0.05]),
    }
)
programs = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["float32", "float64"]),
        "batch_norm": st.booleans(),
        "activation": st.sampled_from(["tanh", "relu"]),
        "optimizer": st.sampled_from(["sgd", "nesterov", "adam"]),
        "patience": st.sampled_from([None, 1, 3]),
        "output_batch_norm": st.booleans(),
        "batch_size": st.sampled_from([7, 10, 29, 30]),  # 29 leaves one row, which joins with batch norm
        "overflows": st.sampled_from([False, False, True]),  # a row of the validation part
        "clip": st.sampled_from([(), (), ("norm",), ("value",), ("norm", "value")]),
        "freeze": st.sampled_from([(), (), ("layer1",), ("layer2", "batchnorm1")]),
        "log_every": st.sampled_from([None, 1, 2, 7]),
    }
)


class Snapshots(Callback):
    def __init__(self, due):
        self._due = due

    def snapshot_due(self):
        return self._due()


def make(program, group, snapshot_due=lambda: False):
    """A stack of these replicas."""
    dtype, epochs, rows = program["dtype"], 6, 30
    scales = np.array([each["scale"] for each in group])
    model = MLP(
        4,
        [5, 4],
        3,
        activation=program["activation"],
        batch_norm=program["batch_norm"],
        output_batch_norm=program.get("output_batch_norm", True),
        initializer="xavier",
        initial_scale=scales,
        generators=[np.random.default_rng(each["seed"]) for each in group],
        dtype=dtype,
        loss_epsilon=0.0,
    )

    def column(name):
        return np.array([each[name] for each in group])

    def entry(each):
        if program["optimizer"] == "adam":
            return Adam(beta2=0.99, weight_decay=each["weight_decay"])
        nesterov = program["optimizer"] == "nesterov"
        return SGD(momentum=each["momentum"], nesterov=nesterov, weight_decay=each["weight_decay"])

    frozen = frozen_stretches(model, program.get("freeze", ()))
    optimizer = StackOptimizer([entry(each) for each in group], model.parameters, model.gradients, frozen)
    stopping = EarlyStopping("val/loss", program["patience"]) if program["patience"] else None
    plan = TrainingPlan(
        epochs,
        program["batch_size"],
        lambda steps: np.tile(column("learning_rate"), (len(steps), 1)) / (1 + steps[:, np.newaxis]) ** 0.1,
        least_rows=model.least_rows,
        log_every=program.get("log_every"),
    )
    shuffling = [np.random.default_rng(100 + each["seed"]) for each in group]
    training, validation = samples(rows, 1, dtype), samples(12, 2, dtype)
    if program.get("overflows"):
        validation.features[3] = np.finfo(dtype).max
    told = None
    if column("noise").any():
        streams = [np.random.default_rng(200 + each["seed"]) for each in group]
        told = noisy_labels(training.labels, 3, column("noise"), streams), np.eye(3, dtype=dtype)
    callbacks = [GradientNorms(), Diagnostics(model), Snapshots(snapshot_due)]
    if stopping:
        callbacks.append(BestWeights(model, stopping))
    if frozen:
        callbacks.append(Freezing(frozen))
    if clip := program.get("clip"):
        callbacks.append(
            GradientClipping(*(column(kind) if kind in clip else None for kind in ("norm", "value")))
        )
    return Training(model, optimizer, plan, training, validation, shuffling, told, callbacks)


def train(program, *groups, workers=1, cancel_after=None):
    """What became of each replica, group after group: its records, and its end."""
    stacks = {}

    def start(number):
        stacks[number] = make(program, groups[number])
        return stacks[number]

    runner = StackRunner([partial(start, number) for number in range(len(groups))], workers)
    histories: dict[tuple[int, int], list[tuple[int, dict[str, str]]]] = {}
    ends = {}
    logged: dict[tuple[int, int], list[tuple[int, dict[str, str]]]] = {}
    for number, event in runner.run():
        if isinstance(event, StepRecord):
            for replica, points in points_of(event).items():
                logged.setdefault((number, replica), []).extend(points)
            continue
        if isinstance(event, Departure):
            assert (number, event.replica) not in ends
            ends[number, event.replica] = (
                event.epoch,
                event.divergence and (event.divergence.step, event.divergence.parameter),
                event.model.parameters.tobytes(),
                event.model.statistics.tobytes(),
            )
            continue
        assert isinstance(event, EpochRecord)
        for row, replica in enumerate(event.replicas.tolist()):
            # repr: exact for numbers, and blind to the sign of NaN, which means nothing.
            values = {name: repr(float(each[row])) for name, each in event.metrics.items()}
            histories.setdefault((number, replica), []).append((event.epoch, values))
            if replica == 0 and event.epoch == cancel_after:
                runner.cancel(number, replica)
    places = [(number, replica) for number, group in enumerate(groups) for replica in range(len(group))]
    assert ends.keys() == set(places)
    return [(histories.get(place, []), (*ends[place], logged.get(place, []))) for place in places]


def points_of(record):
    """What a record of steps says of each replica: its steps with their values, as text."""
    return {
        replica: [
            (step, {name: repr(float(each[place, row])) for name, each in record.metrics.items()})
            for place, step in enumerate(record.steps.tolist())
        ]
        for row, replica in enumerate(record.replicas.tolist())
    }


@settings(max_examples=60)
@given(programs, st.lists(replicas, min_size=1, max_size=6), st.integers(1, 6), st.integers(1, 4))
def test_a_replica_equals_the_same_run_alone(program, group, size, workers):
    stacks = [group[start : start + size] for start in range(0, len(group), size)]
    together = train(program, *stacks, workers=workers)
    for replica, each in enumerate(group):
        (alone,) = train(program, [each])
        assert together[replica] == alone


@settings(max_examples=20)
@given(programs, st.lists(replicas, min_size=1, max_size=4), st.integers(1, 5))
def test_when_one_is_cancelled_the_others_do_not_notice(program, group, epoch):
    undisturbed, together = train(program, group), train(program, group, cancel_after=epoch)
    assert together[1:] == undisturbed[1:]
    (history, end), (whole, its_end) = together[0], undisturbed[0]
    assert history == whole[:epoch]
    assert end[0] == min(epoch, its_end[0])
    if its_end[0] <= epoch:
        assert end == its_end


def outcome(events):
    """Records from the stack's first replica on, as text, its steps, and its end."""
    records, ends, logged = [], [], []
    for event in events:
        if isinstance(event, StepRecord):
            logged += points_of(event)[0]
        if isinstance(event, Departure):
            arrays = (event.model.parameters.tobytes(), event.model.statistics.tobytes())
            ends.append((event.epoch, event.divergence and event.divergence.step, arrays))
        elif isinstance(event, EpochRecord):
            values = {name: repr(float(each[0])) for name, each in event.metrics.items()}
            records.append((event.epoch, values))
    (end,) = ends
    return records, logged, end


@settings(max_examples=60)
@given(programs, st.lists(replicas, min_size=1, max_size=3), st.data())
def test_what_goes_on_from_a_snapshot_ends_as_if_it_had_never_stopped(program, group, data):
    """A snapshot of a stack's replica, at any epoch or at its end, by the same or by another process."""
    events = list(make(program, group, lambda: True).run())
    snapshots = [event for event in events if isinstance(event, Snapshot)]
    snapshots += [event.snapshot for event in events if isinstance(event, Departure) and event.snapshot]
    assume(snapshots)
    snapshot = data.draw(st.sampled_from(snapshots))
    alone = [group[snapshot.replica]]
    whole, logged, end = outcome(make(program, alone).run())
    resumed = make(program, alone)
    resumed.resume(snapshot)
    rest, its_logged, its_end = outcome(resumed.run())
    assert rest == whole[snapshot.epoch :]
    assert its_logged == [point for point in logged if point[0] > snapshot.steps]
    assert its_end == end


def test_a_snapshot_of_another_training_is_refused_and_changes_nothing():
    program = {
        "dtype": "float32",
        "batch_norm": True,
        "activation": "tanh",
        "optimizer": "nesterov",
        "patience": 3,
        "batch_size": 10,
    }
    replica = {
        "seed": 1,
        "learning_rate": 0.1,
        "momentum": 0.5,
        "weight_decay": 1e-4,
        "scale": 1.0,
        "noise": 0,
    }
    events = make(program, [replica], lambda: True).run()
    good = next(event for event in events if isinstance(event, Snapshot))
    arrays = dict(good.arrays)
    stream = good.shuffling
    foreign = [
        replace(good, epoch=7, steps=21),
        replace(good, epoch=0, steps=0),
        replace(good, steps=good.steps + 1),
        replace(good, arrays={**arrays, "more": np.zeros(3)}),
        replace(good, arrays={key: each for key, each in arrays.items() if "velocity" not in key}),
        replace(good, arrays={key: each.astype(np.float64) for key, each in arrays.items()}),
        replace(good, arrays={key: each[..., None] for key, each in arrays.items()}),
        replace(good, shuffling={}),
        replace(good, shuffling={**stream, "bit_generator": "MT19937"}),
        replace(good, shuffling={**stream, "has_uint32": 2}),
        replace(good, shuffling={**stream, "uinteger": True}),
        replace(good, shuffling={**stream, "state": {"state": -1, "inc": 1}}),
        replace(good, shuffling={**stream, "state": {"state": 1, "inc": 2**128}}),
    ]
    whole, resumed = outcome(make(program, [replica]).run()), make(program, [replica])
    for snapshot in foreign:
        with pytest.raises(ForeignSnapshotError) as caught:
            resumed.resume(snapshot)
        assert "\n" not in str(caught.value)
    assert outcome(resumed.run()) == whole


def test_some_leave_early_and_the_others_go_on():
    """The property above would also hold if nobody ever left: here they do."""
    program = {
        "dtype": "float32",
        "batch_norm": False,
        "activation": "relu",
        "optimizer": "sgd",
        "patience": 1,
        "batch_size": 10,
    }
    rates = (0.1, 1e30, 1e-9, 0.5)
    group = [
        {"seed": 1, "learning_rate": rate, "momentum": 0.5, "weight_decay": 1e-4, "scale": 1.0, "noise": 0.0}
        for rate in rates
    ]
    results = train(program, group)
    epochs = [end[0] for _, end in results]
    diverged = [end[1] is not None for _, end in results]
    assert diverged == [False, True, False, False]
    assert epochs[1] == 1
    assert len(set(epochs)) > 1
    for (history, end), went in zip(results, diverged, strict=True):
        assert len(history) == (end[0] - 1 if went else end[0])
