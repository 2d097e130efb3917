from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.diagnostics.following import at, make_model, make_samples, wander
from tests.narrowing import not_none, of_type

from micrograde.diagnostics import Trajectory, distributions
from micrograde.diagnostics.distributions import VALUES
from micrograde.diagnostics.points import some_rows
from micrograde.nn import ActivationLayer, LinearLayer


@given(
    st.lists(st.integers(1, 7), min_size=0, max_size=3),
    st.sampled_from(["tanh", "relu", "sigmoid"]),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
    st.integers(1, 9),
)
@settings(max_examples=30)
def test_at_every_point_they_are_those_of_the_network_alone(hidden, activation, batch_norm, dtype, points):
    model = make_model((4, *hidden, 3), activation=activation, batch_norm=batch_norm, dtype=dtype)
    samples, trajectory = make_samples(20, 4, 3, dtype=dtype), wander(model, points)
    before = model.parameters.copy(), model.statistics.copy()
    found = distributions(model, trajectory, samples, 8)
    assert found is not None
    assert found.epochs == list(range(points))
    assert list(found.activations) == [
        *(f"activation{number + 1}" for number in range(len(hidden))),
        "logits",
    ]
    assert list(found.gradients) == [f"layer{number + 1}" for number in range(len(hidden) + 1)]
    batch = some_rows(samples, 8)
    close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5 if dtype == "float32" else 1e-12}
    for point in range(points):
        alone = at(model, trajectory, point)
        alone.forward(batch.features, batch.targets)
        alone.backward()
        np.testing.assert_allclose(found.activations["logits"][point], alone.logits.ravel(), **close)
        for name, values in found.activations.items():
            if name != "logits":
                layer = of_type(ActivationLayer, alone.layers[name])
                np.testing.assert_allclose(values[point], layer.output.ravel(), **close)
        for name, values in found.gradients.items():
            linear = of_type(LinearLayer, alone.layers[name])
            np.testing.assert_allclose(values[point], linear.grad_weights.ravel(), **close)
    for left, was in zip((model.parameters, model.statistics), before, strict=True):
        np.testing.assert_array_equal(left, was)


def test_of_many_values_the_same_ones_are_taken_at_every_point():
    model = make_model((80, 60, 3))
    trajectory = wander(model, 3, size=0.0)
    trajectory.parameters[1] = trajectory.parameters[1] + 1
    found = distributions(model, trajectory, make_samples(20, 80, 3), 10)
    assert found is not None
    gradient = found.gradients["layer1"]
    assert gradient.shape == (3, VALUES)
    np.testing.assert_array_equal(gradient[0], gradient[2])
    assert not np.array_equal(gradient[0], gradient[1])


def test_rows_are_drawn_from_all_classes_of_a_sorted_data_set():
    samples = make_samples(300, 2, 3)
    order = np.argsort(samples.labels, kind="stable")
    sorted_samples = type(samples)(samples.features[order], samples.targets[order], samples.labels[order])
    drawn = some_rows(sorted_samples, 32)
    assert len(drawn) == 32
    assert set(drawn.labels) == {0, 1, 2}
    assert drawn.targets.argmax(axis=1).tolist() == drawn.labels.tolist()
    assert len({tuple(row) for row in drawn.features.tolist()}) == 32
    assert some_rows(samples, 300) is samples


def test_a_network_that_diverged_shows_it_and_what_cannot_be_computed_is_none():
    model = make_model()
    samples, trajectory = make_samples(20, 4, 3), wander(model, 3)
    trajectory.parameters[2][:] = np.nan
    found = distributions(model, trajectory, samples, 8)
    assert found is not None
    assert np.isnan(found.activations["logits"][2]).all()
    assert np.isfinite(found.activations["logits"][:2]).all()
    assert distributions(model, Trajectory(), samples, 8) is None
    assert distributions(model, trajectory, samples, 1) is None  # batch norm has no variance of one row
    plain = make_model(batch_norm=False)
    assert not_none(distributions(plain, wander(plain, 2), samples, 1)).activations["logits"].shape == (2, 3)


@pytest.mark.parametrize(("width", "points"), [(6, 52), (700, 5)])
def test_of_a_large_network_fewer_points_are_taken_with_the_first_and_the_last(width, points):
    model = make_model((40, width, width, 3), dtype="float32")
    trajectory = wander(model, 52)
    found = distributions(model, trajectory, make_samples(600, 40, 3, dtype="float32"), 512)
    assert found is not None
    assert len(found.epochs) == points
    assert (found.epochs[0], found.epochs[-1]) == (0, 51)
