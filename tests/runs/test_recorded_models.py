"""A run's model, found by what somebody types, and nothing of it believed."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from micrograde.core.errors import InputError
from micrograde.models.trained_network import read_network
from micrograde.runs.recorded_models import find_model
from micrograde.store import tags
from micrograde.store.backends.local import LocalTracking

HERE = LocalTracking()


@pytest.fixture
def home(recorded, monkeypatch):
    """What is recorded, to be read only."""
    monkeypatch.setenv("MICROGRADE_HOME", str(recorded.home))
    return recorded


def refusal(run_id):
    with pytest.raises(InputError) as error:
        find_model(run_id, HERE)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_by_a_runs_id_or_its_beginning(home):
    for typed in (home.finished, home.finished[:6], home.finished[:20]):
        found = find_model(typed, HERE)
        assert found.run.about.run_id == home.finished
        assert (found.target, found.notes) == ("kind", ())
    expected = read_network(home.files(home.finished) / "model")
    np.testing.assert_array_equal(found.network.model.parameters, expected.model.parameters)
    assert found.network.columns == ("height", "leaf", "wild")


def test_one_that_was_stopped_is_said_to_be(home):
    found = find_model(home.killed, HERE)
    assert found.target is None  # trained on no table
    (note,) = found.notes
    assert "KILLED" in note


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("typed", ["abc", "", "g" * 32, "' or 1=1", "../../etc", "A" * 32, "0" * 33])
def test_what_is_no_run_id(typed):
    assert refusal(typed).startswith(f"run_id={typed}: is no run id")


def test_a_run_that_there_is_not(home):
    there = {home.finished[:6], home.killed[:6]}
    typed = next(f"{number:06x}" for number in range(9) if f"{number:06x}" not in there)
    assert refusal(typed).startswith(f"run_id={typed}: there is no such run in the store")


def test_latest_is_the_last_that_has_finished(records):
    assert find_model("latest", HERE).run.about.run_id == records.finished  # the other one began later
    records.set_status(records.killed, "FINISHED")
    assert find_model("latest", HERE).run.about.run_id == records.killed
    records.execute("update runs set status = 'FAILED'")
    assert refusal("latest").startswith("run_id=latest: no run has finished yet")


def make_sweep(records, run_id, **more):
    """Have the run be a sweep."""
    for key, value in {tags.SWEEP_DIGEST: "d", tags.SWEEP_VARIES: '["seed"]', **more}.items():
        records.tag(run_id, key, value)


def test_a_sweep_means_its_best_run(records):
    make_sweep(records, records.killed, **{tags.BEST_RUN_ID: records.finished})
    for typed in (records.killed, records.killed[:8]):
        assert find_model(typed, HERE).run.about.run_id == records.finished


def test_a_sweep_without_a_best_run_has_no_model(records):
    make_sweep(records, records.killed)
    assert (
        refusal(records.killed)
        == f"run_id={records.killed}: is a sweep that has no best run; none has finished"
    )


def test_a_sweeps_best_run_that_is_gone_is_named(records):
    gone = "0123456789" * 3 + "ab"
    make_sweep(records, records.killed, **{tags.BEST_RUN_ID: gone})
    assert gone in refusal(records.killed)
    records.tag(records.killed, tags.BEST_RUN_ID, "no id")
    assert refusal(records.killed)


@pytest.mark.parametrize("name", ["weights.safetensors", "preprocessing.json"])
def test_a_run_without_its_model_says_how_it_stands(records, name):
    path = records.files(records.finished) / "model" / name
    path.unlink()
    assert refusal(records.finished).endswith(": has left no model; the run is FINISHED")
    records.set_status(records.finished, "RUNNING")
    records.execute("delete from tags where key like 'micrograde.process%' or key = ?", tags.LAUNCH)
    assert refusal(records.finished).endswith(": has left no model; the run is going on")


def test_a_link_out_of_the_runs_files_is_not_followed(records, tmp_path):
    weights = records.files(records.finished) / "model" / "weights.safetensors"
    weights.rename(tmp_path / "elsewhere.safetensors")
    weights.symlink_to(tmp_path / "elsewhere.safetensors")
    assert "has left no model" in refusal(records.finished)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.update(class_names=[1, 2]),
        lambda state: state.update(class_names=["oak", "oak"]),
        lambda state: state.update(class_names=["oak", "fir", "elm"]),
        lambda state: state["encoding"].update(columns=["height", ["leaf"], "wild"]),
        lambda state: state["encoding"].update(categories=[None, None, None]),
        lambda state: state.update(means=[float("nan")] * len(state["means"])),
        lambda state: state.update(fill=[1.0]),
        lambda state: state.update(scales="x"),
        lambda state: state.clear(),
    ],
    ids=["numbers", "twice", "too many", "list", "too few", "nan", "fill", "text", "nothing"],
)
def test_a_preprocessing_that_is_not_ours_is_a_line(records, change):
    path = records.files(records.finished) / "model" / "preprocessing.json"
    state = json.loads(path.read_text())
    change(state)
    path.write_text(json.dumps(state))
    assert refusal(records.finished).startswith(
        f"run_id={records.finished}: its model/ holds no micrograde model ("
    )


@pytest.mark.parametrize("name", ["weights.safetensors", "preprocessing.json"])
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"[" * 10_000, (2**60).to_bytes(8, "little") + b"{}"])
def test_a_file_that_is_damaged_is_a_line(records, name, content):
    (records.files(records.finished) / "model" / name).write_bytes(content)
    line = refusal(records.finished)
    assert line.startswith(f"run_id={records.finished}: its model/ holds no micrograde model (")
    assert str(records.home) not in line


@pytest.mark.parametrize("array", ["layer2.biases", "batchnorm1.running_mean"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_a_line(records, array, value):
    path = records.files(records.finished) / "model" / "weights.safetensors"
    with safe_open(path, "numpy") as file:
        metadata, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert array in arrays
    arrays[array] = arrays[array] + np.float32(value)
    save_file(arrays, path, metadata)
    assert refusal(records.finished).endswith(": its weights are not all finite numbers; the run is FINISHED")


def test_what_mlflow_would_import_is_not_looked_at(records, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')")
    path = records.files(records.finished) / "model" / "MLmodel"
    path.write_text(
        path.read_text().replace("micrograde.serving", "evil") + "\n!!python/object/apply:os.abort []"
    )
    assert find_model(records.finished, HERE).target == "kind"
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("text", [None, "!!python/object/apply:os.system ['touch ran']", "seed: 1", "\0"])
def test_a_recipe_that_cannot_be_read_only_costs_the_target(records, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    recipe = records.files(records.finished) / "config" / "config.yaml"
    recipe.unlink() if text is None else recipe.write_text(text)
    found = find_model(records.finished, HERE)
    assert found.target is None
    (note,) = found.notes
    assert "config/config.yaml" in note
    assert len(note.splitlines()) == 1
    assert not (tmp_path / "ran").exists()
