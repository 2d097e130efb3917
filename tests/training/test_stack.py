"""A replica in a stack is the same run alone, bit for bit, whoever else is there and whoever leaves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.nn import MLP, one_hot
from micrograde.training import SGD, Adam, Departure, EarlyStopping, Samples, Training, TrainingPlan


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
    }
)
programs = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["float32", "float64"]),
        "batch_norm": st.booleans(),
        "activation": st.sampled_from(["tanh", "relu"]),
        "optimizer": st.sampled_from(["sgd", "nesterov", "adam"]),
        "patience": st.sampled_from([None, 1, 3]),
        "batch_size": st.sampled_from([7, 10, 30]),
    }
)


def train(program, group):
    """What became of each replica: its records, and its end."""
    dtype, epochs, rows = program["dtype"], 6, 30
    scales = np.array([each["scale"] for each in group])
    model = MLP(
        4,
        [5, 4],
        3,
        activation=program["activation"],
        batch_norm=program["batch_norm"],
        initializer="xavier",
        initial_scale=scales,
        generators=[np.random.default_rng(each["seed"]) for each in group],
        dtype=dtype,
        loss_epsilon=0.0,
    )

    def column(name):
        return np.array([each[name] for each in group])

    if program["optimizer"] == "adam":
        constant = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8}
        columns = {name: np.full(len(group), value) for name, value in constant.items()}
        optimizer = Adam(model.parameters, model.gradients, **columns, weight_decay=column("weight_decay"))
    else:
        optimizer = SGD(
            model.parameters,
            model.gradients,
            momentum=column("momentum"),
            weight_decay=column("weight_decay"),
            nesterov=program["optimizer"] == "nesterov",
        )
    steps = epochs * -(-rows // program["batch_size"])
    stopping = EarlyStopping("val/loss", program["patience"]) if program["patience"] else None
    plan = TrainingPlan(
        epochs, program["batch_size"], np.tile(column("learning_rate"), (steps, 1)), early_stopping=stopping
    )
    shuffling = [np.random.default_rng(100 + each["seed"]) for each in group]
    stack = Training(model, optimizer, plan, samples(rows, 1, dtype), samples(12, 2, dtype), shuffling)
    histories, ends = [[] for _ in group], {}
    for event in stack.run():
        if isinstance(event, Departure):
            assert event.replica not in ends
            model = event.model
            ends[event.replica] = (
                event.epoch,
                event.divergence and (event.divergence.step, event.divergence.parameter),
                model.parameters.tobytes(),
                model.statistics.tobytes(),
            )
        else:
            for row, replica in enumerate(event.replicas.tolist()):
                # repr: exact for numbers, and blind to the sign of NaN, which means nothing.
                values = {name: repr(float(each[row])) for name, each in event.metrics.items()}
                histories[replica].append((event.epoch, values))
    assert len(ends) == len(group)
    return [(histories[replica], ends[replica]) for replica in range(len(group))]


@settings(max_examples=60)
@given(programs, st.lists(replicas, min_size=1, max_size=6))
def test_a_replica_equals_the_same_run_alone(program, group):
    together = train(program, group)
    for replica, each in enumerate(group):
        (alone,) = train(program, [each])
        assert together[replica] == alone


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
        {"seed": 1, "learning_rate": rate, "momentum": 0.5, "weight_decay": 1e-4, "scale": 1.0}
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
