"""A run's files lie in ``mlruns/``, wherever its experiment has others."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.test_logged_model import BEST, DESCRIPTION, EVENTS, PARENT
from tests.store.writers import opened

from micrograde.store import local_store
from micrograde.tracking.events import ModelLogged, RunAdopted, RunEnded


@pytest.fixture
def location(home):
    return local_store(home)


@pytest.fixture
def client(location):
    from mlflow import MlflowClient

    return MlflowClient(location.tracking_uri)


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "else where" / "mlruns"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def folder(location):
    """A launch's, with files of both of its runs."""
    folder = location.folder / "launches" / "2026-01-01_00-00-00_a"
    for run in (PARENT, BEST):
        (folder / f"run-{run}" / "model").mkdir(parents=True)
        (folder / f"run-{run}" / "model" / "weights").write_text(f"0.{run}")
    return folder


def all_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "address", ["{elsewhere}/7", "file://{elsewhere}/7", "s3://bucket/x", "mlflow-artifacts:/7", "dbfs:/x"]
)
def test_of_an_experiment_that_has_its_files_elsewhere(location, client, folder, elsewhere, address):
    from mlflow.artifacts import list_artifacts

    client.create_experiment("toys", address.format(elsewhere=elsewhere))
    before = all_files(elsewhere.parent)
    writer = opened(client, location, folder)
    writer.write(EVENTS)
    best = writer.run_ids[BEST][0]
    writer.write([ModelLogged(PARENT, best, "toys"), RunEnded(PARENT, 9, "FINISHED", DESCRIPTION)])
    root = location.artifact_root
    for number in (PARENT, BEST):
        run_id, _ = writer.run_ids[number]
        run = client.get_run(run_id)
        assert Path(run.info.artifact_uri.removeprefix("file://")).is_relative_to(root)
        assert {each.path for each in client.list_artifacts(run_id, "model")} > {"model/weights"}
    (model,) = client.search_logged_models([run.info.experiment_id])
    (version,) = client.search_model_versions("name='toys'")
    for uri in (model.artifact_location, version.source):
        assert uri.startswith(f"{root.as_uri()}/toys-")
        assert {Path(each.path).name for each in list_artifacts(uri)} > {"weights", "MLmodel"}
    assert all_files(elsewhere.parent) == before


@pytest.mark.parametrize("address", ["runs:/x", "s3://", "relative/7", "x" * 4000, "file://elsewhere/x"])
def test_of_an_experiment_whose_address_is_none(location, client, folder, address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    client.create_experiment("toys", "s3://bucket/x")
    with closing(sqlite3.connect(location.database)) as store, store:
        store.execute("update experiments set artifact_location = ? where name = 'toys'", (address,))
    before = all_files(tmp_path) - all_files(location.folder.parent)
    writer = opened(client, location, folder)
    writer.write(EVENTS)
    run_id, _ = writer.run_ids[BEST]
    assert {each.path for each in client.list_artifacts(run_id, "model")} > {"model/weights"}
    here = str(location.folder.relative_to(tmp_path))
    assert {path for path in all_files(tmp_path) - before if not path.startswith(here)} <= {
        here.split("/")[0]
    }


def test_of_an_experiment_that_mlflow_made_in_mlruns_they_lie_there(location, client, folder):
    client.create_experiment("toys", f"{location.folder}/7")
    writer = opened(client, location, folder)
    writer.write(EVENTS)
    run_id, _ = writer.run_ids[BEST]
    assert client.get_run(run_id).info.artifact_uri == f"{location.folder}/7/{run_id}/artifacts"
    assert (location.folder / "7" / run_id / "artifacts" / "model" / "weights").exists()


def test_what_a_run_that_goes_on_had_left_stays_with_it(location, client, folder, elsewhere):
    """Its address is of a former place of the project; its files are here."""
    experiment_id = client.create_experiment("toys", f"{elsewhere}/7")
    run_id = client.create_run(experiment_id).info.run_id
    here = location.folder / "7" / run_id / "artifacts"
    here.mkdir(parents=True)
    (here / "train.log").write_text("so far")
    writer = opened(client, location, folder)
    writer.write([RunAdopted(PARENT, run_id, True), RunEnded(PARENT, 9, "FINISHED", DESCRIPTION)])
    assert {each.path for each in client.list_artifacts(run_id)} == {"train.log", "model"}
    assert client.get_run(run_id).info.artifact_uri == here.as_uri()


def test_a_model_that_lies_outside_is_not_read(location, client, folder, elsewhere):
    experiment_id = client.create_experiment("toys", f"{elsewhere}/7")
    run = client.create_run(experiment_id)
    model = elsewhere / "7" / run.info.run_id / "artifacts" / "model"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text("flavors: {}")
    writer = opened(client, location, folder)
    writer.write([RunAdopted(PARENT, run.info.run_id, False), ModelLogged(PARENT, None, "toys")])
    assert client.search_logged_models([experiment_id]) == []
    assert client.get_run(run.info.run_id).info.artifact_uri == run.info.artifact_uri
