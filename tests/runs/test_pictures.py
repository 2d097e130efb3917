"""No picture makes a run fail: what cannot be drawn is left out, with a line; and hardly any number cannot."""

import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.diagnostics.following import make_model, wander

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import first_sentence
from micrograde.core.picture_formats import in_format
from micrograde.data import Dataset
from micrograde.diagnostics import FINDINGS, Finding, Measurements, measure_importances
from micrograde.drawing import PICTURES, RunContents, RunPicture, Svg, left_out
from micrograde.runs.building import prepare_dataset
from micrograde.runs.pictures import check_formats, write_pictures
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


def data_of(features, **options):
    labels = np.arange(len(features)) % 2
    features = np.asarray(features, float)
    dataset = Dataset(
        "csv", features, labels, ("n", "y"), tuple(f"x{n}" for n in range(features.shape[1])), **options
    )
    return prepare_dataset(dataset, parse_train_config(CONTAINER).data, "float32")


def draw_all(folder, data, say=None, wanted="auto"):
    """All pictures of a network that wandered about on these data."""
    model = make_model((data.training.features.shape[1], 3, 2), dtype="float32")
    trajectory = wander(model, 3)
    history = {name: [0.5, 0.4] for name in ("train/loss", "val/loss", "train/accuracy", "val/accuracy")}
    history |= {f"{kind}/layer{n}{end}": [0.1, 0.1] for n in (1, 2) for kind, end in
                (("gradient_norm", ".weights"), ("update_ratio", ""))}  # fmt: skip
    measured = Measurements(history, 2.4, 2, 0.5, model.activation)
    run = RunContents(
        "title", measured, model, trajectory, data.dataset, data.preprocessing, data.training, data.validation,
        data.test, np.eye(2, dtype=int), data.training.first(16), 16, data.task,
        {part: model.predict_logits(samples.features)[0] for part, samples in data.parts().items()}, data.rows,
        importances=measure_importances(
            model, data.training, data.preprocessing.columns(), task=data.task, seed=0, part="train"
        ),
    )  # fmt: skip
    for light in (True, False):
        write_pictures(folder, run, light=light, say=say, wanted=wanted)
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
    figures = {
        f"figures/{name}"
        for name in ("decision_boundary.svg", "decision_boundary.gif", "loss_surface.svg", "importances.svg")
    }
    assert {*figures, "walkthrough.html"} <= files


@pytest.mark.parametrize("size", [1e200, 1e155, 1e307, 1e-200, 1e-160])
def test_numbers_whose_squares_are_none_are_standardized_like_others(size):
    plain, other = (data_of(np.stack([varied(each), varied(1.0)], axis=1)) for each in (1.0, size))
    np.testing.assert_allclose(other.training.features, plain.training.features, rtol=1e-6)
    np.testing.assert_allclose(
        other.preprocessing.scales[0] / size, plain.preprocessing.scales[0], rtol=1e-12
    )


BEGINNINGS = {"svg": b"<", "png": b"\x89PNG\r\n", "pdf": b"%PDF-"}


@pytest.mark.parametrize("wanted", BEGINNINGS)
def test_every_picture_is_kept_in_the_format_that_is_asked_for(tmp_path, wanted):
    data = data_of(np.random.default_rng(0).normal(size=(ROWS, 2)), image_shape=(1, 2))
    drawn = {file for entry in PICTURES.values() if is_of_classes(entry) for file in entry.files}
    found = draw_all(tmp_path, data, wanted=wanted)
    assert found == {in_format(file, wanted) for file in drawn}
    assert {Path(file).suffix for file in found} == {".dot", ".gif", ".html", f".{wanted}"}
    for file in found:
        if file.endswith(wanted):
            assert (tmp_path / file).read_bytes().startswith(BEGINNINGS[wanted]), file


def test_a_format_whose_library_is_missing_is_a_line_before_training(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    for wanted in ("auto", "svg", "png", "pdf"):
        config = parse_train_config({**CONTAINER, "drawing": {"format": wanted}})
        unseen = parse_train_config(
            {**CONTAINER, "drawing": {"format": wanted}, "tracking": {"name": "disabled"}}
        )
        check_formats([unseen])
        if wanted in ("auto", "svg"):
            check_formats([config])
            continue
        with pytest.raises(InputError, match=rf"^drawing.format={wanted}: needs vl-convert-python.*pictures"):
            train_and_record([config])


def is_of_classes(entry):
    return entry.task in (None, "classification")


def fail(*_, **__):
    raise ValueError("math domain\nerror")


def test_a_picture_that_cannot_be_drawn_is_left_out_alone(tmp_path, monkeypatch):
    data = data_of(np.random.default_rng(0).normal(size=(ROWS, 2)), image_shape=(1, 2))
    whole = draw_all(tmp_path / "whole", data)
    entries = [entry for entry in PICTURES.values() if is_of_classes(entry)]
    assert whole == {file for entry in entries for file in entry.files}
    for entry in entries:
        with monkeypatch.context() as patched:
            patched.setattr(entry, "draw", fail)
            with pytest.raises(ValueError, match="math domain"):
                draw_all(tmp_path / "strict", data)
            said: list[str] = []
            assert whole - draw_all(tmp_path / entry.name, data, said.append) == set(entry.files)
            words = "is left out: it could not be drawn (ValueError: math domain error)"
            assert said == [f"{entry.path()} {words}"]


@contextmanager
def registered(registry, entry):
    """An entry that the registry has for a while."""
    registry.register(entry)
    try:
        yield entry
    finally:
        del registry._entries[entry.name]


class EpochsInWords(RunPicture):
    """How many epochs there were, in words."""

    name = "epochs_in_words"
    files = ("figures/epochs_in_words.svg",)
    light = True

    def applies(self, run):
        return run.measurements.config["data.name"] == "moons"

    def draw(self, run):
        return Svg(f"<svg>{run.title}: {len(run.history['train/loss'])} epochs, {len(run.test)} rows</svg>")


class FewRows(Finding):
    """There are fewer rows than parameters."""

    name = "few_rows"

    def sentences(self, measured):
        rows = measured.class_counts["training"].sum()
        if rows < measured.parameters and "test/loss" in measured.test:
            yield f"{measured.parameters} parameters and {rows} rows of {measured.features} features"


class Broken(Finding):
    """It always fails."""

    name = "broken"
    sentences = fail


def test_a_new_picture_and_a_new_finding_are_one_class_each(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    container = CONTAINER | {"tracking": {"name": "local", "pictures": "light"}, "model": {"hidden_size": 30}}
    with registered(PICTURES, EpochsInWords), registered(FINDINGS, FewRows), registered(FINDINGS, Broken):
        (result,) = train_and_record([parse_train_config(container)])
    assert result.status == "FINISHED"
    assert result.findings[-1].endswith(" rows of 2 features")
    assert result.warnings[-1].startswith("finding broken is left out: it could not be found (ValueError: ")
    (drawn,) = home.rglob("epochs_in_words.svg")
    assert re.fullmatch(r"<svg>.*: 2 epochs, \d+ rows</svg>", drawn.read_text())
    assert drawn.parent.name == "figures"
    assert not list(home.rglob("loss_surface.svg"))


def test_every_picture_and_finding_says_what_it_is():
    for entry in (*PICTURES.values(), *FINDINGS.values()):
        assert "__doc__" in vars(entry), entry
        assert first_sentence(entry).endswith("."), entry
    files = [file for entry in PICTURES.values() for file in entry.files]
    assert len(files) == len(set(files))
    assert len({entry.place for entry in FINDINGS.values()}) == len(FINDINGS)


def test_the_documentation_lists_every_picture():
    page = (Path(__file__).parents[2] / "docs" / "insight.md").read_text(encoding="utf-8")
    for entry in PICTURES.values():
        for file in entry.files:
            row = rf"^\| `{re.escape(file)}` \| {re.escape(first_sentence(entry))} \| {'light' * entry.light} ?\|$"
            assert re.search(row, page, re.MULTILINE), f"docs/insight.md, Pictures, lacks a line: {row}"


def test_errors_of_the_system_are_raised():
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)), left_out("a.svg", pytest.fail):
            raise error
    said: list[str] = []
    with left_out("a.svg", said.append):
        raise OSError("cannot write mode F as PNG")  # Pillow's
    assert said == ["a.svg is left out: it could not be drawn (OSError: cannot write mode F as PNG)"]


def test_a_run_all_of_whose_pictures_break_finishes_and_says_so(home, monkeypatch):
    def divide(*_):
        raise ZeroDivisionError

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    for entry in PICTURES.values():
        monkeypatch.setattr(entry, "draw", divide)
    (result,) = train_and_record([parse_train_config(CONTAINER)])
    assert (result.status, result.reason) == ("FINISHED", None)
    names = [line.partition(" is left out")[0] for line in result.warnings]
    assert {"figures/learning_curves.svg", "graph/network", "walkthrough.html"} <= set(names)
    assert all(line.endswith("(ZeroDivisionError)") for line in result.warnings)
