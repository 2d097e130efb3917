"""Runs of data that Python gives: what is recorded and kept, and that mistakes leave nothing behind."""

import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

import micrograde as mg
from micrograde.analysis import load_runs
from micrograde.api.given_data import given_data
from micrograde.core.errors import InputError
from micrograde.data import kept_tables
from micrograde.data.frames import table_with_target
from micrograde.data.kept_tables import kept_file, kept_rows
from micrograde.runs.replaying import replay_run
from micrograde.store import load_run, local_store
from micrograde.store.backends.local import LocalTracking
from micrograde.store.garbage import find_garbage
from micrograde.store.given_tables import remove_table

CHANCE = np.random.default_rng(0)
ROWS = 60
FRAME = pd.DataFrame(
    {
        "height": np.where(np.arange(ROWS) % 2, 30, 18) + CHANCE.normal(size=ROWS),
        "width": CHANCE.normal(size=ROWS).astype("float32"),
        "leaf": pd.Categorical(CHANCE.choice(["needle", "broad"], ROWS)),
        "species": np.where(np.arange(ROWS) % 2, "pine", "oak"),
    }
)
SHORT: dict[str, Any] = {"num_epochs": 2, "pictures": "light"}


@pytest.fixture(autouse=True)
def project(home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    return home


def kept(home):
    return sorted(path.name for path in (home / "mlruns" / "data").glob("*"))


def test_frame_csv_and_parquet_have_one_digest_and_one_history(project, tmp_path):
    FRAME.to_csv(tmp_path / "trees.csv", index=False)
    FRAME.to_parquet(tmp_path / "trees.parquet")
    unrecorded: dict[str, Any] = {"tracking": "disabled", "num_epochs": 3, "target": "species"}
    here = mg.run(FRAME, **unrecorded)
    for name in ("csv", "parquet"):
        there = mg.run(f"data={name}", path=str(tmp_path / f"trees.{name}"), **unrecorded)
        pd.testing.assert_frame_equal(there.history, here.history, check_exact=True)
        assert there.metrics == here.metrics
    assert kept(project) == []  # nothing is kept of what is not recorded


def test_numbers_to_learn_are_columns_of_the_frame_or_an_array_of_their_own(tmp_path):
    features = FRAME[["height", "width"]].to_numpy()
    numbers = np.stack([features @ [1.0, 2.0], features[:, 0] ** 2], axis=1)
    frame = pd.DataFrame(features, columns=["a", "b"]).assign(y_0=numbers[:, 0], y_1=numbers[:, 1])
    frame.to_csv(tmp_path / "numbers.csv", index=False)
    short: dict[str, Any] = {"tracking": "disabled", "num_epochs": 2}
    of_columns = mg.run(frame, target=["y_0", "y_1"], **short)
    of_array = mg.run(features, numbers, **short)
    of_file = mg.run("data=csv", path=str(tmp_path / "numbers.csv"), target=["y_0", "y_1"], **short)
    assert of_columns.status == "FINISHED"
    assert of_columns.params["data.target"] == '["y_0", "y_1"]'
    assert {"test/rmse/y_0", "test/rmse/y_1"} <= set(of_columns.metrics)
    for each in (of_array, of_file):
        pd.testing.assert_frame_equal(each.history, of_columns.history, check_exact=True)


@pytest.mark.slow
def test_a_run_names_its_data_which_are_kept_once_and_found_again(project, tmp_path):
    run = mg.run(FRAME, "data.seed=3", target="species", learning_rate=0.1, **SHORT)
    digest = run.params["data.digest"]
    assert (run.status, run.params["data.name"], run.params["data.target"]) == (
        "FINISHED",
        "frame",
        "species",
    )
    assert run.params["data.seed"] == "3"
    assert run.name == "data=frame target=species seed=3 learning_rate=0.1 num_epochs=2"
    assert run.model.predict(FRAME)["class"].isin(["oak", "pine"]).all()
    assert kept(project) == [f"{digest}.parquet"]
    assert not list((project / "mlruns").glob("temporary/*"))
    assert run.location
    assert run.run_id
    stored = load_run(run.location.tracking_uri, run.run_id)
    assert "needle" not in f"{stored.params} {stored.tags}"

    moved = tmp_path / "moved"
    shutil.move(project, moved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRADE_HOME", str(moved))
        replay = replay_run(run.run_id, LocalTracking())
        assert replay.identical
        assert not [line for line in replay.differences if line.startswith("data")]
        (moved / "mlruns" / "data" / f"{digest}.parquet").unlink()
        with pytest.raises(
            InputError, match=rf"^data.digest={digest[:12]}: the table that Python gave is no longer"
        ):
            replay_run(run.run_id, LocalTracking())
        again = mg.run(FRAME.copy(), target="species", **SHORT)  # which is what the line says to do
        assert again.params["data.digest"] == digest
        assert kept(moved) == [f"{digest}.parquet"]
        assert replay_run(run.run_id, LocalTracking()).identical


def test_gc_leaves_a_table_that_this_process_has_kept_or_read(project, monkeypatch):
    monkeypatch.setattr(kept_tables, "_HELD", {})
    location = local_store(project)
    given = given_data(table_with_target(FRAME, "species"), ())
    file = kept_file(location.folder, given.digest)
    given.keep(location)
    assert find_garbage(location).tables == ()
    assert not remove_table(location, given.digest)
    file.unlink()
    given.keep(location)  # the lock is on the file that is there now
    assert not remove_table(location, given.digest)
    kept_tables._HELD.pop(file).release()
    assert find_garbage(location).tables == (given.digest,)
    kept_rows(given.digest)
    assert find_garbage(location).tables == ()
    kept_tables._HELD.pop(file).release()
    assert remove_table(location, given.digest)
    assert kept(project) == []


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ({"learning_rate": [0.1, 0.2], "metric": "val/nothing"}, "sweep.metric=val/nothing"),
        ({"learning_rate": [-0.1, -0.2]}, "optimizer.learning_rate=-0.1"),
        ({"batch_size": [10**9, 10**10]}, "training.batch_size"),
    ],
)
def test_of_a_sweep_that_cannot_begin_no_data_are_kept(project, named, line):
    with pytest.raises(InputError, match=line):
        mg.sweep(FRAME, target="species", **{**SHORT, **named})
    assert not (project / "mlruns" / "data").exists()


@pytest.mark.slow
def test_arrays_of_a_sweep_are_read_by_the_workers_of_another_launcher(project):
    features, labels = FRAME[["height", "width"]].to_numpy(), FRAME["species"].to_numpy()
    sweep = mg.sweep(features, labels, "hydra/launcher=basic", seed=[0, 1], **SHORT)
    assert list(sweep.runs["status"]) == ["FINISHED"] * 2
    assert set(sweep.varies) == {"seed"}
    (name,) = kept(project)
    assert set(sweep.runs["data.digest"] + ".parquet") == {name}


@pytest.mark.parametrize(
    ("given", "named", "line"),
    [
        ((FRAME,), {}, "target: is missing; it names the column with what is to be learned; the columns are 'height', "),
        ((FRAME, "species"), {}, "species: is no override; the column with what is to be learned is target='species'"),
        ((FRAME,), {"target": FRAME.species}, "target: is a value of type Series; give the name of a column, or "),
        ((FRAME, FRAME.species), {"target": "species"}, "target=species: the labels are given, too; give the column "),
        ((FRAME, "data=csv"), {"target": "species"}, "data=csv: the data are given in Python; leave it out"),
        ((FRAME,), {"target": "species", "data": "iris"}, "data=iris: the data are given in Python; leave it out"),
        ((FRAME,), {"target": "kind"}, "target=kind: there is no such column; the columns are 'height', "),
        ((FRAME[["height"]].to_numpy(),), {}, "y: is missing; give the labels after the features: mg."),
        ((FRAME[["height"]], [1, 2]), {}, "y: has 2 labels for 60 rows of X"),
        ((FRAME[["height"]], np.eye(ROWS)), {}, "y: has the shape (60, 60); needs one label a row; of one-hot rows "),
        ((FRAME,), {"target": []}, "target: is an empty list; give the name of a column, or of several"),
        ((FRAME,), {"target": ["leaf", "leaf"]}, "target: 'leaf', 'leaf' names a column twice; name each once"),
        ((FRAME,), {"target": ["height", None]}, "target: is a value of type NoneType; give the name of a column, "),
        ((FRAME,), {"target": ["height", "kind"]}, "target=kind: there is no such column; the columns are 'height', "),
        ((FRAME,), {"target": ["height", "leaf"]}, "data.target=[height,leaf]: 'leaf' holds "),
        ((), {"X": FRAME[["height"]], "y": [1, 2]}, "y: has 2 labels for 60 rows of X"),
        ((FRAME.assign(species=None),), {"target": "species"}, "data.target=species: no row has a class"),
        ((FRAME,), {"target": "species", "hidden_size": 0}, "model.hidden_size=0: should be greater than or"),
        ((FRAME,), {"target": "species", "validation_fraction": 0.99}, "data.validation_fraction=0.99"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_no_run_and_no_data(project, given, named, line):
    for call in (mg.run, mg.sweep):
        with pytest.raises(InputError) as raised:
            call(*given, **named)
        if call is mg.run:
            assert str(raised.value).startswith(line)
            assert "\n" not in str(raised.value)
            assert kept(project) == []
    assert load_runs(f"sqlite:///{project}/mlruns/mlflow.db").empty


def test_a_file_in_the_place_of_the_folder_is_one_line(project):
    (project / "mlruns" / "data").write_text("")
    with pytest.raises(InputError, match="mlruns/data: is a file, and has to be a folder"):
        mg.run(FRAME, target="species", **SHORT)


def test_a_fit_is_that_of_the_estimator():
    features, labels = FRAME[["height", "width"]], FRAME["species"]
    options: dict[str, Any] = {"hidden_size": [4], "num_epochs": 2, "random_state": 0}
    direct = mg.MLPClassifier(**options).fit(features.astype("float64"), labels)
    by_name = mg.fit(FRAME.drop(columns="leaf"), target="species", **options)
    assert list(by_name.feature_names_in_) == ["height", "width"]
    assert mg.fit(features, labels, **options).history_.equals(by_name.history_)
    assert direct.history_.round(5).equals(by_name.history_.round(5))  # a float32 is its decimals
    of_arrays = mg.fit(features.to_numpy(), labels.tolist(), **options)
    assert list(of_arrays.classes_) == ["oak", "pine"]
    assert not hasattr(of_arrays, "feature_names_in_")
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((FRAME,), {"target": "species"}, "frame: 'leaf' holds text, and the estimator takes numbers; "),
        (
            (features, labels),
            {"hiden_size": 3},
            "hiden_size: there is no such keyword; did you mean hidden_size",
        ),
        ((features, labels[1:]), {}, "y: has 59 labels for 60 rows of X"),
        ((features.where(features > 18), labels), {}, "frame: missing values in 'height' "),
        ((features,), {}, "y: is missing; give the labels, mg.fit(X, y), or their column, target=..."),
        (("data=moons",), {}, "X: is a value of type str; needs features: mg.fit(X, y)"),
    ]
    for given, named, line in wrong:
        with pytest.raises(InputError) as raised:
            mg.fit(*given, **named)
        assert str(raised.value).startswith(line)


def test_a_fit_learns_several_columns_as_numbers():
    frame = FRAME[["height", "width"]].astype("float64")
    frame = frame.assign(a=frame["height"] * 2.0, b=frame["width"] - 1.0)
    of_columns = mg.fit(frame, target=["a", "b"], num_epochs=3, random_state=0)
    of_arrays = mg.fit(frame[["height", "width"]], frame[["a", "b"]].to_numpy(), num_epochs=3, random_state=0)
    said = [each.predict(frame[["height", "width"]]) for each in (of_columns, of_arrays)]
    assert said[0].shape == (ROWS, 2)
    assert np.array_equal(said[0], said[1])
    truths = np.arange(2 * ROWS).reshape(ROWS, 2) % 3 > 0
    mistakes: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((frame,), {"target": []}, "target: is an empty list; give the name of a column, or of several"),
        (
            (frame[["height"]], frame[["a", "b"]]),
            {"task": "multilabel"},
            "task=multilabel: needs columns that hold yes and no, or 1 and 0, each",
        ),
        (
            (frame[["height"]], frame["a"]),
            {"task": "multilabel"},
            "task=multilabel: is for several columns of yes and no; leave it out",
        ),
        (
            (frame[["height"]], frame[["a", "b"]]),
            {"task": "classification"},
            "task=classification: needs one label ",
        ),
        (
            (frame[["height"]], FRAME[["width", "leaf"]]),
            {},
            "y: 'leaf' holds no numbers; several columns are ",
        ),
    ]
    for given, named, line in mistakes:
        with pytest.raises(InputError) as raised:
            mg.fit(*given, **named)
        assert str(raised.value).startswith(line)
    as_numbers = mg.fit(frame[["height"]], truths.astype(int), task="regression", num_epochs=1)
    assert as_numbers.predict(frame[["height"]]).shape == (ROWS, 2)


@pytest.mark.parametrize("spelled", [[0, 1], [False, True], ["no", "yes"]])
def test_a_fit_learns_several_columns_of_yes_and_no_as_labels(spelled, capsys):
    truths = np.arange(2 * ROWS).reshape(ROWS, 2) % 3 > 0
    features = FRAME[["height", "width"]].astype("float64")
    labels = {name: np.array(spelled)[truths[:, place].astype(int)] for place, name in enumerate(("a", "b"))}
    frame = features.assign(**labels)
    fitted = mg.fit(frame, target=["a", "b"], num_epochs=2, random_state=0)
    assert "'a', 'b': these columns are learned together, each as yes or no" in capsys.readouterr().err
    assert isinstance(fitted, mg.MLPClassifier)
    again = mg.fit(features, truths, num_epochs=2, random_state=0)
    for each in (fitted, again):
        assert each.predict(features).shape == (ROWS, 2)
        assert each.predict_proba(features).shape == (ROWS, 2)
    np.testing.assert_array_equal(fitted.predict_proba(features), again.predict_proba(features))
    numbers = mg.fit(features, truths.astype(int), task="regression", num_epochs=1)
    assert isinstance(numbers, mg.MLPRegressor)


def test_a_run_learns_labels_that_are_given_as_an_array():
    truths = np.arange(2 * ROWS).reshape(ROWS, 2) % 3 > 0
    features = FRAME[["height", "width"]].to_numpy(np.float64)
    for labels in (truths, truths.astype(int)):
        run = mg.run(features, labels, num_epochs=2, tracking="disabled")
        assert run.status == "FINISHED"
        assert "kept/val/hamming_loss" in run.metrics
