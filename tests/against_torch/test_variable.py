"""Gradients of random expressions over all operations, against PyTorch's, in float64."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde import Variable
from micrograde.autograd import concatenate

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Step:
    """One operation: ours, PyTorch's, on what is there so far (2 × 3 matrices)."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    operands: int


def same(name, function, operands=1):
    """An operation that is written alike for both."""
    return Step(name, function, function, operands)


# Every operation, kept away from where it or its gradient is infinite, or from where it has none.
STEPS = (
    same("add", lambda a, b: a + b, 2),
    same("subtract", lambda a, b: a - b, 2),
    same("multiply", lambda a, b: a * b, 2),
    same("divide", lambda a, b: a / (b * b + 1.0), 2),
    same("power", lambda a: (a * a + 0.5) ** 1.5),
    same("square", lambda a: a**2),
    same("power of a variable", lambda a, b: (a * a + 0.5) ** b, 2),
    same("number to a power", lambda a: 1.5**a),
    same("matmul", lambda a, b: (a @ b.T) @ a, 2),
    same("negate", lambda a: -a),
    same("reversed", lambda a: 1.0 - 2.0 / (3.0 + a * a)),
    same("tanh", lambda a: a.tanh()),
    same("exp", lambda a: (a * 0.1).exp()),
    same("log", lambda a: (a * a + 0.5).log()),
    same("relu", lambda a: a.relu()),
    same("sigmoid", lambda a: a.sigmoid()),
    same("sqrt", lambda a: (a * a + 0.5).sqrt()),
    same("abs", lambda a: a.abs()),
    same("maximum", lambda a, b: a.maximum(b), 2),
    Step("sum", lambda a: a + a.sum(axis=0, keepdims=True), lambda a: a + a.sum(dim=0, keepdim=True), 1),
    Step("sum of all", lambda a: a * a.sum(), lambda a: a * a.sum(), 1),
    Step("mean", lambda a: a - a.mean(axis=1, keepdims=True), lambda a: a - a.mean(dim=1, keepdim=True), 1),
    Step("max", lambda a: a + a.max(axis=1, keepdims=True), lambda a: a + a.amax(dim=1, keepdim=True), 1),
    Step(
        "var",
        lambda a: a / (a.var(axis=0, keepdims=True) + 1.0),
        lambda a: a / (a.var(dim=0, keepdim=True, unbiased=False) + 1.0),
        1,
    ),
    Step("var without axis kept", lambda a: a * a.var(axis=0), lambda a: a * a.var(dim=0, unbiased=False), 1),
    same("reshape", lambda a: a.reshape(3, 2).reshape(2, 3)),
    Step("transpose", lambda a: a.T.transpose(1, 0) + a.T.T, lambda a: a.T.transpose(1, 0) + a.T.T, 1),
    same("index", lambda a: a[[1, 1]] + a[0]),
    same("slice", lambda a: a * a[:, 1:2]),
    Step(
        "concatenate",
        lambda a, b: concatenate([a, b, a], axis=1)[:, 2:5],
        lambda a, b: torch.cat([a, b, a], dim=1)[:, 2:5],
        2,
    ),
    same("softmax", lambda a: a.softmax(-1)),
    same("log_softmax", lambda a: a.log_softmax(-1)),
)

programs = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=8
)


def run(program, leaves, which):
    """The value of a random program: each step takes earlier results, and is kept below 1 in size.

    Not by tanh: where it saturates its derivative is a difference of equals, in which rounding is all.
    """
    results = list(leaves)
    for step, *choices in program:
        operands = [results[choice % len(results)] for choice in choices[: step.operands]]
        results.append(getattr(step, which)(*operands))
        results[-1] = results[-1] / (results[-1] * results[-1] + 1.0).sqrt()
    return (results[-1] * results[-1]).sum()


@settings(max_examples=400)
@given(programs, st.integers(0, 2**32 - 1))
def test_gradients_equal_pytorchs(program, seed):
    values = np.random.default_rng(seed).standard_normal((2, 2, 3))
    ours = [Variable(value.copy()) for value in values]
    theirs = [torch.tensor(value, requires_grad=True) for value in values]
    result, expected = run(program, ours, "ours"), run(program, theirs, "theirs")
    np.testing.assert_allclose(result.value, expected.item(), rtol=TOLERANCE)
    result.backward()
    expected.backward()
    for mine, other in zip(ours, theirs, strict=True):
        gradient = np.zeros((2, 3)) if other.grad is None else other.grad.numpy()
        difference = np.linalg.norm(mine.grad - gradient)
        assert difference <= TOLERANCE * max(float(np.linalg.norm(gradient)), 1e-3)


def test_every_step_alone():
    for step in STEPS:
        for seed in range(3):
            values = np.random.default_rng(seed).standard_normal((2, 2, 3))
            ours = [Variable(value.copy()) for value in values]
            theirs = [torch.tensor(value, requires_grad=True) for value in values]
            result, expected = (
                step.ours(*ours[: step.operands]).sum(),
                step.theirs(*theirs[: step.operands]).sum(),
            )
            result.backward()
            expected.backward()
            for mine, other in zip(ours[: step.operands], theirs, strict=False):
                np.testing.assert_allclose(
                    mine.grad, other.grad.numpy(), rtol=1e-11, atol=1e-13, err_msg=step.name
                )
