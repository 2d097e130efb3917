"""A project that is moved or copied with all its runs, and an experiment that MLflow made somewhere else."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from tests.conftest import User

from micrograde.results import Run
from micrograde.tracking import local_store

pytestmark = pytest.mark.slow  # each of them runs commands

TRAIN = ("data=moons", "training.num_epochs=2")


@pytest.fixture(scope="module")
def project(make_user):
    """A run, a sweep, and a run that was killed."""
    user = make_user("moving")
    user.run("train", *TRAIN, "tracking.register=moons")
    user.run("train", "-m", *TRAIN, "seed=1,2")
    process = user.start("train", "data=moons", "training.num_epochs=3000", "training.checkpoint_seconds=0.1")
    for line in process.stdout:
        if (found := re.match(r"epoch +(\d+)/", line)) and int(found[1]) >= 100:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    user.wait_until_written()
    return user


def addresses(home) -> str:
    """All that the store keeps, as one text."""
    with closing(sqlite3.connect(home / "mlruns" / "mlflow.db")) as connection:
        return "\n".join(connection.iterdump())


@pytest.fixture(params=["copied", "moved"])
def there(request, project, tmp_path):
    """The project at its new place; moved, the old one is gone for as long as the test takes."""
    home = tmp_path / "mlruns of ü" / "home"
    shutil.copytree(project.home, home)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if request.param == "copied":
        before = {path: (home / path).read_bytes() for path in files_of(home)}
        yield User(home, folder)
        assert {path: (project.home / path).read_bytes() for path in files_of(project.home)} == before
    else:
        aside = project.home.rename(tmp_path / "aside")
        yield User(home, folder)
        assert not project.home.exists()
        aside.rename(project.home)


def files_of(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_everything_goes_on(project, there):
    line = f"mlruns was in {project.home}: "
    compared = there.run("compare")
    assert compared.stderr.startswith(line)
    assert len(compared.stderr.splitlines()) == 1
    assert str(project.home) not in addresses(there.home)
    (sweep,) = (run for run in there.runs() if "micrograde.sweep_digest" in run.data.tags)
    (killed,) = (run for run in there.runs() if run.info.status == "KILLED")
    (single,) = (run for run in there.runs() if run.data.params.get("seed") == "0" and run != killed)
    single = single if single.info.status == "FINISHED" else killed
    for run in there.runs():
        assert there.client.list_artifacts(run.info.run_id, "config") or run.info.run_id == sweep.info.run_id
    (version,) = there.client.search_model_versions("name='moons'")
    code = f"import mlflow; mlflow.pyfunc.load_model({version.source!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=there.folder)
    assert "identical" in there.run("replay", f"run_id={single.info.run_id}").stdout
    assert "2 of them from before" in there.run("train", "-m", *TRAIN, "seed=1,2").stdout
    resumed = there.run("train", f"training.resume={killed.info.run_id}")
    assert re.search(r"resuming .* after epoch \d+", resumed.stdout)
    new = there.run("train", *TRAIN, "experiment_name=new")
    assert new.stderr == ""
    assert "learning_curves" in Run.load(single.info.run_id, local_store(there.home)).figures


def test_files_are_read_before_anything_is_mended(project, there):
    """In Python no command comes first; and a store may be one that nobody may write to."""
    run = next(run for run in project_runs(there) if run.info.status == "FINISHED" and run.data.params)
    assert Run.load(run.info.run_id, local_store(there.home)).model
    lock = there.home / "mlruns" / "mlflow.lock"
    lock.unlink()
    lock.mkdir()
    before = addresses(there.home)
    done = there.run("replay", f"run_id={run.info.run_id}")
    assert ("identical" in done.stdout, done.stderr, addresses(there.home)) == (True, "", before)


def project_runs(user):
    return [run for run in user.runs() if "micrograde.sweep_digest" not in run.data.tags]


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
