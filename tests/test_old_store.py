"""A store that version 0.1 wrote goes on working, wherever it is unpacked."""

from pathlib import Path

import pytest
from tests.conftest import is_newer_than_mlflow, unpack_old_home

import micrograde as mg
from micrograde.analysis import load_runs, load_sweeps
from micrograde.core.errors import InputError
from micrograde.runs.predicting import predict_table
from micrograde.runs.recorded_models import find_model
from micrograde.runs.replaying import replay_run
from micrograde.store import load_run, local_store, tags
from micrograde.store.backends.local import LocalTracking

IRIS = "fd7185c0fa6e4d97aad025e30a6e0e3a"
WINE = "602036e067714a06809e9d25b18912c0"
KILLED = "7e28b823899f41d2983462c1ec6a5f8f"
PENGUINS, ZOO = "f8bb5a0c70384acfba295a2571414efb", "7856e3f6449341a5875825d3ecfd42c3"
SWEEP = "aa22009bbb184e35a771d18da4c45641"
MEMBERS = (
    "c31f4ec2d64244cb9f5a3ff9ff1f7afb",
    "cd6a6009c78f41d987d410e6618d0288",
    "105bab4dc422473a8c24a147048a63cb",
    "7fb44fc7ccb94e959c8a63517d6ae3f7",
)
WRITTEN_IN = Path("/home/user/micrograde")
BY_THEMSELVES = (IRIS, WINE, PENGUINS, ZOO)
COMMAND = ("data=moons", "seed=range(2)", "optimizer.learning_rate=0.1,0.5", "training.num_epochs=6")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The old home for tests that only read it, in a folder whose name asks for quoting."""
    return unpack_old_home(tmp_path_factory.mktemp("an old store") / "ünder a new name")


@pytest.fixture
def there(unpacked, monkeypatch):
    """Be in that home."""
    monkeypatch.setenv("MICROGRADE_HOME", str(unpacked))
    monkeypatch.chdir(unpacked)
    return local_store(unpacked)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Be in a copy that the test may write to."""
    home = unpack_old_home(tmp_path / "copy")
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    monkeypatch.chdir(home)
    return local_store(home)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("run_id", [*BY_THEMSELVES, *MEMBERS, KILLED])
def test_every_run_replays_identical(run_id):
    replay = replay_run(run_id, LocalTracking())
    assert [str(each) for each in replay.metrics if each.different or not each.recorded] == []
    assert replay.identical
    assert sum(each.values for each in replay.metrics) >= 178
    assert not any(line.startswith("data digest") for line in replay.differences)


def test_all_runs_are_listed(there):
    runs = load_runs(there.tracking_uri).set_index("run_id")
    assert set(runs.index) == {*BY_THEMSELVES, *MEMBERS, KILLED}
    assert runs["status"].to_dict() == {**dict.fromkeys(runs.index, "FINISHED"), KILLED: "KILLED"}
    assert runs["val/accuracy"][PENGUINS] > 0.9
    assert load_sweeps(there.tracking_uri)["run_id"].to_list() == [SWEEP]


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(("run_id", "table"), [(PENGUINS, "penguins"), (ZOO, "zoo")])
def test_models_predict(run_id, table):
    model = find_model(run_id, LocalTracking())
    assert model.run.about.run_id == run_id
    path = f"tables/{table}.csv"
    if table == "penguins":  # it was trained with missing=drop, and a table to predict must be whole
        import pandas as pd

        pd.read_csv(path).dropna().to_csv("whole.csv", index=False)
        path = "whole.csv"
    predictions = predict_table(model, path)
    assert predictions.known > 90
    assert predictions.accuracy is not None
    assert predictions.accuracy > 0.9


@pytest.mark.usefixtures("there")
def test_a_sweep_is_known_by_its_best_run_and_a_run_that_was_killed_has_no_model():
    assert find_model(SWEEP, LocalTracking()).run.about.run_id == MEMBERS[0]
    with pytest.raises(InputError, match="has left no model; the run is KILLED"):
        find_model(KILLED, LocalTracking())


def test_the_ui_finds_files_and_models_are_served(there):
    import mlflow
    from sklearn.datasets import load_iris

    find_model(IRIS, LocalTracking())  # any command will do
    if is_newer_than_mlflow(there):
        return
    client = mlflow.MlflowClient(there.tracking_uri)
    for run_id in (*BY_THEMSELVES, *MEMBERS):
        figures = {file.path for file in client.list_artifacts(run_id, "figures")}
        assert "figures/learning_curves.svg" in figures, run_id
    assert client.list_artifacts(SWEEP)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(there.tracking_uri)
    try:
        served = mlflow.pyfunc.load_model(f"runs:/{IRIS}/model")
        (logged,) = mlflow.search_logged_models(
            ["1"], output_format="list", filter_string="name = 'classifier'"
        )
        assert mlflow.pyfunc.load_model(logged.model_uri).metadata.run_id == IRIS
    finally:
        mlflow.set_tracking_uri(before)
    iris = load_iris(as_frame=True)
    predicted = served.predict(iris.data)["class"]
    assert (predicted == iris.target_names[iris.target]).mean() > 0.8


@pytest.mark.slow  # it begins a launch
def test_the_sweep_given_again_trains_nothing(own, capsys):
    """Where the project says that its networks are as they were by default."""
    home = Path.cwd()
    (home / "conf" / "model").mkdir(parents=True)
    (home / "micrograde.yaml").touch()
    (home / "conf" / "model" / "mlp.yaml").write_text("output_batch_norm: true\n")
    sweep = mg.sweep(*COMMAND)
    assert sweep.run_id == SWEEP
    assert set(sweep.runs["run_id"]) == set(MEMBERS)
    assert "4 of them from before" in capsys.readouterr().out
    assert set(load_runs(own.tracking_uri)["run_id"]) == {*BY_THEMSELVES, *MEMBERS, KILLED}


@pytest.mark.slow  # it trains 5,276 epochs
def test_the_killed_run_goes_on_to_its_end(own):
    run = mg.run(f"training.resume={KILLED}")
    assert (run.run_id, run.status) == (KILLED, "FINISHED")
    assert len(run.history) == 6000
    stored = load_run(own.tracking_uri, KILLED)
    assert stored.tags[tags.RESUMED].split() == ["74"]  # where its last checkpoint is
    assert tags.RESUMED_DIFFERS not in stored.tags
    assert Path(stored.artifact_uri.removeprefix("file://")).is_relative_to(own.folder)
    assert not WRITTEN_IN.exists()  # the folder that version 0.1 was in is not made again
    assert replay_run(KILLED, LocalTracking()).identical
