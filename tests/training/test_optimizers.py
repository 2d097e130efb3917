"""Each optimizer follows its equations; whichever is registered, a replica in a stack equals it alone."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.core.hyperparameters import PerReplica, hyperparameters_of
from micrograde.training import OPTIMIZERS, SCHEDULES, StackOptimizer, learning_rate_factors
from micrograde.training.optimizers.adam import Adam
from micrograde.training.optimizers.adamw import AdamW
from micrograde.training.optimizers.rmsprop import RMSprop
from micrograde.training.optimizers.sgd import SGD


def equations(entry, w, gradients, rates):
    """The parameters (P,) after these steps, as docs/backward/optimizers.md has them."""
    u, m, s = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        if entry.name == "adamw":
            w = (1 - rate * entry.weight_decay) * w
        else:
            g = g + entry.weight_decay * w
        if entry.name == "sgd":
            u = entry.momentum * u + g
            w = w - rate * (g + entry.momentum * u if entry.nesterov else u)
        elif entry.name == "rmsprop":
            s = entry.alpha * s + (1 - entry.alpha) * g**2
            m = entry.alpha * m + (1 - entry.alpha) * g
            variance = s - m**2 if entry.centered else s
            u = entry.momentum * u + g / (np.sqrt(variance) + entry.epsilon)
            w = w - rate * u
        else:
            m = entry.beta1 * m + (1 - entry.beta1) * g
            s = entry.beta2 * s + (1 - entry.beta2) * g**2
            root = np.sqrt(s / (1 - entry.beta2**t))
            w = w - rate * m / (1 - entry.beta1**t) / (root + entry.epsilon)
    return w


@pytest.mark.parametrize(
    "entries",
    [
        [SGD(weight_decay=0.1), SGD(weight_decay=0.2)],
        [SGD(momentum=0.9), SGD(momentum=0.5)],
        [SGD(momentum=0.9, nesterov=True), SGD(momentum=0.5, nesterov=True)],
        [Adam(), Adam(beta1=0.5, beta2=0.9, epsilon=1e-3)],
        [Adam(weight_decay=0.1), Adam(weight_decay=0.2)],
        [AdamW(), AdamW(weight_decay=0.5, beta1=0.8)],
        [RMSprop(), RMSprop(alpha=0.5, epsilon=1e-3)],
        [RMSprop(momentum=0.9, weight_decay=0.1), RMSprop(momentum=0.5, weight_decay=0.2)],
        [RMSprop(centered=True, momentum=0.9), RMSprop(centered=True, momentum=0.5)],
    ],
    ids=str,
)
def test_each_follows_its_equations_for_each_replica(entries):
    random = np.random.default_rng(0)
    start, gradients = random.normal(size=(2, 4)), random.normal(size=(6, 2, 4))
    rates = random.uniform(0.01, 0.2, (6, 2))
    stack = StackOptimizer(entries, start.copy(), np.zeros((2, 4)))
    for gradient, rate in zip(gradients, rates, strict=True):
        stack.gradients[...] = gradient
        stack.step(rate)
        np.testing.assert_array_equal(stack.gradients, gradient)
    for row, entry in enumerate(entries):
        expected = equations(entry, start[row], gradients[:, row], rates[:, row])
        np.testing.assert_allclose(stack.parameters[row], expected, rtol=1e-12)


def test_centered_rmsprop_stays_finite_where_rounding_would_make_the_variance_negative():
    gradients = np.full((1, 3), 0.1, np.float32)
    stack = StackOptimizer([RMSprop(centered=True)], np.ones_like(gradients), gradients)
    for _ in range(3000):
        stack.step(np.array([1e-9]))
    assert np.isfinite(stack.parameters).all()


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(ValueError, match=r"optimizer\.nesterov=true: needs momentum"):
        SGD(nesterov=True)


def test_what_is_zero_keeps_no_state_and_programs_are_not_mixed():
    assert SGD().state == ()
    assert RMSprop().state == ("square",)
    with pytest.raises(ValueError, match="of one program"):
        StackOptimizer([SGD(), SGD(momentum=0.9)], np.ones((2, 3)), np.ones((2, 3)))


def variants(entry):
    """Entries of one program that differ in all that may differ within a stack."""
    varying = {
        each.name: each.of(entry())
        for each in hyperparameters_of(entry).values()
        if isinstance(each.varies, PerReplica) and isinstance(each.default, float)
    }
    return [entry(**{name: value * share for name, value in varying.items()}) for share in (1, 0.9, 0.7)]


def programs(name):
    """An optimizer's variants, plain and with each boolean and each zero of it set."""
    entry = OPTIMIZERS[name]
    yield variants(entry)
    fields = {each.name: each for each in hyperparameters_of(entry).values()}
    for sign in (each.name for each in fields.values() if each.default is False):
        zeros = {each.name: 0.5 for each in fields.values() if each.default == 0 and each.name != sign}
        yield [dataclasses.replace(each, **zeros, **{sign: True}) for each in variants(entry)]
    names = [each.name for each in fields.values() if each.default == 0 and each.default is not False]
    if names:
        yield [
            dataclasses.replace(each, **dict.fromkeys(names, value))
            for each, value in zip(variants(entry), (0.1, 0.3, 0.5), strict=True)
        ]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@settings(max_examples=10, deadline=None)
@given(dtype=st.sampled_from(["float32", "float64"]), leave=st.integers(0, 2), at=st.integers(1, 7))
def test_a_replica_equals_it_alone_whoever_leaves_and_goes_on_from_its_state(
    optimizer, schedule, dtype, leave, at
):
    random = np.random.default_rng(at)
    factors = learning_rate_factors(SCHEDULES[schedule](), np.arange(8), num_epochs=4, steps_per_epoch=2)
    for entries in programs(optimizer):
        start = random.normal(size=(3, 5)).astype(dtype)
        gradients = random.normal(size=(8, 3, 5)).astype(dtype)
        rates = factors[:, np.newaxis] * np.array([each.learning_rate for each in entries])
        kept = np.array([row for row in range(3) if row != leave])
        stack = StackOptimizer(entries, start.copy(), np.zeros_like(start))
        for number in range(8):
            if number == at:
                stack.keep_replicas(kept, stack.parameters[kept], stack.gradients[kept])
            rows = kept if number >= at else np.arange(3)
            stack.gradients[...] = gradients[number, rows]
            stack.step(rates[number, rows])
        for place, row in enumerate(kept.tolist()):
            alone = StackOptimizer([entries[row]], start[[row]].copy(), np.zeros_like(start[[row]]))
            for number in range(8):
                if number == at:  # a new process: what the next step depends on is state and steps
                    fresh = StackOptimizer([entries[row]], alone.parameters.copy(), alone.gradients.copy())
                    for name, array in alone.state.items():
                        fresh.state[name][...] = array
                    fresh.steps, alone = alone.steps, fresh
                alone.gradients[...] = gradients[number, [row]]
                alone.step(rates[number, [row]])
            assert alone.parameters.tobytes() == stack.parameters[[place]].tobytes()
