"""The pictures of predicted numbers: what they say is so, and anything can be drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import r2_score, root_mean_squared_error
from tests.drawing.numbers import noisy_line, run_of_numbers
from tests.drawing.reading import curves, drawn, images, outside, says, texts
from tests.narrowing import not_none
from tests.security.test_hostile_names import HOSTILE, check_svg

from micrograde.diagnostics import Trajectory
from micrograde.drawing.run.fit_animation import FitAnimation
from micrograde.drawing.run.fitted_curve import FittedCurve
from micrograde.drawing.run.fitted_surface import FittedSurface
from micrograde.drawing.run.fitted_values import fitted_values
from micrograde.drawing.run.greatest_losses import GreatestLosses
from micrograde.drawing.run.predicted_against_true import PredictedAgainstTrue
from micrograde.drawing.run.residuals import Residuals
from micrograde.nn import MLP

PARTS = {"train": noisy_line(300, 0), "val": noisy_line(100, 1), "test": noisy_line(50, 2)}


def dots(picture):
    """How many dots are drawn, rims not counted."""
    paths = [path.get("d") or "" for path in drawn(picture, "path") if path.get("stroke-linecap")]
    return sum(path.count("M") for path in paths) // 2


@given(st.integers(2, 60), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_what_is_said_of_predicted_numbers_is_what_scikit_learn_finds(rows, targets, seed):
    names = ("price", "size", "height")[:targets]
    parts = {
        part: noisy_line(rows, seed + place, targets=targets) for place, part in enumerate(("val", "train"))
    }
    picture = PredictedAgainstTrue().draw(run_of_numbers(parts, names))
    true, predicted, _ = parts["val"]
    r2 = r2_score(true, predicted, multioutput="raw_values")
    rmse = root_mean_squared_error(true, predicted, multioutput="raw_values")
    if targets == 1:
        baseline = np.sqrt(np.mean((true - parts["train"][0].mean()) ** 2))
        assert says(picture, f"validation part, {rows} rows: rmse of 'price' {rmse[0]:.4g}, R² {r2[0]:.3f}; ")
        assert says(picture, f"always saying the training part's mean gives {baseline:.4g}")
    else:
        best, worst = int(r2.argmax()), int(r2.argmin())
        assert says(picture, f"best predicted is '{names[best]}' R² {r2[best]:.3f}, rmse {rmse[best]:.4g}; ")
        assert says(picture, f"worst '{names[worst]}' R² {r2[worst]:.3f}")
    assert dots(picture) == 2 * rows * targets + 2  # and two of the key
    assert outside(picture) == []


def test_of_many_rows_some_are_drawn_and_the_key_says_so():
    picture = PredictedAgainstTrue().draw(
        run_of_numbers({"train": noisy_line(2000, 0), "val": noisy_line(9, 1)})
    )
    assert says(picture, "training (800 of 2000 rows)")
    assert dots(picture) == 800 + 9 + 2


def test_of_many_numbers_the_worst_are_drawn():
    true, predicted, features = noisy_line(40, 0, targets=6)
    predicted[:, 4] = 0.0
    picture = PredictedAgainstTrue().draw(
        run_of_numbers({"val": (true, predicted, features)}, tuple("abcdef"))
    )
    assert says(picture, "(the 4 of 6 with the least R² are drawn)")
    assert "true e" in texts(picture)


def test_rows_without_a_finite_number_are_left_out_and_counted():
    true, predicted, features = noisy_line(40, 0)
    predicted[:3], predicted[3:5] = np.nan, np.inf
    run = run_of_numbers({"val": (true, predicted, features)}, columns=2)
    for entry in (PredictedAgainstTrue, Residuals):
        picture = entry().draw(run)
        assert says(picture, "validation part, 35 rows (5 without a finite number left out)")
    assert says(GreatestLosses().draw(run), "5 without a finite number left out")
    nothing = run_of_numbers({"val": (true, np.full_like(true, np.nan), features)})
    assert all(entry().draw(nothing) is None for entry in (PredictedAgainstTrue, Residuals, GreatestLosses))


def test_residuals_of_a_line_that_is_known_have_no_pattern():
    picture = Residuals().draw(run_of_numbers(PARTS, columns=2))
    assert says(
        picture, "validation part, 100 rows, in groups of about equally many rows: their mean residuals"
    )
    assert says(picture, "what chance would not make")
    assert {"predicted price", "x0", "x1"} <= set(texts(picture))
    assert dots(picture) == 3 * 450 + 3
    assert outside(picture) == []


def test_what_a_column_would_add_is_seen_in_the_residuals():
    parts = {
        part: (true + np.cos(2 * features[:, :1]) * 6, said, features)
        for part, (true, said, features) in PARTS.items()
    }
    picture = Residuals().draw(run_of_numbers(parts, columns=2))
    assert says(picture, "the mean residual of 'price' depends on 'x0', more than chance would make it")
    (means,) = curves(picture)["mean residuals"]
    assert len(means) > 3


def test_a_part_with_few_rows_leaves_the_test_to_another():
    parts = {"train": noisy_line(300, 0), "val": noisy_line(20, 1)}
    assert says(Residuals().draw(run_of_numbers(parts)), "training part, 300 rows that it has learned from")
    few = Residuals().draw(run_of_numbers({"val": noisy_line(20, 1)}))
    assert says(few, "validation part, 20 rows: too few to tell a pattern of residuals from chance")
    assert not says(few, "black: means")


def test_of_several_numbers_each_has_a_row_of_residuals():
    parts = {"train": noisy_line(90, 0, targets=4), "val": noisy_line(70, 1, targets=4)}
    picture = Residuals().draw(run_of_numbers(parts, tuple("abcd"), columns=2))
    assert dots(picture) == 3 * 3 * 160 + 2


def test_the_greatest_losses_of_numbers_say_which_number_is_how_far_off():
    true, predicted, features = noisy_line(50, 0, targets=2)
    predicted[7, 1] = true[7, 1] + 500.0
    picture = GreatestLosses().draw(run_of_numbers({"val": (true, predicted, features)}, ("price", "size")))
    said = texts(picture)
    first = said[said.index("loss") + 1 :][:7]
    assert first[:3] == ["8", "validation", "size"]
    assert float(first[5]) == pytest.approx(-500, rel=1e-3)
    assert not says(picture, "predicted wrong")
    assert outside(picture) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(name):
    run = run_of_numbers(PARTS, (name,), columns=2)
    for entry in (PredictedAgainstTrue, Residuals, GreatestLosses):
        check_svg(not_none(entry().draw(run)).text)


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1e12, 1e299, 0.0])
def test_numbers_of_any_size_are_drawn(size):
    true, predicted, features = noisy_line(80, 0)
    parts = dict.fromkeys(("train", "val"), (size * true, size * predicted, features))
    run = run_of_numbers(parts, columns=2)
    for entry in (PredictedAgainstTrue, Residuals, GreatestLosses):
        text = not_none(entry().draw(run)).text
        assert not {"nan", "inf"} & set(text.replace("=", " ").replace('"', " ").split())


def fitted_run(inputs, targets=1, *, epochs=7, nan=False):
    """A run of a network that moves from epoch to epoch, of so many features."""
    random = np.random.default_rng(0)
    features = random.normal(size=(60, inputs))
    true = np.stack([100.0**number * np.sin(features[:, 0]) for number in range(targets)], axis=1)
    model = MLP(
        inputs, (4,), targets, generators=[random], batch_norm=False, output_batch_norm=False, loss="mse"
    )
    trajectory, first = Trajectory(), model.parameters[0].copy()
    for epoch in range(epochs):
        model.parameters[0] = np.nan if nan and epoch == epochs - 1 else first * (1 + epoch / 3)
        trajectory.take(epoch, model)
    names = ("price", "size")[:targets]
    return run_of_numbers({"train": (true, true, features)}, names, model=model, trajectory=trajectory)


@pytest.mark.parametrize("inputs", [1, 2])
def test_what_is_fitted_is_what_the_network_says(inputs):
    run = fitted_run(inputs)
    found = not_none(fitted_values(run))
    assert found.values.shape == (7, *[len(axis) for axis in reversed(found.axes)], 1)
    mesh = np.stack(np.meshgrid(*found.axes), axis=-1).reshape(-1, inputs)
    expected = run.task.predicted(run.model.predict_logits(mesh)[0])
    np.testing.assert_allclose(found.values[-1].reshape(-1, 1), expected, rtol=1e-4, atol=1e-5)
    said = run.task.predicted(run.model.predict_logits(run.training.features)[0])
    assert found.errors[-1, 0] == pytest.approx(root_mean_squared_error(run.training.labels, said), rel=1e-5)


@pytest.mark.parametrize("targets", [1, 2])
def test_a_curve_and_a_surface_are_drawn_at_some_epochs(targets):
    curve = FittedCurve().draw(fitted_run(1, targets))
    panels = 6 if targets == 1 else 2 * 3
    assert len([label for label in curves(curve) if label.startswith("predicted ")]) == panels
    assert says(curve, "after epoch 6, the rmse on 60 training rows is")
    surface = FittedSurface().draw(fitted_run(2, targets))
    assert len([label for label in images(surface) if label.startswith("predicted ")]) == panels
    assert outside(curve) == outside(surface) == []
    assert not FittedCurve().applies(fitted_run(2))
    assert not FittedSurface().applies(fitted_run(1))


@pytest.mark.parametrize("inputs", [1, 2])
def test_the_fit_is_animated(inputs, tmp_path):
    animation = FitAnimation().draw(fitted_run(inputs, epochs=12))
    not_none(animation).save(tmp_path / "fit.gif")
    with Image.open(tmp_path / "fit.gif") as picture:
        assert getattr(picture, "n_frames", 1) == 12
        first = np.asarray(picture.convert("RGB"))
        picture.seek(11)
        assert (np.asarray(picture.convert("RGB")) != first).any()


@pytest.mark.parametrize("inputs", [1, 2])
def test_a_fit_that_is_not_finite_says_so(inputs):
    run = fitted_run(inputs, nan=True)
    picture = (FittedCurve if inputs == 1 else FittedSurface)().draw(run)
    assert says(picture, "epoch 6: not finite")
    assert FitAnimation().draw(run)


def test_of_three_features_no_fit_is_drawn():
    assert fitted_values(fitted_run(3)) is None
    assert not FitAnimation().applies(fitted_run(3))
