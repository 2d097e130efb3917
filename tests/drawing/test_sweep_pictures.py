from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.patches import Rectangle
from tests.narrowing import not_none, of_type

from micrograde.drawing import (
    Curves,
    Swept,
    draw_heat_map,
    draw_metric_by_parameter,
    draw_metric_by_seed,
    draw_parallel_coordinates,
    draw_sweep,
    draw_sweep_curves,
    save_figure,
)
from micrograde.drawing.sweep import curves, parallel_coordinates

ACCURACY: dict[str, Any] = {"metric": "val/accuracy", "lower_is_better": False, "title": "a sweep"}
RATES = Swept("optimizer.learning_rate", [0.1, 0.1, 1.0, 1.0, 10.0])
VALUES = [0.5, 0.7, 0.9, 0.7, np.nan]


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def offsets(collection):
    return np.asarray(collection.get_offsets())


def lines(axes):
    (collection,) = (each for each in axes.collections if isinstance(each, LineCollection))
    return collection


def test_means_and_spread_stand_at_each_value_and_failures_at_the_foot(tmp_path):
    figure = draw_metric_by_parameter([RATES], VALUES, best=2, **ACCURACY)
    (axes,) = figure.axes
    (errors,) = axes.containers[:1]
    assert isinstance(errors, ErrorbarContainer)
    means = errors.lines[0]
    np.testing.assert_allclose(np.asarray(means.get_xdata(), float), [-1, 0])  # by the logarithm
    np.testing.assert_allclose(np.asarray(means.get_ydata(), float), [0.6, 0.8])
    (bars,) = errors.lines[2]
    np.testing.assert_allclose(np.ptp(bars.get_segments()[0][:, 1]), 2 * np.std([0.5, 0.7], ddof=1))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "1", "10"]
    assert axes.get_title() == "best mean 0.8 at 1"
    dots, crosses, ring = (each for each in axes.collections if isinstance(each, PathCollection))
    np.testing.assert_allclose(offsets(dots)[:, 1], [0.5, 0.7, 0.9, 0.7])
    np.testing.assert_allclose(offsets(crosses)[:, 0], [1])
    np.testing.assert_allclose(offsets(ring), [[0, 0.9]])
    assert "crosses: 1 without a result" in figure.get_suptitle()
    save_figure(figure, tmp_path / "figure.png")


def test_low_is_best_of_a_loss():
    figure = draw_metric_by_parameter([RATES], VALUES, metric="val/loss", lower_is_better=True, title="")
    assert figure.axes[0].get_title() == "best mean 0.6 at 0.1"


def test_a_panel_a_parameter_and_of_many_the_first():
    figure = draw_metric_by_parameter([Swept(f"p{n}", RATES.values) for n in range(12)], VALUES, **ACCURACY)
    assert [axes.get_xlabel() for axes in figure.axes] == [f"p{n}" for n in range(9)]
    assert "(the first 9 of 12 parameters)" in figure.get_suptitle()


def test_seeds_stand_beside_each_other_with_the_mean_of_all():
    figure = draw_metric_by_seed(Swept("seed", [0, 1, 2, 3]), [0.5, 0.7, 0.9, np.nan], metric="x", title="t")
    assert figure.axes[0].get_title() == "mean 0.7000 ± 0.2000 over 3 runs"
    alone = draw_metric_by_seed(Swept("seed", [0]), [0.5], metric="x", title="t")
    assert alone.axes[0].get_title() == "0.5000"


def test_a_heat_map_has_means_and_what_has_no_result_is_empty(tmp_path):
    up = Swept("model.activation", ["relu", "relu", "relu", "tanh", "tanh"])
    figure = draw_heat_map(RATES, up, VALUES, **ACCURACY)
    axes = figure.axes[0]
    (image,) = axes.images
    np.testing.assert_allclose(
        of_type(np.ma.MaskedArray, image.get_array()).filled(np.nan),
        [[0.6, 0.9, np.nan], [np.nan, 0.7, np.nan]],
        rtol=1e-12,
    )
    assert sorted(text.get_text() for text in axes.texts) == ["0.6", "0.7", "0.9"]
    assert axes.get_title() == "best mean 0.9 at 1 and relu (1 run); grey: no result"
    (frame,) = axes.patches
    assert isinstance(frame, Rectangle)
    assert frame.get_xy() == (0.5, -0.5)
    save_figure(figure, tmp_path / "figure.png")


def test_a_large_map_has_no_numbers():
    x, y = (grid.ravel().tolist() for grid in np.meshgrid(np.arange(12), np.arange(11)))
    figure = draw_heat_map(Swept("x", x), Swept("y", y), np.arange(132) / 132, **ACCURACY)
    assert list(figure.axes[0].texts) == []
    assert not_none(figure.axes[0].images[0].get_array()).shape == (11, 12)


def test_parameters_drawn_at_random_give_dots_the_best_last():
    rng = np.random.default_rng(0)
    x, y, values = rng.random((3, 50))
    values[7] = np.nan
    figure = draw_heat_map(Swept("x", x.tolist()), Swept("y", y.tolist()), values, **ACCURACY)
    axes = figure.axes[0]
    assert not axes.images
    crosses, dots, _ = axes.collections
    np.testing.assert_allclose(offsets(crosses), [[x[7], y[7]]])
    assert len(offsets(dots)) == 49
    best = int(np.nanargmax(values))
    np.testing.assert_allclose(offsets(dots)[-1], [x[best], y[best]])


def test_parallel_coordinates_end_at_the_metric(tmp_path):
    words = Swept("model.activation", ["relu", "relu", "tanh", "tanh", "relu"])
    seeds = Swept("training.batch_size", [8, 16, 8, None, 16])
    figure = draw_parallel_coordinates([RATES, words, seeds], VALUES, **ACCURACY)
    drawn = np.array([path.vertices for path in lines(figure.axes[0]).get_paths() if len(path.vertices) == 4])
    drawn = drawn[~np.isnan(drawn[:, -1, 1])]  # the run without a result ends before the metric
    assert sorted(drawn[:, -1, 1]) == pytest.approx([0, 0.5, 0.5, 1])
    assert drawn[-1, -1, 1] == 1  # the best is drawn last
    np.testing.assert_allclose(drawn[-1, :3, 1], [0.5, 1, 0])
    assert "grey: no result" in figure.get_suptitle()
    for label in ("0.1", "10", "relu", "null", "0.9"):
        assert label in texts(figure)
    save_figure(figure, tmp_path / "figure.png")


def test_too_many_lines_are_a_sample_with_the_best_and_the_worst(monkeypatch):
    monkeypatch.setattr(parallel_coordinates, "LINES", 10)
    parameters = [Swept(name, list(range(100))) for name in "abc"]
    figure = draw_parallel_coordinates(parameters, np.arange(100) / 100, **ACCURACY)
    ends = [path.vertices[0, 1] for path in lines(figure.axes[0]).get_paths()]
    assert (len(ends), min(ends), max(ends)) == (10, 0, 1)
    assert "10 of 100 runs" in figure.get_suptitle()


def test_curves_of_all_runs(tmp_path):
    values = np.array(
        [[0.1, 0.2, 0.3], [0.2, np.nan, np.nan], [0.3, 0.4, np.inf], [0.1, 0.1, 0.2], [0, 0, 0]]
    )
    curves = Curves("val/accuracy", np.arange(1, 4), values)
    figure = draw_sweep_curves([curves], title="t", colour_by=RATES, best=0)
    axes = figure.axes[0]
    assert len(lines(axes).get_paths()) == 5
    (best,) = axes.get_lines()
    np.testing.assert_array_equal(best.get_ydata(), values[0])
    colours = lines(axes).get_colors()
    assert (colours[0] == colours[1]).all()
    assert (colours[2] == colours[3]).all()
    assert (colours[0] != colours[2]).any()
    (key,) = figure.legends
    assert [text.get_text() for text in key.get_texts()] == ["0.1", "1", "10"]
    save_figure(figure, tmp_path / "figure.png")


def test_of_many_curves_a_sample_and_quantiles_of_all(monkeypatch):
    monkeypatch.setattr(curves, "LINES", 10)
    values = np.arange(101.0)[:, None] * [1.0, 2.0]
    figure = draw_sweep_curves([Curves("x/y", np.arange(2), values)], title="t")
    (axes,) = figure.axes
    assert len(lines(axes).get_paths()) == 10
    assert "10 of 101 runs" in figure.get_suptitle()
    quantiles = [np.asarray(line.get_ydata())[0] for line in axes.get_lines()]
    assert quantiles == [5, 25, 50, 75, 95]


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("value", [1.0, np.nan, np.inf])
def test_curves_with_little_in_them_are_drawn(epochs, value, tmp_path):
    curves = Curves("train/loss", np.arange(1, epochs + 1), np.full((2, epochs), value))
    figure = draw_sweep_curves([curves, curves], title="t", best=0)
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert ("no value" in [text.get_text() for text in axes.texts]) == (not np.isfinite(value))
        (runs,) = axes.collections
        drawn = [path.vertices for path in runs.get_paths()] if epochs > 1 else offsets(runs)[:, None]
        (best,) = axes.get_lines()
        assert len(drawn) == 2  # a line or, of a single epoch, a dot for each run
        if np.isfinite(value):
            for points in (*drawn, best.get_xydata()):
                np.testing.assert_array_equal(points, [[epoch, 1.0] for epoch in range(1, epochs + 1)])
        low, high = axes.get_xlim()
        assert low < 1 <= epochs < high or not np.isfinite(value)
    save_figure(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_of_runs_that_are_equally_good_the_first_has_the_ring():
    from matplotlib.collections import PathCollection

    random = np.random.default_rng(0)
    across, up = (Swept(name, random.uniform(size=30).tolist()) for name in ("a", "b"))
    for lower in (True, False):
        figure = draw_heat_map(across, up, np.full(30, 0.5), metric="m", lower_is_better=lower, title="t")
        *_, ring = (each for each in figure.axes[0].collections if isinstance(each, PathCollection))
        np.testing.assert_allclose(offsets(ring), np.array([[across.values[0], up.values[0]]], float))
        assert "crosses" not in figure.axes[0].get_title()


def test_losses_spread_over_decades_have_a_logarithmic_axis():
    values = np.array([[1.0, 0.001], [1.0, 1.0]])
    for metric, scale in (("train/loss", "log"), ("val/accuracy", "linear")):
        figure = draw_sweep_curves([Curves(metric, np.arange(2), values)], title="t")
        assert figure.axes[0].get_yscale() == scale


def sweep(**parameters):
    runs = pd.DataFrame({**parameters, "status": "FINISHED"})
    runs["run_id"] = [f"r{row}" for row in range(len(runs))]
    runs["val/accuracy"] = np.linspace(0.9, 0.5, len(runs))
    history = pd.DataFrame({"run_id": pd.Categorical(runs["run_id"].repeat(2))})
    history["metric"] = pd.Categorical(["val/accuracy"] * len(history))
    history["step"] = [1, 2] * len(runs)
    history["value"] = np.arange(float(len(history)))
    return runs, history


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"seed": [0, 1]}, ["by_seed"]),
        ({"a": [0, 1], "seed": [0, 1]}, ["by_parameter"]),
        ({"a": [0, 1], "b": [0, 1], "seed": [0, 1]}, ["by_parameter", "heat_map"]),
        ({"a": [0, 1], "b": [0, 1], "c": ["x", "y"]}, ["by_parameter", "parallel_coordinates"]),
        ({"a": [0], "b": [0], "c": ["x"]}, ["by_parameter", "parallel_coordinates"]),
        ({"seed": [0]}, ["by_seed"]),
    ],
)
def test_what_varies_decides_the_pictures(parameters, names, tmp_path):
    runs, history = sweep(**parameters)
    by = [name for name in parameters if name != "seed"]
    how: dict[str, Any] = {"drawn": ("train/loss", "val/accuracy"), "lower_is_better": False}
    how["metric"] = "val/accuracy"
    pictures = draw_sweep(runs, history, by, seed="seed" if "seed" in parameters else None, **how)
    assert [picture.name for picture in pictures] == [*names, "learning_curves"]
    (axes, *_) = pictures[-1].figure.axes
    np.testing.assert_array_equal(axes.get_lines()[-1].get_ydata(), [0, 1])  # the best is the first run
    for picture in pictures:
        save_figure(picture.figure, tmp_path / f"{picture.name}.png")


def test_names_are_no_formulas_and_a_sign_the_font_lacks_is_no_warning(tmp_path, recwarn):
    hostile = r"$\frac$ 学習"
    swept = Swept(hostile, [hostile, "b"])
    values = [0.5, 0.6]
    rule: dict[str, Any] = {"metric": hostile, "lower_is_better": False, "title": hostile}
    curves = Curves(hostile, np.arange(2), np.ones((2, 2)))
    for figure in (
        draw_metric_by_parameter([swept], values, **rule),
        draw_metric_by_seed(swept, values, metric=hostile, title=hostile),
        draw_heat_map(swept, Swept("b", [1, 2]), values, **rule),
        draw_parallel_coordinates([swept] * 3, values, **rule),
        draw_sweep_curves([curves], title=hostile, colour_by=swept),
    ):
        save_figure(figure, tmp_path / "figure.png")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
