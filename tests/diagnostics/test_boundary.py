import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.diagnostics.following import at, make_model, make_samples, wander

from micrograde.diagnostics import Trajectory, decision_boundary
from micrograde.training import evaluate


@given(
    st.lists(st.integers(1, 7), min_size=0, max_size=2),
    st.sampled_from(["tanh", "relu"]),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
    st.integers(2, 4),
    st.integers(1, 4),
)
@settings(max_examples=20)
def test_at_every_point_it_is_what_the_network_predicts(
    hidden, activation, batch_norm, dtype, classes, points
):
    model = make_model((2, *hidden, classes), activation=activation, batch_norm=batch_norm, dtype=dtype)
    samples, trajectory = make_samples(40, 2, classes, dtype=dtype), wander(model, points)
    before = model.parameters.copy(), model.statistics.copy()
    found = decision_boundary(model, trajectory, samples)
    assert found is not None
    side = found.probabilities.shape[1]
    assert found.probabilities.shape == (points, side, side, classes)
    np.testing.assert_allclose(found.probabilities.sum(axis=-1), 1, rtol=1e-5)
    x, y = np.linspace(*found.x_range, side), np.linspace(*found.y_range, side)
    for point in range(points):
        alone = at(model, trajectory, point)
        for row, column in ((0, 0), (0, side - 1), (side - 1, 3), (side // 2, side // 3)):
            logits = alone.predict_logits(np.array([[x[column], y[row]]]))[0, 0]
            expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
            np.testing.assert_allclose(
                found.probabilities[point, row, column], expected, rtol=1e-3, atol=1e-4
            )
        # In float32 a sample at the very boundary may fall to the other side.
        assert abs(found.accuracies[point] - evaluate(alone, samples)[1][0]) <= 1 / 40
    for left, was in zip((model.parameters, model.statistics), before, strict=True):
        np.testing.assert_array_equal(left, was)


def test_the_plane_holds_all_samples_with_room_around_them_even_if_they_lie_on_a_line():
    model, samples = make_model((2, 5, 2)), make_samples(30, 2, 2)
    samples.features[:, 1] = 7.0
    found = decision_boundary(model, wander(model, 2), samples)
    assert found is not None
    (low, high), x = found.x_range, samples.features[:, 0]
    assert low < x.min() < x.max() < high
    assert found.y_range == (6.0, 8.0)


def test_of_a_long_trajectory_thirty_points_are_taken_and_of_a_large_network_a_coarser_grid():
    model, samples = make_model((2, 5, 2)), make_samples(30, 2, 2)
    found = decision_boundary(model, wander(model, 52), samples)
    assert found is not None
    assert len(found.epochs) == len(found.accuracies) == 30
    assert (found.epochs[0], found.epochs[-1]) == (0, 51)
    large = make_model((2, 256, 256, 2), dtype="float32")
    coarse = decision_boundary(large, wander(large, 2), samples)
    assert coarse is not None
    assert coarse.probabilities.shape[1] < found.probabilities.shape[1]


def test_without_two_inputs_or_without_points_there_is_none():
    model = make_model((3, 5, 2))
    assert decision_boundary(model, wander(model, 3), make_samples(30, 3, 2)) is None
    flat = make_model((2, 5, 2))
    assert decision_boundary(flat, Trajectory(), make_samples(30, 2, 2)) is None


def test_where_parameters_are_not_finite_the_plane_has_no_numbers():
    model, samples = make_model((2, 5, 2)), make_samples(30, 2, 2)
    trajectory = wander(model, 3)
    trajectory.parameters[2][:] = np.nan
    found = decision_boundary(model, trajectory, samples)
    assert found is not None
    assert np.isnan(found.probabilities[2]).all()
    assert np.isfinite(found.probabilities[:2]).all()
