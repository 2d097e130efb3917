"""A table classified by a recorded model, through the real command, and the model as an ONNX file."""

import json
import sqlite3
import subprocess
import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import yaml
from benchmarks.servers import MlflowServer
from tests.conftest import ROOT

from micrograde.tracking import local_store

pytestmark = pytest.mark.slow  # each of them runs commands

ROWS = 60
TRAIN = ("data=csv", "data.path=trees.csv", "data.target=kind", "training.num_epochs=20")


def trees(rows=ROWS):
    """A number, categories that look like numbers, a truth value, and the class."""
    random = np.random.default_rng(1)
    kinds = random.choice(["oak", "fir"], rows)
    return pd.DataFrame(
        {
            "height": np.where(kinds == "oak", 20.0, 35.0) + random.normal(size=rows),
            "leaf": np.where(random.random(rows) < 0.9, np.where(kinds == "oak", "broad", "01"), "broad"),
            "wild": random.choice([True, False], rows),
            "kind": kinds,
        }
    )


@pytest.fixture(scope="module")
def trained(make_user):
    """A user with a run on a table of their own, the run, and the table."""
    user, table = make_user("predict"), trees()
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN)
    (run,) = user.runs()
    return user, run, table


def loaded(user, run):
    import mlflow

    mlflow.set_tracking_uri(local_store(user.home).tracking_uri)
    return mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")


def line_of(done, name):
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name} ")]
    return line.removeprefix(name).strip()


def test_written_are_the_rows_with_what_mlflow_predicts(trained):
    user, run, table = trained
    given = table.assign(id=[f"{number:03}" for number in range(ROWS)])
    given[["id", "wild", "leaf", "kind", "height"]].to_csv(user.folder / "new.csv", index=False)
    before = user.files()
    done = user.run("predict", f"run_id={run.info.run_id[:8]}", "data.path=new.csv", "output=out.csv")
    written = pd.read_csv(user.folder / "out.csv", dtype={"id": str, "leaf": str})
    expected = loaded(user, run).predict(table[["height", "leaf", "wild"]])
    pd.testing.assert_frame_equal(written[expected.columns], expected, check_exact=True)
    pd.testing.assert_frame_equal(written[given.columns], given, check_exact=True)
    assert list(written)[:5] == ["id", "wild", "leaf", "kind", "height"]
    share = (expected["class"] == table["kind"]).mean()
    assert line_of(done, "accuracy") == f"{share:.4f} of {ROWS} rows, by column kind"
    counts = expected["class"].value_counts()
    assert line_of(done, "classes") == ", ".join(f"{name} ({count})" for name, count in counts.items())
    assert line_of(done, "written") == f"out.csv, {ROWS} rows"
    assert sorted({*user.files()} - {*before}) == [str(user.folder / "out.csv")]


def test_parquet_in_parquet_out(trained):
    user, run, table = trained
    given = table.drop(columns="kind").set_index(pd.Index(range(100, 100 + ROWS), name="tree"))
    given.to_parquet(user.folder / "new.parquet")
    arguments = (f"run_id={run.info.run_id}", "data.path=new.parquet", "output=out.parquet")
    done = user.run("predict", *arguments)
    assert "accuracy" not in done.stdout
    written = pd.read_parquet(user.folder / "out.parquet")
    assert list(written)[:4] == ["tree", "height", "leaf", "wild"]
    assert written["tree"].tolist() == list(range(100, 100 + ROWS))
    expected = loaded(user, run).predict(table[["height", "leaf", "wild"]])
    pd.testing.assert_frame_equal(written[expected.columns], expected)
    user.run("predict", *arguments, "keep_columns=false")
    assert list(pd.read_parquet(user.folder / "out.parquet")) == list(expected)


def test_shown_are_the_first_rows_by_what_is_no_feature(trained):
    user, run, table = trained
    table.assign(id=[f"tree-{number}" for number in range(ROWS)]).to_csv(user.folder / "s.csv", index=False)
    done = user.run("predict", f"run_id={run.info.run_id}", "data.path=s.csv", "limit=4")
    lines = done.stdout.splitlines()
    assert lines[0] == f"the first 4 of {ROWS} rows"
    (header,) = [line.split() for line in lines if "probability_fir" in line]
    assert header == ["kind", "id", "class", "probability_fir", "probability_oak"]
    assert [line.split()[1] for line in lines if "tree-" in line] == [f"tree-{number}" for number in range(4)]


def test_one_row_whose_categories_all_look_like_numbers(trained):
    user, run, _ = trained
    (user.folder / "one.csv").write_text("leaf,height,wild\n01,36,True\n")
    done = user.run("predict", f"run_id={run.info.run_id}", "data.path=one.csv")
    assert line_of(done, "classes") == "fir (1)"


def test_a_column_called_like_a_prediction_can_be_the_target(make_user):
    user = make_user("class-column")
    table = trees().rename(columns={"kind": "class"}).replace({"class": {"oak": 1, "fir": 2}})
    table["class"] = table["class"].astype(int)
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN[:2], "data.target=class", TRAIN[3])
    arguments = ("run_id=latest", "data.path=trees.csv")
    (line,) = user.run("predict", *arguments, status=2).stderr.splitlines()
    assert line.startswith("data.path=trees.csv: has a column 'class', and so have the predictions")
    share = line_of(user.run("predict", *arguments, "keep_columns=false"), "accuracy").split()[0]
    assert float(share) > 0.9


def test_the_bundled_and_generated_data_go_by_their_features_names(user):
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    pd.DataFrame(digits.data, columns=names).to_csv(user.folder / "digits.csv.gz", index=False)
    user.run("train", "training.num_epochs=3")
    user.run("predict", "run_id=latest", "data.path=digits.csv.gz", "output=out.csv")
    found = pd.read_csv(user.folder / "out.csv")
    assert (found["class"] == digits.target).mean() > 0.8
    user.run("train", "data=moons", "training.num_epochs=1")
    (line,) = user.run("predict", "run_id=latest", "data.path=digits.csv.gz", status=2).stderr.splitlines()
    assert line.startswith("data.path=digits.csv.gz: has no column ")


def test_a_sweep_means_its_best_run_and_latest_the_last(user):
    pd.DataFrame({"x1": [0.5, 1.0], "x2": [0.0, -0.5]}).to_csv(user.folder / "points.csv", index=False)
    user.run("train", "-m", "data=moons", "data.samples=100", "seed=0,1", "training.num_epochs=2")
    (sweep,) = [run for run in user.runs() if "micrograde.sweep_digest" in run.data.tags]
    best = sweep.data.tags["micrograde.best_run_id"]
    for given in (sweep.info.run_id, sweep.info.run_id[:8]):
        done = user.run("predict", f'run_id="{given}"', "data.path=points.csv")
        assert line_of(done, "model").startswith(f"of run {best} ")
    others = [run for run in user.runs() if run.info.run_id != sweep.info.run_id]
    last = max(others, key=lambda run: (run.info.start_time, run.info.run_id))
    done = user.run("predict", "run_id=latest", "data.path=points.csv")
    assert line_of(done, "model").startswith(f"of run {last.info.run_id} ")


def test_a_run_that_has_not_finished_is_said_to(user):
    rates = ("optimizer.learning_rate=1e30", "model.batch_norm=false", "model.activation=relu")
    user.start("train", "data=moons", *rates).communicate()
    (run,) = user.runs()
    assert run.info.status == "FAILED"
    pd.DataFrame({"x1": [0.5], "x2": [0.0]}).to_csv(user.folder / "points.csv", index=False)
    arguments = (f"run_id={run.info.run_id}", "data.path=points.csv")
    (line,) = user.run("predict", *arguments, status=2).stderr.splitlines()
    assert line == "data.path=points.csv: row 1 has no probabilities: the network's numbers overflow"
    user.client.set_terminated(run.info.run_id, "KILLED")
    for path in (user.artifacts(run) / "model").iterdir():
        path.unlink()
    (line,) = user.run("predict", *arguments, status=2).stderr.splitlines()
    assert line.endswith("has left no model; the run is KILLED")
    (line,) = user.run("predict", "run_id=latest", arguments[1], status=2).stderr.splitlines()
    assert line.startswith("run_id=latest: no run has finished yet")


def test_one_that_was_killed_has_what_it_had_learned(user):
    pd.DataFrame({"x1": [0.5], "x2": [0.0]}).to_csv(user.folder / "points.csv", index=False)
    user.run("train", "data=moons", "training.num_epochs=1")
    (run,) = user.runs()
    user.client.set_terminated(run.info.run_id, "KILLED")
    done = user.run("predict", f"run_id={run.info.run_id}", "data.path=points.csv")
    assert line_of(done, "note") == "the run is KILLED: the model is what it had learned"


BAD = [
    ("run_id=abcdef data.path=new.csv", "run_id=abcdef: there is no such run in the store"),
    ("run_id=abc data.path=new.csv", "run_id=abc: is no run id"),
    ("data.path=trees.csv", "run_id: is missing; it needs a value"),
    ("run_id=RUN", "data.path: is missing; it needs a value"),
    ("run_id=RUN data.path=trees.csv outputs=x.csv", "outputs: there is no such key; did you mean output"),
    ("run_id=RUN data.path=trees.csv limit=0", "limit=0: should be greater than or equal to 1"),
    ("run_id=RUN data.path=trees.csv tracking=disabled", "tracking.name=disabled: must be one of"),
    ("run_id=RUN data.path=no.csv", "data.path=no.csv: there is no such file"),
    ("run_id=RUN data.path=folder.csv", "data.path=folder.csv: is a directory"),
    ("run_id=RUN data.path=empty.csv", "data.path=empty.csv: is empty"),
    ("run_id=RUN data.path=header.csv", "data.path=header.csv: has columns but no rows"),
    ("run_id=RUN data.path=binary.csv", "data.path=binary.csv: "),
    ("run_id=RUN data.path=binary.parquet", "data.path=binary.parquet: is no Parquet table"),
    ("run_id=RUN data.path=dates.parquet", "data.path=dates.parquet: column 'height' holds '2026-01-01 00:00:00' in row 1; it must hold numbers"),
    ("run_id=RUN data.path=twice.csv", "data.path=twice.csv: has more than one column named 'leaf'"),
    ("run_id=RUN data.path=no_leaf.csv", "data.path=no_leaf.csv: has no column 'leaf'; it has 'height', 'wild', 'kind'"),
    ("run_id=RUN data.path=unknown.csv", "data.path=unknown.csv: column 'leaf' holds the unknown category 'round'; known are"),
    ("run_id=RUN data.path=no_category.csv", "data.path=no_category.csv: missing values in the categorical column 'leaf' (1)"),
    ("run_id=RUN data.path=no_truth.csv", "data.path=no_truth.csv: column 'wild' holds the unknown category 'perhaps'"),
    ("run_id=RUN data.path=text.csv", "data.path=text.csv: column 'height' holds 'tall' in row 3; it must hold numbers"),
    ("run_id=RUN data.path=missing.csv", "data.path=missing.csv: missing values in 'height' (2); the model was trained without"),
    ("run_id=RUN data.path=infinite.csv", "data.path=infinite.csv: column 'height' holds 1 infinite values"),
    ("run_id=RUN data.path=taken.csv", "data.path=taken.csv: has a column 'probability_oak', and so have the predictions"),
    ("run_id=RUN data.path=trees.csv output=x.xlsx", "output=x.xlsx: should end in one of .csv .parquet .md .html"),
    ("run_id=RUN data.path=trees.csv output=no/x.csv", "output=no/x.csv: there is no folder no"),
    ("run_id=RUN data.path=trees.csv output=folder.csv", "output=folder.csv: cannot be written (it is a folder)"),
    ("run_id=RUN data.path=trees.csv output=./trees.csv", "output=trees.csv: is the table itself"),
    ("-m run_id=RUN data.path=trees.csv", "-m: is for pipelines/train.py"),
]  # fmt: skip


def make_files(folder, table):
    """Tables with one mistake each."""
    changed = {
        "unknown": table.replace({"leaf": {"broad": "round"}}),
        "no_leaf": table.drop(columns="leaf"),
        "no_category": table.assign(leaf=table["leaf"].where(table.index != 4)),
        "no_truth": table.assign(wild="perhaps"),
        "text": table.assign(height=table["height"].astype(object).where(table.index != 2, "tall")),
        "missing": table.assign(height=table["height"].where(table.index > 1)),
        "infinite": table.assign(height=table["height"].where(table.index != 1, np.inf)),
        "taken": table.assign(probability_oak=0.5),
    }
    for name, content in changed.items():
        content.to_csv(folder / f"{name}.csv", index=False)
    table.assign(height=pd.Timestamp("2026-01-01")).to_parquet(folder / "dates.parquet")
    (folder / "empty.csv").touch()
    (folder / "header.csv").write_text("height,leaf,wild\n")
    (folder / "twice.csv").write_text("height,leaf,leaf,wild\n1,broad,broad,True\n")
    for name in ("binary.csv", "binary.parquet"):
        (folder / name).write_bytes(bytes(range(256)) * 20)
    (folder / "folder.csv").mkdir()


@pytest.fixture(scope="module")
def careless(make_user):
    user, table = make_user("careless"), trees()
    table.to_csv(user.folder / "trees.csv", index=False)
    make_files(user.folder, table)
    user.run("train", *TRAIN)
    (run,) = user.runs()
    return user, run


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: value[:70])
def test_mistakes_get_a_line(careless, arguments, message):
    user, run = careless
    before = {path: open(path, "rb").read() for path in user.files()}
    done = user.run("predict", *arguments.replace("RUN", run.info.run_id).split(), status=2)
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert {path: open(path, "rb").read() for path in user.files()} == before


def test_a_missing_number_is_filled_if_it_was_in_training(make_user):
    user, table = make_user("filled"), trees()
    table.to_csv(user.folder / "full.csv", index=False)
    table.assign(height=table["height"].where(table.index > 1)).to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN, "data.missing=mean", "model.activation=relu", "model.batch_norm=false")
    done = user.run("predict", "run_id=latest", "data.path=trees.csv", "output=out.csv")
    assert f"of {ROWS} rows" in line_of(done, "accuracy")
    assert pd.read_csv(user.folder / "out.csv")["height"].isna().sum() == 2
    huge = table.assign(height=table["height"].where(table.index != 1, 1e300))
    huge.to_csv(user.folder / "huge.csv", index=False)
    done = user.run("predict", "run_id=latest", "data.path=huge.csv", status=2)
    assert done.stderr == "data.path=huge.csv: row 2 has no probabilities: the network's numbers overflow\n"


@pytest.fixture(scope="module")
def hostile(make_user):
    user, table = make_user("hostile-model"), trees()
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN)
    (run,) = user.runs()
    return user, run, user.artifacts(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.update(class_names=[1, 2]),
        lambda state: state.update(class_names=["oak", "oak"]),
        lambda state: state["encoding"].update(columns=["height", ["leaf"], "wild"]),
        lambda state: state["encoding"].update(categories=[None, None, None]),
        lambda state: state.update(means=[float("nan")] * len(state["means"])),
        lambda state: state.update(fill=[1.0]),
        lambda state: state.clear(),
    ],
    ids=["numbers", "twice", "list", "too few", "nan", "fill", "nothing"],
)
@pytest.mark.parametrize("pipeline", ["predict", "export"])
def test_a_preprocessing_that_is_not_ours_is_a_line(hostile, change, pipeline):
    user, run, files = hostile
    path = files / "model" / "preprocessing.json"
    before = path.read_text()
    state = json.loads(before)
    change(state)
    path.write_text(json.dumps(state))
    more = "data.path=trees.csv" if pipeline == "predict" else "output=model.onnx"
    try:
        done = user.run(pipeline, f"run_id={run.info.run_id}", more, status=2)
    finally:
        path.write_text(before)
    assert done.stderr.startswith(f"run_id={run.info.run_id}: its model/ holds no model of micrograde's (")
    assert done.stderr.count("\n") == 1


def test_weights_that_are_no_numbers_are_a_line(hostile):
    from safetensors import safe_open
    from safetensors.numpy import save_file

    user, run, files = hostile
    path = files / "model" / "weights.safetensors"
    before = path.read_bytes()
    with safe_open(path, "numpy") as file:
        metadata, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    arrays["layer2.biases"] = arrays["layer2.biases"] * np.nan
    save_file(arrays, path, metadata)
    try:
        done = user.run("predict", f"run_id={run.info.run_id}", "data.path=trees.csv", status=2)
    finally:
        path.write_bytes(before)
    assert done.stderr.endswith(": its weights are not all finite numbers; the run is FINISHED\n")


def test_what_mlflow_would_import_is_not_looked_at(hostile):
    user, run, files = hostile
    marker = user.folder / "imported"
    (user.folder / "evil.py").write_text(f"open({str(marker)!r}, 'w')")
    path = files / "model" / "MLmodel"
    content = yaml.safe_load(path.read_text())
    content["flavors"]["python_function"].update(loader_module="evil", code="../../../../elsewhere")
    path.write_text(yaml.safe_dump(content))
    user.run("predict", f"run_id={run.info.run_id}", "data.path=trees.csv")
    assert not marker.exists()


def test_a_link_out_of_the_runs_files_is_not_followed(hostile, tmp_path):
    user, run, files = hostile
    weights = files / "model" / "weights.safetensors"
    weights.rename(tmp_path / "elsewhere.safetensors")
    weights.symlink_to(tmp_path / "elsewhere.safetensors")
    try:
        done = user.run("predict", f"run_id={run.info.run_id}", "data.path=trees.csv", status=2)
    finally:
        weights.unlink()
        (tmp_path / "elsewhere.safetensors").rename(weights)
    assert done.stderr == f"run_id={run.info.run_id}: has left no model; the run is FINISHED\n"


def test_a_recipe_that_cannot_be_read_only_costs_the_accuracy(hostile):
    user, run, files = hostile
    recipe = files / "config" / "config.yaml"
    before = recipe.read_text()
    recipe.write_text("!!python/object/apply:os.system ['touch ran']")
    try:
        done = user.run("predict", f"run_id={run.info.run_id}", "data.path=trees.csv")
    finally:
        recipe.write_text(before)
    assert "its config/config.yaml cannot be read" in line_of(done, "note")
    assert "accuracy" not in done.stdout
    assert not (user.folder / "ran").exists()


def test_files_elsewhere_are_not_read(make_user):
    user = make_user("moved")
    trees().to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN)
    with sqlite3.connect(user.home / "mlruns" / "mlflow.db") as store:
        store.execute("update runs set artifact_uri = 'file:///'")
    (line,) = user.run("predict", "run_id=latest", "data.path=trees.csv", status=2).stderr.splitlines()
    assert "its files are not in" in line


def test_a_model_of_a_server(user, server: MlflowServer):
    to_server = ("tracking=server", f"tracking.uri={server.address}")
    trees().to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN, *to_server)
    done = user.run("predict", "run_id=latest", "data.path=trees.csv", *to_server, "output=out.csv")
    assert float(line_of(done, "accuracy").split()[0]) > 0.9
    user.run("export", "run_id=latest", "output=model.onnx", *to_server)
    check_onnx(user, pd.read_csv(user.folder / "out.csv", dtype={"leaf": str}))


def check_onnx(user, predicted):
    """That the exported file predicts what was predicted."""
    session = onnxruntime.InferenceSession(user.folder / "model.onnx")
    feeds = {
        "height": predicted[["height"]].to_numpy(),
        "leaf": predicted[["leaf"]].to_numpy(object),
        "wild": predicted[["wild"]].to_numpy(),
    }
    labels, probabilities = session.run(["label", "probabilities"], feeds)
    assert labels.tolist() == predicted["class"].tolist()
    expected = predicted[["probability_fir", "probability_oak"]]
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-6)


def test_an_exported_model_predicts_the_same(trained):
    user, run, _ = trained
    done = user.run("export", f"run_id={run.info.run_id}", "output=model.onnx")
    assert float(line_of(done, "difference").split()[0]) <= 1e-6
    assert "probabilities of 1000 rows" in line_of(done, "difference")
    user.run("predict", f"run_id={run.info.run_id}", "data.path=trees.csv", "output=all.csv")
    check_onnx(user, pd.read_csv(user.folder / "all.csv", dtype={"leaf": str}))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run_id=RUN", "output: is missing; it needs a value"),
        ("run_id=RUN output=model.pb", "output=model.pb: should end in .onnx"),
        ("run_id=RUN output=no/model.onnx", "output=no/model.onnx: there is no folder no"),
        ("run_id=abcdef output=model.onnx", "run_id=abcdef: there is no such run in the store"),
        ("run_id=RUN output=model.onnx data.path=x", "data.path: "),
    ],
)
def test_mistakes_in_an_export_get_a_line(careless, arguments, message):
    user, run = careless
    done = user.run("export", *arguments.replace("RUN", run.info.run_id).split(), status=2)
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert not (user.folder / "model.onnx").exists()


def run_changed(user, change, *arguments):
    """The export command in a process in which something is otherwise."""
    code = f"import sys; sys.argv = ['export.py', *{list(arguments)!r}]; {change}; import runpy; runpy.run_path({str(ROOT / 'pipelines' / 'export.py')!r}, run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=user.folder, env=user.environment, capture_output=True, text=True
    )


def test_without_the_extra_a_line_says_how_to_get_it(careless):
    user, run = careless
    arguments = (f"run_id={run.info.run_id}", "output=model.onnx")
    done = run_changed(user, "sys.modules['onnxruntime'] = None", *arguments)
    assert done.returncode == 2
    assert done.stderr == (
        "onnxruntime is not installed; it comes with an extra: .venv/bin/pip install -e '.[onnx]'\n"
    )


def test_a_model_that_differs_is_not_written(careless):
    user, run = careless
    arguments = (f"run_id={run.info.run_id}", "output=model.onnx")
    change = "import micrograde.nn.batch_normalization as b; import micrograde.onnx_export as o; old = o._activation; o._activation = lambda graph, model, x: graph.node('Neg', old(graph, model, x))"
    done = run_changed(user, change, *arguments)
    assert done.returncode == 1
    assert "ONNX Runtime differs by " in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (user.folder / "model.onnx").exists()
