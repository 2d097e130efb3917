"""A project that is moved or copied with all its runs, and an experiment that MLflow made somewhere else."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import User

from micrograde.api.results import Run
from micrograde.store import local_store

pytestmark = pytest.mark.slow  # each of them runs commands

TRAIN = ("data=moons", "training.num_epochs=2")


@pytest.fixture
def project(make_user):
    """A run, a sweep, and a run that was killed."""
    user = make_user("moving")
    user.run("train", *TRAIN, "tracking.register=moons")
    user.run("train", "-m", *TRAIN, "seed=1,2")
    process = user.start("train", "data=moons", "training.num_epochs=600", "training.checkpoint_seconds=0.1")
    for line in process.stdout:
        if (found := re.match(r"epoch +(\d+)/", line)) and int(found[1]) >= 100:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    user.wait_until_written()
    return user


def addresses(home: Path) -> str:
    """All that the store keeps, as one text."""
    with closing(sqlite3.connect(home / "mlruns" / "mlflow.db")) as connection:
        return "\n".join(connection.iterdump())


@pytest.fixture
def moved(project, tmp_path):
    """A copy of the project, with nothing at its old place for as long as the test takes."""
    home = tmp_path / "mlruns of ü" / "home"
    shutil.copytree(project.home, home)
    aside = project.home.rename(tmp_path / "aside")
    before = {path: (aside / path).read_bytes() for path in files_of(aside)}
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    yield User(home, folder)
    assert not project.home.exists()
    assert {path: (aside / path).read_bytes() for path in files_of(aside)} == before


def files_of(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_everything_goes_on(project, moved):
    line = f"mlruns was in {project.home}: "
    compared = moved.run("compare")
    assert compared.stderr.startswith(line)
    assert len(compared.stderr.splitlines()) == 1
    assert str(project.home) not in addresses(moved.home)
    runs = [run for run in moved.runs() if "micrograde.sweep_digest" not in run.data.tags]
    assert len(runs) == 4
    for run in runs:
        assert moved.client.list_artifacts(run.info.run_id, "config")
    (killed,) = (run.info.run_id for run in runs if run.info.status == "KILLED")
    (single,) = (
        run.info.run_id for run in runs if run.data.params["seed"] == "0" and run.info.status == "FINISHED"
    )
    (version,) = moved.client.search_model_versions("name='moons'")
    code = f"import mlflow; mlflow.pyfunc.load_model({version.source!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=moved.folder)
    assert "identical" in moved.run("replay", f"run_id={single}").stdout
    assert "2 of them from before" in moved.run("train", "-m", *TRAIN, "seed=1,2").stdout
    resumed = moved.run("train", f"training.resume={killed}")
    assert re.search(r"resuming .* after epoch \d+", resumed.stdout)
    new = moved.run("train", *TRAIN, "experiment_name=new")
    assert new.stderr == ""
    assert "learning_curves" in Run.load(single, local_store(moved.home)).figures


def test_of_an_experiment_that_mlflow_made_elsewhere_all_runs_lie_here(user, tmp_path):
    place = tmp_path / "notebooks"
    place.mkdir()
    code = "import mlflow; mlflow.set_experiment('theirs')\nwith mlflow.start_run(): mlflow.log_text('x', 'x.txt')"
    uri = local_store(user.home).tracking_uri
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=place, env=environment)
    before = {path: (place / path).read_bytes() for path in files_of(place)}
    assert len(before) == 1
    for command in (TRAIN, ("-m", *TRAIN, "seed=1,2")):
        user.run("train", *command, "experiment_name=theirs", "tracking.register=moons")
    assert {path: (place / path).read_bytes() for path in files_of(place)} == before
    runs = [run for run in user.runs() if run.data.tags.get("micrograde.version")]
    assert len(runs) == 4
    for run in runs:
        assert run.info.experiment_id == runs[0].info.experiment_id
        assert user.client.list_artifacts(run.info.run_id)
        assert user.artifacts(run).is_relative_to(user.home / "mlruns")
    for run in user.runs():
        if not run.data.tags.get("micrograde.version"):  # their own run, where it was
            assert user.client.list_artifacts(run.info.run_id)[0].path == "x.txt"
        elif run.data.params.get("seed") == "0":
            assert "identical" in user.run("replay", f"run_id={run.info.run_id}").stdout
    for model in user.client.search_logged_models([runs[0].info.experiment_id]):
        assert model.artifact_location.startswith((user.home / "mlruns").as_uri())
