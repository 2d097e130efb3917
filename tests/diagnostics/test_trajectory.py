"""Copies of the parameters along the way: the first, the last, and evenly spaced ones between."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from micrograde.diagnostics import Trajectory
from micrograde.diagnostics.trajectory import POINTS
from micrograde.nn import MLP


def stack():
    return MLP(2, 3, 2, generators=[np.random.default_rng(0), np.random.default_rng(1)])


@given(epochs=st.integers(0, 1000), start=st.integers(0, 40))
def test_the_copies_are_evenly_spaced_whenever_training_ends(epochs, start):
    model, trajectory = stack(), Trajectory()
    for epoch in range(start, start + epochs + 1):
        model.parameters[...] = epoch
        trajectory.take(epoch, model)
    trajectory.finish(start + epochs, model)
    kept = trajectory.epochs
    assert [copy[0] for copy in trajectory.parameters] == kept
    assert kept[0] == start
    assert kept[-1] == start + epochs
    assert len(kept) == len(set(kept)) <= POINTS + 2
    assert len(kept) >= min(epochs + 1, POINTS // 2)
    assert set(np.diff(kept[1:-1]).tolist()) <= {trajectory.stride}


def test_a_row_is_followed_by_itself_and_later_steps_do_not_change_it():
    model, trajectory = stack(), Trajectory()
    before = model.parameters[1].copy()
    trajectory.take(0, model, row=1)
    model.parameters += 1
    model.statistics += 1
    np.testing.assert_array_equal(trajectory.parameters[0], before)
    assert trajectory.statistics[0].tolist() == (model.statistics[1] - 1).tolist()
