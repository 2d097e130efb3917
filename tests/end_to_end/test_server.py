"""Recording to a tracking server, and what happens when it is not there."""

import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from micrograde.tracking import quiet_environment


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def server(empty_store, tmp_path):
    """A real `mlflow server` on loopback, with a store of its own."""
    port = free_port()
    store = tmp_path / "server"
    store.mkdir()
    (store / "mlflow.db").write_bytes((empty_store / "mlruns" / "mlflow.db").read_bytes())
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    what = ["--backend-store-uri", f"sqlite:///{store}/mlflow.db", "--artifacts-destination", str(store)]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *where, *what],
        env=quiet_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/health")
            break
        except OSError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait()


def test_a_run_goes_to_the_server_and_is_compared_there(user, server):
    from mlflow import MlflowClient

    to_server = ("tracking=server", f"tracking.uri={server}")
    done = user.run("train", "training.num_epochs=2", "seed=5", *to_server)
    client = MlflowClient(server)
    (run,) = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert run.info.run_id in done.stdout
    assert (run.info.status, run.info.run_name) == ("FINISHED", "num_epochs=2 seed=5")
    assert [file.path for file in client.list_artifacts(run.info.run_id, "figures")] == [
        "figures/confusion_matrix.svg",
        "figures/learning_curves.svg",
    ]
    assert user.runs() == []
    assert run.info.run_id[:8] in user.run("compare", *to_server).stdout


def test_without_its_server_a_run_is_kept_on_disk_and_no_password_is_shown(user):
    address = f"http://me:secret@127.0.0.1:{free_port()}"
    done = user.run("train", "training.num_epochs=1", "tracking=server", f"tracking.uri={address}", status=1)
    assert done.stderr.startswith("the run could not be recorded: ")
    assert len(done.stderr.splitlines()) == 1
    kept = done.stderr.rpartition("is kept in ")[2].strip()
    assert str(user.home / "mlruns" / "launches") in kept
    written = [path for path in user.files() if path.startswith(kept)]
    assert any(path.endswith("weights.safetensors") for path in written)
    for path in written:
        assert b"secret" not in open(path, "rb").read()
    assert "secret" not in done.stdout + done.stderr
