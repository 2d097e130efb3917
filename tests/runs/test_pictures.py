"""No picture makes a run fail: what cannot be drawn is left out, with a line; and hardly any number cannot."""

import numpy as np
import pytest
from tests.diagnostics.following import make_model, wander

from micrograde import drawing
from micrograde.config.parsing import parse_train_config
from micrograde.data import Dataset
from micrograde.drawing import left_out
from micrograde.runs import artifacts, pictures
from micrograde.runs.building import prepare_dataset
from micrograde.runs.train import train_and_record

ROWS = 60
CONTAINER = {
    "data": {"name": "moons", "samples": 60},
    "model": {"hidden_size": 3},
    "optimizer": {"name": "sgd"},
    "schedule": {"name": "constant"},
    "training": {"num_epochs": 2},
    "tracking": {"name": "local"},
}
LIGHT = ("learning_curves", "gradient_flow", "update_ratios", "confusion_matrix", "weight_images")
FILES = {"weight_images": "first_layer_weights"}


def data_of(features, **options):
    labels = np.arange(len(features)) % 2
    features = np.asarray(features, float)
    dataset = Dataset(
        "csv", features, labels, ("n", "y"), tuple(f"x{n}" for n in range(features.shape[1])), **options
    )
    return prepare_dataset(dataset, parse_train_config(CONTAINER).data, "float32")


def draw_all(folder, data, say=None):
    """All pictures of a network that wandered about on these data."""
    model = make_model((data.training.features.shape[1], 3, 2), dtype="float32")
    trajectory = wander(model, 3)
    history = {name: [0.5, 0.4] for name in ("train/loss", "val/loss", "train/accuracy", "val/accuracy")}
    history |= {f"{kind}/layer{n}{end}": [0.1, 0.1] for n in (1, 2) for kind, end in
                (("gradient_norm", ".weights"), ("update_ratio", ""))}  # fmt: skip
    pictures.write_light_pictures(folder, "title", history, model, data, np.eye(2, dtype=int), say)
    pictures.write_other_pictures(folder, "title", model, trajectory, data, 16, say)
    artifacts.write_graphs(folder, "title", model, data.training.first(16), say)
    artifacts.write_walkthrough(folder, "title", model, data.training.first(16), say)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def varied(size):
    return (np.arange(ROWS) % 5 + 1) * size


@pytest.mark.parametrize(
    "feature",
    [
        np.full(ROWS, 1e16), np.full(ROWS, -1e16), np.full(ROWS, 1e100), np.full(ROWS, 1e300), np.zeros(ROWS),
        np.full(ROWS, 1e-300), np.full(ROWS, 5e-324), varied(1e200), varied(-1e154), varied(1e307), varied(1e-200),
        varied(1e-310), 1e16 + varied(2.0), 1e300 + varied(1e290), np.where(np.arange(ROWS) % 3, 8e307, -8e307),
    ],
    ids=lambda values: f"{values[0]:g} to {values[1]:g}",
)  # fmt: skip
def test_numbers_of_any_size_are_drawn(tmp_path, feature):
    data = data_of(np.stack([feature, feature + np.arange(ROWS) % 7], axis=1))
    assert np.isfinite(data.training.features).all()
    assert np.isfinite([data.preprocessing.means, data.preprocessing.scales]).all()
    files = draw_all(tmp_path, data)
    assert {"decision_boundary.svg", "decision_boundary.gif", "loss_surface.svg", "walkthrough.html"} <= files


@pytest.mark.parametrize("size", [1e200, 1e155, 1e307, 1e-200, 1e-160])
def test_numbers_whose_squares_are_none_are_standardized_like_others(size):
    plain, other = (data_of(np.stack([varied(each), varied(1.0)], axis=1)) for each in (1.0, size))
    np.testing.assert_allclose(other.training.features, plain.training.features, rtol=1e-6)
    np.testing.assert_allclose(
        other.preprocessing.scales[0] / size, plain.preprocessing.scales[0], rtol=1e-12
    )


@pytest.mark.parametrize("broken", [f"draw_{name}" for name in LIGHT] + [
    "draw_histograms", "draw_loss_surface", "draw_decision_boundary", "animate_decision_boundary", "draw_network",
    "draw_graph", "draw_walkthrough",
])  # fmt: skip
def test_a_picture_that_cannot_be_drawn_is_left_out_alone(tmp_path, monkeypatch, broken):
    def fail(*_, **__):
        raise ValueError("math domain\nerror")

    data = data_of(np.random.default_rng(0).normal(size=(ROWS, 2)), image_shape=(1, 2))
    whole = draw_all(tmp_path / "whole", data)
    monkeypatch.setattr(drawing, broken, fail)
    with pytest.raises(ValueError, match="math domain"):
        draw_all(tmp_path / "strict", data)
    said = []
    files = draw_all(tmp_path / "some", data, said.append)
    missing = {name.rpartition("/")[2].partition(".")[0] for name in whole - files}
    name = broken.removeprefix("draw_").removeprefix("animate_")
    names = {"graph": "sample"} | FILES
    assert missing == {names.get(name, name)}
    (line,) = said
    assert line.endswith(" is left out: it could not be drawn (ValueError: math domain error)")
    assert names.get(name, name) in line


def test_errors_of_the_system_are_raised():
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)), left_out("a.svg", pytest.fail):
            raise error
    said = []
    with left_out("a.svg", said.append):
        raise OSError("cannot write mode F as PNG")  # Pillow's
    assert said == ["a.svg is left out: it could not be drawn (OSError: cannot write mode F as PNG)"]


def test_a_run_all_of_whose_pictures_break_finishes_and_says_so(home, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    for name in dir(drawing):
        if name.startswith(("draw_", "animate_")):
            monkeypatch.setattr(drawing, name, fail)
    (result,) = train_and_record([parse_train_config(CONTAINER)])
    assert (result.status, result.reason) == ("FINISHED", None)
    names = [line.partition(" is left out")[0] for line in result.warnings]
    assert {"figures/learning_curves.svg", "graph/network", "walkthrough.html"} <= set(names)
    assert all(line.endswith("(ZeroDivisionError)") for line in result.warnings)
