from pathlib import Path

from micrograde.tracking import local_store, project_home, quiet_environment, server_store
from micrograde.tracking.store import make_launch_folder, without_password

ROOT = Path(__file__).parents[2]


def test_home_is_the_checkout_whatever_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("MICROGRADE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert project_home() == ROOT
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    assert project_home() == tmp_path


def test_locations(tmp_path):
    local, server = local_store(tmp_path), server_store("http://127.0.0.1:1", tmp_path)
    assert local.tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert local.artifact_root == tmp_path / "mlruns" / "artifacts"
    assert (server.tracking_uri, server.artifact_root) == ("http://127.0.0.1:1", None)
    assert local.folder == server.folder == tmp_path / "mlruns"


def test_launches_of_the_same_second_do_not_share_a_folder(tmp_path):
    folders = {make_launch_folder(local_store(tmp_path)) for _ in range(50)}
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
