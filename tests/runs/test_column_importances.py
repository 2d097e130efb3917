"""What each column does is a file of a run, and can be loaded as a frame."""

import numpy as np
import pandas as pd
import pytest
from tests.recipes import with_keys

import micrograde as mg
import micrograde.runs.train as train_module
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.diagnostics import Estimates, Importances
from micrograde.runs.column_importances import FILE, read_importances, write_importances
from micrograde.tracking.run_recorder import NullRecorder

NUMBERS = [f"{name}{end}" for name in ("accuracy_drop", "loss_rise") for end in ("", "_low", "_high")]


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))


def table(rows=200):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"NA": random.normal(size=rows), "noise": random.normal(size=rows), "one": 1})
    frame["colour"] = random.choice(["red", "green", "blue"], rows)
    frame["kind"] = np.where((frame["NA"] > 0) ^ (frame["colour"] == "red"), "yes", "no")
    return frame


def test_a_run_by_itself_says_what_its_columns_do():
    run = mg.run(table(), target="kind", validation_fraction=0.3, num_epochs=30)
    found = mg.load_importances("latest")
    pd.testing.assert_frame_equal(found, run.importances)
    assert list(found) == ["column", *NUMBERS, "part", "rows"]
    assert sorted(found["column"]) == ["NA", "colour", "noise"]  # not the column that is left out
    assert found["column"].iloc[-1] == "noise"
    assert (found["part"] == "val").all()
    assert (found["rows"] == 60).all()
    assert (found["accuracy_drop_low"].iloc[:2] > 0.1).all()
    assert found["accuracy_drop"].is_monotonic_decreasing
    for name in ("accuracy_drop", "loss_rise"):
        assert found[name].between(found[f"{name}_low"], found[f"{name}_high"]).all()
    assert {"importances", "partial_dependence"} <= set(run.figures)


@pytest.fixture
def left_by(tmp_path, monkeypatch):
    """Train a recipe of a run by itself, and return its result and the folder of its files."""

    def train(**changes):
        folder = tmp_path / f"run {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        monkeypatch.setattr(NullRecorder, "run_folder", lambda *_: folder)
        monkeypatch.setattr(train_module, "open_recorder", lambda *_: NullRecorder())
        container = {
            "data": {"name": "moons", "samples": 90},
            "model": {"hidden_size": 4},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": {"num_epochs": 2},
            "tracking": {"name": "local", "pictures": "all"},
            "recipe_version": RECIPE_VERSION,
        }
        (result,) = train_module.train_and_record([parse_train_config(with_keys(container, changes))])
        assert result.status == "FINISHED"
        return result, folder

    return train


def test_it_changes_nothing_else_and_comes_out_the_same_again(left_by):
    (one, first), (_, again), (other, without) = (
        left_by(**{"tracking.pictures": pictures}) for pictures in ("all", "all", "light")
    )
    assert (first / FILE).read_bytes() == (again / FILE).read_bytes()
    assert (one.history, one.last_metrics()) == (other.history, other.last_metrics())
    assert not (without / FILE).exists()
    assert not (without / "figures" / "importances.svg").exists()


def test_without_a_validation_part_it_is_measured_on_the_training_part(left_by):
    _, folder = left_by(**{"data.validation_fraction": 0.0, "data.test_fraction": 0.2})
    found = read_importances(folder / FILE)
    assert found["part"].tolist() == ["train", "train"]
    assert found["rows"].tolist() == [72, 72]
    assert "72 training rows (there is no" in (folder / "figures" / "importances.svg").read_text()


@pytest.mark.parametrize("changes", [{"data": {"name": "digits"}}, {"recipe_version": 2}])
def test_images_and_earlier_recipes_have_none(left_by, changes):
    result, folder = left_by(**changes)
    assert not (folder / FILE).exists()
    assert FILE not in "".join(result.warnings)
    assert not list(folder.glob("figures/*importances*"))


def test_many_columns_are_left_out_in_a_line(left_by, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "wide.npz", features=random.normal(size=(60, 101)), labels=np.arange(60) % 2)
    result, folder = left_by(data={"name": "npz", "path": str(tmp_path / "wide.npz")})
    assert [line for line in result.warnings if FILE in line] == [
        f"{FILE}: left out, because the data have 101 columns, and importances are measured of 100 at most"
    ]
    assert not (folder / FILE).exists()


def test_a_run_without_importances_says_so():
    run = mg.run("data=moons", "training.num_epochs=1", "tracking=disabled")
    with pytest.raises(InputError, match=f"run of no store: has no {FILE}"):
        mg.load_importances(run)


def test_any_name_and_number_is_read_as_it_was_written(tmp_path):
    names = ("", "NA", "1", 'a "b", c', "two\nlines\r\n", "=1+1", "ü", " spaces ")
    values = np.array([0.1, 1 / 3, -1e-300, np.nan, np.inf, 1e308, 0.0, 5.0])
    estimates = Estimates(values, values - 1, values + 1)
    places = (slice(0, 1),) * len(names)
    write_importances(
        tmp_path, Importances("val", 7, 9, "accuracy", 0.5, 0.5, names, places, estimates, estimates)
    )
    found = read_importances(tmp_path / FILE)
    assert tuple(found["column"]) == names
    np.testing.assert_array_equal(found[NUMBERS[:3]].to_numpy().T, [values, values - 1, values + 1])
    np.testing.assert_array_equal(found[NUMBERS[3:]].to_numpy().T, [values, values - 1, values + 1])


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"PAR1\x00\xff",
        b"a,b\n1,2\n",
        b"{header}\nx,1\n",
        b"{header}\nx,0,0,0,0,0,0,val,1.5\n",
        b"{header}\nx,no,0,0,0,0,0,val,1\n",
        b"{header}\n" + b"x,0,0,0,0,0,0,val,1\n" * 101,
        b'{header}\n"' + b"x" * 200_000,
    ],
)
def test_a_file_that_is_none_is_one_line(damaged, tmp_path):
    header = ",".join(["column", *NUMBERS, "part", "rows"]).encode()
    (tmp_path / FILE).write_bytes(damaged.replace(b"{header}", header))
    with pytest.raises(InputError, match=f"^{FILE}: cannot be read"):
        read_importances(tmp_path / FILE)
