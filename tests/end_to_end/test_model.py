"""The model that a run leaves, as MLflow loads and serves it."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.servers import free_port
from tests.narrowing import not_none
from tests.waiting import wait_for

from micrograde.store import local_store, tags

ROWS = 60


@pytest.fixture(scope="module")
def trained(make_user):
    """A user with a run on a table of their own, the run, and the table."""
    user, random = make_user("model"), np.random.default_rng(1)
    kinds = random.choice(["oak", "fir"], ROWS)
    table = pd.DataFrame(
        {
            "height": np.where(kinds == "oak", 20.0, 35.0) + random.normal(size=ROWS),
            "leaf": np.where(random.random(ROWS) < 0.9, np.where(kinds == "oak", "broad", "needle"), "broad"),
            "kind": kinds,
        }
    )
    table.to_csv(user.folder / "trees.csv", index=False)
    user.run("train", "data=csv", "data.path=trees.csv", "data.target=kind", "training.num_epochs=30")
    (run,) = user.runs()
    return user, run, table


def test_mlflow_loads_it_and_it_predicts_from_raw_rows(trained):
    user, run, table = trained
    model = user.loaded_model(run)
    found = model.predict(table[["leaf", "height"]])
    assert list(found.columns) == ["class", "probability_fir", "probability_oak"]
    assert (found["class"] == table["kind"]).mean() > 0.9
    assert model.metadata.signature.inputs.input_names() == ["height", "leaf"]
    assert list(model.input_example.columns) == ["height", "leaf"]


def test_a_wrong_column_is_a_clear_error(trained):
    from mlflow.exceptions import MlflowException

    user, run, table = trained
    model = user.loaded_model(run)
    with pytest.raises(MlflowException, match=r"Model is missing inputs \['leaf'\]"):
        model.predict(table[["height"]])
    with pytest.raises(MlflowException, match=r"column 'leaf' holds list<item: string> values"):
        model.predict(table.assign(leaf=[["round"]] * len(table))[["height", "leaf"]])


def test_no_file_of_it_is_pickled(trained):
    user, run, _ = trained
    files = {path.name for path in (user.artifacts(run) / "model").iterdir()}
    assert files == {
        "MLmodel", "input_example.json", "preprocessing.json", "python_env.yaml", "requirements.txt",
        "model_card.md", "serving_input_example.json", "weights.safetensors",
    }  # fmt: skip


def test_the_runs_of_a_sweep_have_theirs_too(user):
    user.run("train", "-m", "data=iris", "seed=0,1", "training.num_epochs=2")
    children = [run for run in user.runs() if tags.PARENT in run.data.tags]
    assert len(children) == 2
    for run in children:
        model = user.loaded_model(run)
        assert list(model.predict(model.input_example)["class"].isin(["setosa", "versicolor"])) == [True] * 3


def test_it_is_a_logged_model_with_the_values_of_the_kept_model(trained):
    user, run, _ = trained
    (model,) = user.client.search_logged_models([run.info.experiment_id])
    assert (model.status, model.source_run_id) == ("READY", run.info.run_id)
    kept = {key: value for key, value in run.data.metrics.items() if key.startswith("kept/")}
    assert {metric.key: metric.value for metric in model.metrics} == kept
    assert kept["kept/test/accuracy"] == run.data.metrics["test/accuracy"]
    assert model.params == run.data.params
    assert [each.model_id for each in run.outputs.model_outputs] == [model.model_id]
    assert user.client.search_registered_models() == []


@pytest.mark.slow
@pytest.mark.parametrize("where", ["local", "server"])
def test_the_best_of_a_sweep_is_logged_and_registered_by_a_flag(user, where, request):
    import mlflow
    from mlflow import MlflowClient

    uri = local_store(user.home).tracking_uri
    to_server: tuple[str, ...] = ()
    if where == "server":
        uri = request.getfixturevalue("server").address
        to_server = ("tracking=server", f"tracking.uri={uri}")
    client = MlflowClient(uri)
    command = ("data=iris", "training.num_epochs=2", "tracking.register=irises", *to_server)
    first = user.run("train", *command)
    assert "\nregistered  irises version 1\n" in first.stdout
    sweep = ("-m", *command, "optimizer.learning_rate=0.001,0.3")
    for _ in range(2):  # the second time nothing is left to do
        done = user.run("train", *sweep)
        assert "\nregistered  irises version 2\n" in done.stdout
    runs = client.search_runs([not_none(client.get_experiment_by_name("iris")).experiment_id])
    (parent,) = (run for run in runs if tags.BEST_RUN_ID in run.data.tags)
    best = parent.data.tags[tags.BEST_RUN_ID]
    version = client.get_model_version("irises", "2")
    assert version.run_id == best
    models = client.search_logged_models([parent.info.experiment_id])
    assert {model.source_run_id for model in models} == {best, client.get_model_version("irises", "1").run_id}
    (output,) = not_none(parent.outputs).model_outputs
    assert client.get_logged_model(output.model_id).source_run_id == best
    mlflow.set_tracking_uri(uri)
    served, own = (mlflow.pyfunc.load_model(at) for at in ("models:/irises/2", f"runs:/{best}/model"))
    rows = own.input_example
    assert served.predict(rows).equals(own.predict(rows))


@pytest.mark.slow
def test_it_is_served_over_http(trained, tmp_path):
    user, run, _ = trained
    port = free_port()
    commands = Path(sys.executable).parent
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": local_store(user.home).tracking_uri,
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
    }
    serve = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"runs:/{run.info.run_id}/model"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*serve, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def post(content):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", content, {"Content-Type": "application/json"}
        )
        return json.loads(urllib.request.urlopen(request).read())

    def answers():
        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/ping").status == 200
        except OSError:
            return False

    try:
        wait_for(answers)
        example = (user.artifacts(run) / "model" / "serving_input_example.json").read_bytes()
        found = post(example)["predictions"]
        assert {row["class"] for row in found} <= {"oak", "fir"}
        assert sum(found[0][f"probability_{kind}"] for kind in ("oak", "fir")) == pytest.approx(1)
        tall = {"dataframe_records": [{"height": 36.0, "leaf": "needle"}]}
        assert post(json.dumps(tall).encode())["predictions"][0]["class"] == "fir"
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(json.dumps({"dataframe_records": [{"height": 36.0}]}).encode())
        assert refused.value.code == 400
        assert "Model is missing inputs ['leaf']" in refused.value.read().decode()
    finally:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.mark.slow
def test_a_sweep_registers_the_ensemble_of_its_best_setting(user):
    import mlflow

    command = ("-m", "data=iris", "training.num_epochs=2", "optimizer.learning_rate=0.001,0.3", "seed=0,1")
    refused = user.run("train", *command, "sweep.register=ensemble", status=2)
    assert (
        "sweep.register=ensemble: needs a name to register the model by: tracking.register=NAME"
        in refused.stderr
    )
    for _ in range(2):  # the second time nothing is left to do
        done = user.run("train", *command, "sweep.register=ensemble", "tracking.register=irises")
        assert "\nregistered  irises version 1\n" in done.stdout
    mlflow.set_tracking_uri(local_store(user.home).tracking_uri)
    client = mlflow.MlflowClient()
    runs = client.search_runs([not_none(client.get_experiment_by_name("iris")).experiment_id])
    (parent,) = (run for run in runs if tags.ENSEMBLE in run.data.tags)
    assert client.get_model_version("irises", "1").run_id == parent.info.run_id
    members = json.loads(parent.data.tags[tags.ENSEMBLE])
    rows = mlflow.pyfunc.load_model("models:/irises/1").input_example
    alone = [mlflow.pyfunc.load_model(f"runs:/{run_id}/model").predict(rows) for run_id in members]
    for run_id in members:
        client.delete_run(run_id)
    whole = mlflow.pyfunc.load_model("models:/irises/1").predict(rows)
    for name in (name for name in whole if name.startswith("probability_")):
        np.testing.assert_allclose(whole[name], (alone[0][name] + alone[1][name]) / 2)
    rows.to_csv(user.folder / "rows.csv", index=False)
    done = user.run("predict", f"run_id={parent.info.run_id}", "data.path=rows.csv")
    assert "an ensemble of 2 runs, whose answers are averaged" in done.stdout
