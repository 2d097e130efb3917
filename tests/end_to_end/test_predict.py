"""A table classified by a recorded model, through the real command, and the model as an ONNX file."""

import json
import subprocess
import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from tests.conftest import ROOT
from tests.records import trees

pytestmark = pytest.mark.slow  # each of them runs commands

ROWS = 60
TRAIN = ("data=csv", "data.path=trees.csv", "data.target=kind", "training.num_epochs=20")


@pytest.fixture(scope="module")
def trained(make_user):
    """A user with a run on a table of their own, the run, and the table."""
    user, table = make_user("predict"), trees()
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN)
    (run,) = user.runs()
    return user, run, table


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
    expected = user.loaded_model(run).predict(table[["height", "leaf", "wild"]])
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
    assert list(written)[:4] == ["height", "leaf", "wild", "tree"]
    assert written["tree"].tolist() == list(range(100, 100 + ROWS))
    expected = user.loaded_model(run).predict(table[["height", "leaf", "wild"]])
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


def test_a_column_called_like_a_prediction_can_be_the_target(make_user):
    user = make_user("class-column")
    table = trees().rename(columns={"kind": "class"}).replace({"class": {"oak": 1, "fir": 2}})
    table["class"] = table["class"].astype(int)
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN[:2], "data.target=class", TRAIN[3])
    arguments = ("run_id=latest", "data.path=trees.csv")
    done = user.run("predict", *arguments)
    assert "predicted_class" in done.stdout
    assert float(line_of(done, "accuracy").split()[0]) > 0.9


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
    user.run("train", "data=moons", *rates, status=1)
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


# What is wrong with a table is told in tests/runs/test_predicting.py, with a model in tests/runs/test_recorded_models.py.
BAD = [
    ("run_id=abcdef data.path=new.csv", "run_id=abcdef: there is no such run in the store"),
    ("data.path=trees.csv", "run_id: is missing; it needs a value"),
    ("run_id=RUN", "data.path: is missing; it needs a value"),
    ("run_id=RUN data.path=trees.csv outputs=x.csv", "outputs: there is no such key; did you mean output"),
    ("run_id=RUN data.path=trees.csv tracking=disabled", "tracking.name=disabled: must be one of"),
    ("run_id=RUN data.path=no.csv", "data.path=no.csv: there is no such file"),
    ("run_id=RUN data.path=text.csv", "data.path=text.csv: column 'height' holds no number in row 3, as it did in training"),
    ("run_id=RUN data.path=trees.csv output=x.xlsx", "output=x.xlsx: should end in one of .csv .parquet .md .html"),
    ("run_id=RUN data.path=trees.csv output=no/x.csv", "output=no/x.csv: there is no folder no"),
    ("run_id=RUN data.path=trees.csv output=folder.csv", "output=folder.csv: cannot be written (it is a folder)"),
    ("run_id=RUN data.path=trees.csv output=./trees.csv", "output=trees.csv: is the table itself"),
    ("-m run_id=RUN data.path=trees.csv", "-m: is for micrograde train"),
]  # fmt: skip


@pytest.fixture(scope="module")
def careless(make_user):
    user, table = make_user("careless"), trees()
    table.to_csv(user.folder / "trees.csv", index=False)
    tall = table.assign(height=table["height"].astype(object).where(table.index != 2, "tall"))
    tall.to_csv(user.folder / "text.csv", index=False)
    (user.folder / "folder.csv").mkdir()
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


@pytest.fixture(scope="module")
def hostile(make_user):
    user, table = make_user("hostile-model"), trees()
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", *TRAIN)
    (run,) = user.runs()
    return user, run, user.artifacts(run)


@pytest.mark.parametrize("pipeline", ["predict", "export"])
def test_a_preprocessing_that_is_not_ours_is_a_line(hostile, pipeline):
    user, run, files = hostile
    path = files / "model" / "preprocessing.json"
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), "class_names": [1, 2]}))
    more = "data.path=trees.csv" if pipeline == "predict" else "output=model.onnx"
    try:
        done = user.run(pipeline, f"run_id={run.info.run_id}", more, status=2)
    finally:
        path.write_text(before)
    assert done.stderr.startswith(f"run_id={run.info.run_id}: its model/ holds no micrograde model (")
    assert done.stderr.count("\n") == 1


def test_a_model_of_a_server(user, server):
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
        "wild": predicted[["wild"]].to_numpy(float),
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
        "onnxruntime is not installed; it comes with an extra: in the checkout, .venv/bin/pip install -c .ci/constraints.txt -e '.[onnx]'\n"
    )


def test_a_model_that_differs_is_not_written(careless):
    user, run = careless
    arguments = (f"run_id={run.info.run_id}", "output=model.onnx")
    change = "from micrograde.nn import ActivationLayer as a; old = a.onnx; a.onnx = lambda self, graph, x: graph.node('Neg', old(self, graph, x))"
    done = run_changed(user, change, *arguments)
    assert done.returncode == 1
    assert "ONNX Runtime differs by " in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (user.folder / "model.onnx").exists()
