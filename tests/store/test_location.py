from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.store import local_store, make_store, server_store
from micrograde.store.library_environment import quiet_environment
from micrograde.store.location import StoreLock, making_launch_folder, place_launch_folder

ROOT = Path(__file__).parents[2]


def test_a_new_store_is_whole_and_keeps_all_files_in_its_folder(empty_store):
    from mlflow import MlflowClient

    (experiment,) = MlflowClient(local_store(empty_store).tracking_uri).search_experiments()
    assert experiment.artifact_location == (empty_store / "mlruns" / "artifacts" / "0").as_uri()
    assert {path.name for path in (empty_store / "mlruns").iterdir()} == {"mlflow.db", "mlflow.lock"}


def test_a_store_that_exists_is_left_alone(tmp_path):
    (tmp_path / "mlruns").mkdir()
    database = tmp_path / "mlruns" / "mlflow.db"
    database.write_text("what the user has")
    make_store(local_store(tmp_path))
    assert database.read_text() == "what the user has"


def test_the_lock_is_held_by_one_and_let_go_of_while_waiting(tmp_path):
    lock = StoreLock(local_store(tmp_path))
    other = FileLock(tmp_path / "mlruns" / "mlflow.lock", timeout=0)

    def is_free():
        with ThreadPoolExecutor(1) as pool:  # the same thread would be told of a deadlock
            return pool.submit(acquire).result()

    def acquire():
        try:
            other.acquire()
        except Timeout:
            return False
        other.release()
        return True

    with lock, lock:
        assert not is_free()
        with lock.released():
            assert is_free()
        assert not is_free()
    assert is_free()


@pytest.mark.parametrize("name", ["100%", "what?"])
def test_a_path_that_mlflow_cannot_read_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"MLflow has no store in a folder with % or \? in its path"):
        local_store(tmp_path / name)


def test_locations(tmp_path):
    local, server = local_store(tmp_path), server_store("http://127.0.0.1:1", tmp_path)
    assert local.tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert local.artifact_root == tmp_path / "mlruns" / "artifacts"
    assert (server.tracking_uri, server.artifact_root) == ("http://127.0.0.1:1", None)
    assert local.folder == server.folder == tmp_path / "mlruns"


def test_launches_of_the_same_second_do_not_share_a_folder(tmp_path):
    location = local_store(tmp_path)
    folders: set[Path] = set()
    for _ in range(50):
        with making_launch_folder(location) as made:
            assert not list((location.folder / "launches").glob("*")) or folders
            folders.add(place_launch_folder(made, location))
    assert len(folders) == 50
    assert all(folder.parent == tmp_path / "mlruns" / "launches" for folder in folders)


def test_usage_reporting_is_off_whatever_the_user_has_set(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    environment = quiet_environment()
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == environment["DO_NOT_TRACK"] == "true"


def test_passwords_are_not_shown():
    assert without_password("at https://me:secret@host/x") == "at https://***@host/x"
    assert without_password("postgresql://me:se@cret@host") == "postgresql://***@host"
    assert without_password("mail me@host") == "mail me@host"
