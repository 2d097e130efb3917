import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.diagnostics.following import make_model, make_samples, wander

from micrograde.diagnostics import Trajectory, loss_surface
from micrograde.diagnostics.loss_surface import principal_directions
from micrograde.diagnostics.points import some_rows


def along(model, offsets):
    """A trajectory at these (E, 2) places of a plane through the model, along two orthonormal directions."""
    random = np.random.default_rng(3)
    directions = np.linalg.qr(random.normal(size=(model.layout.size, 2)))[0].T
    points = model.parameters[0] + np.array(offsets, float) @ directions
    return Trajectory(list(range(len(points))), list(points), [model.statistics[0].copy() for _ in points])


def loss_at(model, parameters, samples):
    alone = model.alone(0)
    alone.parameters[0] = parameters
    return float(alone.forward(samples.features, samples.targets)[0])


@given(
    st.sampled_from(["tanh", "relu"]),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
    st.integers(3, 12),
)
@settings(max_examples=15)
def test_where_the_path_ends_the_loss_is_the_networks(activation, batch_norm, dtype, points):
    model = make_model(activation=activation, batch_norm=batch_norm, dtype=dtype)
    samples, trajectory = make_samples(40, 4, 3, dtype=dtype), wander(model, points, seed=points)
    before = model.parameters.copy(), model.statistics.copy()
    found = loss_surface(model, trajectory, samples)
    assert found is not None
    side = len(found.losses)
    x, y = np.linspace(*found.x_range, side), np.linspace(*found.y_range, side)
    np.testing.assert_allclose(found.path[-1], 0, atol=1e-9)
    row, column = np.abs(y).argmin(), np.abs(x).argmin()
    np.testing.assert_allclose([x[column], y[row]], 0, atol=1e-9)
    expected = loss_at(model, trajectory.parameters[-1], samples)
    np.testing.assert_allclose(found.losses[row, column], expected, rtol=1e-4)
    for places, values in ((x, found.path[:, 0]), (y, found.path[:, 1])):
        assert places[0] < values.min() < values.max() < places[-1]
    assert 0 < found.explained[1] <= found.explained[0]
    assert sum(found.explained) <= 1 + 1e-12
    for left, was in zip((model.parameters, model.statistics), before, strict=True):
        np.testing.assert_array_equal(left, was)


def test_every_point_of_the_grid_has_the_loss_of_the_network_there():
    model, samples = make_model(), make_samples(40, 4, 3)
    trajectory = along(model, [(3, 1), (1, -1), (0, 2), (-1, 0)])
    found = loss_surface(model, trajectory, samples)
    assert found is not None
    plane = principal_directions(trajectory)
    assert plane is not None
    directions, path, explained = plane
    # The path lies in the plane, so the plane holds all of it, and it is the path itself.
    assert sum(explained) == pytest.approx(1)
    for point, place in zip(trajectory.parameters, path, strict=True):
        np.testing.assert_allclose(trajectory.parameters[-1] + place @ directions, point, atol=1e-9)
    side = len(found.losses)
    x, y = np.linspace(*found.x_range, side), np.linspace(*found.y_range, side)
    for row, column in ((0, 0), (2, side - 1), (side - 1, 5)):
        there = trajectory.parameters[-1] + np.array([x[column], y[row]]) @ directions
        assert found.losses[row, column] == pytest.approx(loss_at(model, there, samples), rel=1e-4)


@given(st.integers(3, 10), st.integers(0, 99))
def test_directions_are_those_of_the_singular_value_decomposition(points, seed):
    model = make_model((3, 4, 2))
    trajectory = wander(model, points, seed=seed)
    plane = principal_directions(trajectory)
    assert plane is not None
    directions, path, explained = plane
    table = np.array(trajectory.parameters)
    _, values, expected = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(explained, values[:2] ** 2 / (values**2).sum(), rtol=1e-6)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-6)
    if values[1] > 1.01 * values[2] and values[0] > 1.01 * values[1]:
        np.testing.assert_allclose(np.abs(np.vecdot(directions, expected[:2])), 1, rtol=1e-4)
    np.testing.assert_allclose(path, (table - table[-1]) @ directions.T, atol=1e-9)


def test_the_loss_is_that_of_some_hundred_rows_of_a_large_data_set():
    model, samples = make_model(), make_samples(5000, 4, 3)
    found = loss_surface(model, wander(model, 5), samples)
    assert found is not None
    side = len(found.losses)
    x, y = np.linspace(*found.x_range, side), np.linspace(*found.y_range, side)
    there = found.losses[np.abs(y).argmin(), np.abs(x).argmin()]
    trajectory = wander(model, 5)
    assert there == pytest.approx(
        loss_at(model, trajectory.parameters[-1], some_rows(samples, 512)), rel=1e-4
    )
    assert there == pytest.approx(loss_at(model, trajectory.parameters[-1], samples), rel=0.2)


@pytest.mark.parametrize(
    "offsets", [[(0, 0), (1, 1)], [(2, 2)] * 5, [(0, 0), (1, 1), (3, 3)], [(np.inf, 0), (1, 1), (0, 2)], [(1e200, 0), (0, 1e200), (0, 0)]]
)  # fmt: skip
def test_without_a_plane_there_is_no_surface(offsets):
    model = make_model()
    assert loss_surface(model, along(model, offsets), make_samples(40, 4, 3)) is None


def test_a_network_that_would_take_too_long_or_a_row_without_variance_has_none():
    large = make_model((1000, 1000, 1000, 10), dtype="float32")
    assert loss_surface(large, wander(large, 3), make_samples(40, 1000, 10, dtype="float32")) is None
    model = make_model()
    assert loss_surface(model, wander(model, 4), make_samples(1, 4, 3)) is None


def test_far_from_the_path_the_loss_may_be_infinite():
    model = make_model(activation="relu", batch_norm=False)
    found = loss_surface(model, wander(model, 4, size=1e20), make_samples(40, 4, 3))
    assert found is not None
    assert not np.isfinite(found.losses).all()
