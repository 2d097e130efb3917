import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.drawing.reading import (
    crosses,
    curves,
    drawn,
    images,
    levels,
    outside,
    overlapping,
    points,
    says,
    texts,
)
from tests.security.test_hostile_names import HOSTILE, check_svg

from micrograde.drawing import (
    Curves,
    Svg,
    Swept,
    draw_heat_map,
    draw_metric_by_parameter,
    draw_metric_by_seed,
    draw_parallel_coordinates,
    draw_sweep,
    draw_sweep_curves,
)
from micrograde.drawing.style import PALE_INK, TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.sweep import curves as sweep_curves
from micrograde.drawing.sweep import parallel_coordinates
from micrograde.drawing.sweep.mean_curves import Setting, draw_mean_curves

ACCURACY: dict[str, Any] = {"metric": "val/accuracy", "lower_is_better": False, "title": "a sweep"}
RATES = Swept("optimizer.learning_rate", [0.1, 0.1, 1.0, 1.0, 10.0])
VALUES = [0.5, 0.7, 0.9, 0.7, np.nan]


def ring(picture: Svg) -> tuple[float, float]:
    (found,) = (each for each in drawn(picture, "circle") if each.get("fill") == "none")
    return float(found.attrib["cx"]), float(found.attrib["cy"])


def across_of(picture: Svg, text: str) -> float:
    """Where a label stands, from the left."""
    middle = (each for each in drawn(picture, "text") if each.attrib["text-anchor"] == "middle")
    (found,) = (each for each in middle if each.text == text)
    return float(found.attrib["x"])


def test_means_and_spread_stand_at_each_value_and_failures_at_the_foot():
    picture = draw_metric_by_parameter([RATES], VALUES, best=2, **ACCURACY)
    first, second, third = (across_of(picture, text) for text in ("0.1", "1", "10"))
    assert second - first == pytest.approx(third - second, abs=0.2)  # by the logarithm
    dots = points(picture, TRAIN_COLOUR)
    np.testing.assert_allclose(dots[:, 0], [first, first, second, second], atol=0.1)
    np.testing.assert_allclose(levels(picture, *dots[:, 1]), VALUES[:4], atol=2e-3)
    (means,) = curves(picture)["mean"]
    np.testing.assert_allclose(means[:, 0], [first, second], atol=0.1)
    np.testing.assert_allclose(levels(picture, *means[:, 1]), [0.6, 0.8], atol=2e-3)
    upright = [each.attrib["d"] for each in drawn(picture, "path") if each.get("stroke-width") == "1.5"]
    (bar,) = (path for path in upright if path.startswith(f"M{first:.1f} ") and f"L{first:.1f} " in path)
    ends = [float(end.split()[1]) for end in bar.removeprefix("M").split("L")]
    deviation = np.std([0.5, 0.7], ddof=1)
    np.testing.assert_allclose(levels(picture, *ends), [0.6 - deviation, 0.6 + deviation], atol=2e-3)
    ((x, y),) = crosses(picture, VALIDATION_COLOUR)
    assert x + 4 == pytest.approx(third, abs=0.1)
    assert y > dots[:, 1].max()
    assert ring(picture) == pytest.approx(tuple(dots[2]), abs=0.1)
    assert "best mean 0.8 at 1" in texts(picture)
    assert says(picture, "crosses: 1 without a result")


def test_low_is_best_of_a_loss():
    picture = draw_metric_by_parameter([RATES], VALUES, metric="val/loss", lower_is_better=True, title="")
    assert "best mean 0.6 at 0.1" in texts(picture)


def test_a_panel_a_parameter_and_of_many_the_first():
    picture = draw_metric_by_parameter([Swept(f"p{n}", RATES.values) for n in range(12)], VALUES, **ACCURACY)
    assert [text for text in texts(picture) if text.startswith("p")] == [f"p{n}" for n in range(9)]
    assert says(picture, "(the first 9 of 12 parameters)")


def test_a_deviation_without_a_logarithm_goes_down_to_the_axis():
    values = [1e-4, 10.0, 1.0, 1.0]
    swept = Swept("a", [1, 1, 2, 2])
    picture = draw_metric_by_parameter([swept], values, metric="val/loss", lower_is_better=True, title="t")
    assert outside(picture) == []
    assert "nan" not in picture.text
    (means,) = curves(picture)["mean"]
    dots = points(picture, TRAIN_COLOUR)
    assert dots[0, 1] > dots[2, 1] == dots[3, 1] > means[0, 1] > dots[1, 1]


def test_seeds_stand_beside_each_other_with_the_mean_of_all():
    seeds = Swept("seed", [0, 1, 2, 3])
    picture = draw_metric_by_seed(seeds, [0.5, 0.7, 0.9, np.nan], metric="x", title="t", best=2)
    assert "mean 0.7000 ± 0.2000 over 3 runs" in texts(picture)
    dots = points(picture, TRAIN_COLOUR)
    ((start, end),) = curves(picture)["mean"]
    assert start[1] == end[1] == pytest.approx(dots[1, 1], abs=0.1)
    (band,) = (each.attrib["d"] for each in drawn(picture, "path") if "fill-opacity" in each.attrib)
    corners = {float(corner.split()[1]) for corner in band.strip("MZ").split("L")}
    np.testing.assert_allclose(sorted(corners), sorted(dots[[0, 2], 1]), atol=0.1)
    assert "0.5000" in texts(draw_metric_by_seed(Swept("seed", [0]), [0.5], metric="x", title="t"))


def test_a_heat_map_has_means_and_what_has_no_result_is_grey():
    up = Swept("model.activation", ["relu", "relu", "relu", "tanh", "tanh"])
    picture = draw_heat_map(RATES, up, VALUES, **ACCURACY)
    colours = images(picture)["means"]
    assert colours.shape == (2, 3, 3)
    grey = (colours == [0xD9, 0xD9, 0xD9]).all(axis=2)
    np.testing.assert_array_equal(grey, [[True, False, True], [False, False, True]])  # the last row is relu
    assert colours[1, 1].tolist() == [0xFD, 0xE7, 0x25]  # the best is the brightest
    assert colours[1, 0].tolist() == [0x44, 0x01, 0x54]
    assert {"0.6", "0.7", "0.9"} <= set(texts(picture))
    assert says(picture, "best mean 0.9 at 1 and relu (1 run); grey: no result")
    assert {"2", "1"} <= set(texts(picture))  # the runs of a cell, where they differ
    (frame,) = (each for each in drawn(picture, "rect") if each.get("stroke") == VALIDATION_COLOUR)
    left, wide = float(frame.attrib["x"]), float(frame.attrib["width"])
    assert left + wide / 2 == pytest.approx(across_of(picture, "0.9"), abs=0.1)


def test_a_heat_map_of_a_loss_is_bright_where_it_is_low():
    up = Swept("b", [1, 2, 1, 2])
    picture = draw_heat_map(
        Swept("a", [1, 1, 2, 2]), up, [1, 2, 3, 4], metric="m", lower_is_better=True, title=""
    )
    assert images(picture)["means"][1, 0].tolist() == [0xFD, 0xE7, 0x25]
    assert says(picture, "best mean 1 at 1 and 1 (1 run)")
    assert not says(picture, "below each mean")


def test_a_large_map_has_no_numbers():
    x, y = (grid.ravel().tolist() for grid in np.meshgrid(np.arange(12), np.arange(11)))
    picture = draw_heat_map(Swept("x", x), Swept("y", y), np.arange(132) / 132, **ACCURACY)
    assert images(picture)["means"].shape == (11, 12, 3)
    assert len(texts(picture)) < 50


def test_parameters_drawn_at_random_give_dots_the_best_last():
    rng = np.random.default_rng(0)
    x, y, values = rng.random((3, 50))
    values[7] = np.nan
    picture = draw_heat_map(Swept("x", x.tolist()), Swept("y", y.tolist()), values, **ACCURACY)
    assert "means" not in images(picture)
    assert len(crosses(picture, PALE_INK)) == 1
    dots = [each for each in drawn(picture, "path") if each.get("d", "").endswith("h0")]
    assert len(dots) == 49
    place = tuple(float(each) for each in dots[-1].attrib["d"].strip("Mh0").split())
    assert ring(picture) == pytest.approx(place, abs=0.2)


def test_of_runs_that_are_equally_good_the_first_has_the_ring():
    random = np.random.default_rng(0)
    across, up = (Swept(name, random.uniform(size=30).tolist()) for name in ("a", "b"))
    order = np.argsort(np.array(across.values, float))
    for lower in (True, False):
        picture = draw_heat_map(across, up, np.full(30, 0.5), metric="m", lower_is_better=lower, title="t")
        dots = [each.attrib["d"] for each in drawn(picture, "path") if each.get("d", "").endswith("h0")]
        places = sorted(float(path.strip("M").split()[0]) for path in dots)
        assert ring(picture)[0] == pytest.approx(places[order.tolist().index(0)], abs=0.1)
        assert not says(picture, "crosses")


def lines(picture: Svg) -> list[Any]:
    """All pieces of the lines of a picture of parallel coordinates, in the order in which they are drawn."""
    paths = [each.attrib["d"] for each in drawn(picture, "path") if each.get("stroke-opacity") == "0.8"]
    pieces = [piece for path in paths for piece in path.split("M") if piece]
    return [np.array([point.split() for point in piece.split("L")], float) for piece in pieces]


def test_parallel_coordinates_end_at_the_metric():
    words = Swept("model.activation", ["relu", "relu", "tanh", "tanh", "relu"])
    sizes = Swept("training.batch_size", [8, 16, 8, None, 16])
    picture = draw_parallel_coordinates([RATES, words, sizes], VALUES, **ACCURACY)
    drawn_lines = lines(picture)
    assert sorted(map(len, drawn_lines)) == [3, 4, 4, 4, 4]  # the run without a result ends before the metric
    assert len(drawn_lines[0]) == 3
    whole = np.array([each for each in drawn_lines if len(each) == 4])
    foot, head = whole[:, -1, 1].max(), whole[:, -1, 1].min()
    shares = (foot - whole[..., 1]) / (foot - head)
    assert sorted(shares[:, -1]) == pytest.approx([0, 0.5, 0.5, 1], abs=1e-2)
    np.testing.assert_allclose(shares[-1], [0.5, 1, 0, 1], atol=1e-2)  # the best is drawn last
    assert says(picture, "grey: no result")
    for label in ("0.1", "10", "relu", "null", "0.9"):
        assert label in texts(picture)


def test_too_many_lines_are_a_sample_with_the_best_and_the_worst(monkeypatch):
    monkeypatch.setattr(parallel_coordinates, "LINES", 10)
    parameters = [Swept(name, list(range(100))) for name in "abc"]
    picture = draw_parallel_coordinates(parameters, np.arange(100) / 100, **ACCURACY)
    found = lines(picture)
    axes = [each.attrib["d"] for each in drawn(picture, "path") if each.get("stroke") == PALE_INK]
    low, high = (float(end.split()[1]) for end in axes[0].removeprefix("M").split("L"))
    assert len(found) == 10
    starts = [each[0, 1] for each in found]
    assert (max(starts), min(starts)) == pytest.approx((low, high), abs=0.1)
    assert says(picture, "10 of 100 runs")


def test_curves_of_all_runs():
    values = np.array(
        [[0.1, 0.2, 0.3], [0.2, np.nan, np.nan], [0.3, 0.4, np.inf], [0.1, 0.1, 0.2], [0, 0, 0]]
    )
    picture = draw_sweep_curves(
        [Curves("val/accuracy", np.arange(1, 4), values)], title="t", colour_by=RATES, best=0
    )
    found = curves(picture)
    (best,) = found["val/accuracy of the best run"]
    np.testing.assert_allclose(levels(picture, *best[:, 1]), values[0], atol=2e-3)
    several = [path for path in drawn(picture, "path") if path.get("stroke-opacity") == "0.8"]
    assert len({path.attrib["stroke"] for path in several}) == len(several) == 3  # one for each rate
    assert sum(path.attrib["d"].count("M") for path in several) == 4  # a run of a single epoch is a dot
    assert len(points(picture, several[0].attrib["stroke"])) == 1
    key = [text for text in texts(picture) if text in ("optimizer.learning_rate", "0.1", "1", "10")]
    assert key[-4:] == ["optimizer.learning_rate", "0.1", "1", "10"]


def test_of_many_curves_a_sample_and_quantiles_of_all(monkeypatch):
    monkeypatch.setattr(sweep_curves, "LINES", 10)
    values = np.arange(101.0)[:, None] * [1.0, 2.0]
    picture = draw_sweep_curves([Curves("x/y", np.arange(2), values)], title="t")
    found = curves(picture)
    assert len(found["x/y of 10 runs"]) == 10
    assert says(picture, "10 of 101 runs")
    starts = [found[f"quantile {share}"][0][0, 1] for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
    np.testing.assert_allclose(levels(picture, *starts), [5, 25, 50, 75, 95], atol=0.5)


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("value", [1.0, np.nan, np.inf, 1e308])
def test_curves_with_little_in_them_are_drawn(epochs, value):
    panel = Curves("train/loss", np.arange(1, epochs + 1), np.full((2, epochs), value))
    picture = draw_sweep_curves([panel, panel], title="t", best=0)
    assert texts(picture).count("train/loss") == 2
    assert texts(picture).count("no value") == (0 if value == 1 else 2)
    if value == 1:
        found = [piece for label, pieces in curves(picture).items() if "2 runs" in label for piece in pieces]
        assert [len(piece) for piece in found] == ([3, 3] if epochs == 3 else [])
        assert len(points(picture, TRAIN_COLOUR)) == (4 if epochs == 1 else 0)
    assert not {"nan", "inf"} & set(picture.text.replace("=", " ").replace('"', " ").split())


def test_losses_spread_over_decades_have_a_logarithmic_axis():
    values = np.array([[1.0, 0.001], [1.0, 1.0]])
    for metric in ("train/loss", "val/accuracy"):
        picture = draw_sweep_curves([Curves(metric, np.arange(2), values)], title="t")
        assert ("10⁻³" in texts(picture)) == (metric == "train/loss")


def test_a_settings_curve_is_the_mean_of_its_runs_with_a_band_of_one_deviation():
    values = np.array([[1.0, 3.0, 9.0], [3.0, 5.0, np.nan], [2.0, 7.0, np.nan], [4.0, 4.0, 4.0]])
    settings = [
        Setting("a=1", np.array([0, 1, 2]), 0.75, 0.05),
        Setting("a=2", np.array([3]), 0.5, np.nan),
    ]
    panel = Curves("x/y", np.arange(1, 4), values)
    picture = draw_mean_curves([panel], settings, metric="val/accuracy", title="t")
    found = curves(picture)
    (mean,) = found["x/y: a=1"]
    np.testing.assert_allclose(levels(picture, *mean[:, 1]), [2, 5], atol=0.05)  # one run of three goes on
    (lone,) = found["x/y: a=2"]
    np.testing.assert_allclose(levels(picture, *lone[:, 1]), [4, 4, 4], atol=0.05)
    band = next(each for each in drawn(picture, "path") if "fill-opacity" in each.attrib)
    heights = [float(corner.split()[1]) for corner in band.attrib["d"].strip("MZ").split("L")]
    np.testing.assert_allclose(levels(picture, *heights), [3, 7, 3, 1], atol=0.05)
    assert "a=1 · 0.7500 ± 0.0500 (3 runs)" in texts(picture)
    assert "a=2 · 0.5000 (1 run)" in texts(picture)


def sweep(**parameters: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = pd.DataFrame({**parameters, "status": "FINISHED"})
    table["run_id"] = [f"r{row}" for row in range(len(table))]
    table["val/accuracy"] = np.linspace(0.9, 0.5, len(table))
    history = pd.DataFrame({"run_id": pd.Categorical(table["run_id"].repeat(2))})
    history["metric"] = pd.Categorical(["val/accuracy"] * len(history))
    history["step"] = [1, 2] * len(table)
    history["value"] = np.arange(float(len(history)))
    return table, history


def pictures_of(parameters: dict[str, Any]) -> dict[str, Svg]:
    runs, history = sweep(**parameters)
    by = [name for name in parameters if name != "seed"]
    how: dict[str, Any] = {"drawn": ("train/loss", "val/accuracy"), "lower_is_better": False}
    how["metric"] = "val/accuracy"
    found = draw_sweep(runs, history, by, seed="seed" if "seed" in parameters else None, **how)
    return {picture.name: picture.figure for picture in found}


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"seed": [0, 1]}, ["by_seed"]),
        ({"a": [0, 1], "seed": [0, 1]}, ["by_parameter", "mean_curves"]),
        ({"a": [0, 1], "b": [0, 1], "seed": [0, 1]}, ["by_parameter", "heat_map", "mean_curves"]),
        ({"a": [0, 1], "b": [0, 1], "c": ["x", "y"]}, ["by_parameter", "parallel_coordinates"]),
        ({"a": [0], "b": [0], "c": ["x"]}, ["by_parameter", "parallel_coordinates"]),
        ({"seed": [0]}, ["by_seed"]),
    ],
)
def test_what_varies_decides_the_pictures(parameters, names):
    pictures = pictures_of(parameters)
    assert list(pictures) == [*names, "learning_curves"]
    (best,) = curves(pictures["learning_curves"])["val/accuracy of the best run"]
    np.testing.assert_allclose(levels(pictures["learning_curves"], *best[:, 1]), [0, 1], atol=0.02)


def grid(**values: Any) -> dict[str, list[Any]]:
    rows = list(itertools.product(*values.values()))
    return {name: [row[place] for row in rows] for place, name in enumerate(values)}


LONG = "a_very_long_name_of_a_thing_that_is_swept_which_goes_on"


@pytest.mark.parametrize(
    "parameters",
    [
        grid(a=[0.01, 0.1, 1.0], seed=range(4)),
        grid(a=np.geomspace(1e-5, 10, 30).tolist(), seed=range(3)),
        grid(a=[f"{word} of many words" for word in "abcdefghijklmnopqrstuvwxyzäöüß"], seed=range(2)),
        grid(**{f"group.{LONG}": ["x" * 60, "y" * 60], f"other.{LONG}": [1, None], "c.d": [True, False]}),
        grid(a=range(12), b=[f"value {number}" for number in range(12)], seed=range(2)),
        grid(**{f"parameter.number_{number}": [1, 2] for number in range(8)}),
        grid(a=[123456.789, 123456.79, 123456.8, 1.0], b=["学習" * 20, "b"], seed=[0, 1]),
        {"seed": range(300)},
        {"a": [1], "b": [2], "c": [3]},
        {f"{LONG}.x": np.random.default_rng(0).random(40).tolist(), "y": list(range(40))},
    ],
)
def test_texts_lie_within_the_picture_and_not_upon_each_other(parameters):
    for name, picture in pictures_of(parameters).items():
        assert outside(picture) == [], name
        assert overlapping(picture) == [], name


def test_a_thousand_runs_are_few_bytes():
    pictures = pictures_of(grid(a=np.geomspace(0.001, 1, 10).tolist(), b=[1, 2], c=[1, 2], seed=range(25)))
    assert len(pictures["by_parameter"].text) < 100_000
    assert len(pictures["parallel_coordinates"].text) < 100_000


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(name):
    swept = Swept(name, [name, "b"])
    values = [0.5, 0.6]
    rule: dict[str, Any] = {"metric": name, "lower_is_better": False, "title": name}
    panel = Curves(name, np.arange(2), np.ones((2, 2)))
    for picture in (
        draw_metric_by_parameter([swept], values, **rule),
        draw_metric_by_seed(swept, values, metric=name, title=name),
        draw_heat_map(swept, Swept("b", [1, 2]), values, **rule),
        draw_parallel_coordinates([swept] * 3, values, **rule),
        draw_sweep_curves([panel], title=name, colour_by=swept),
        draw_mean_curves([panel], [Setting(name, np.array([0, 1]), 0.5, 0.1)], metric=name, title=name),
    ):
        check_svg(picture.text)
