"""A password in a tracking server's address is in no file, no line and no store afterwards."""

import shutil

import pytest
from benchmarks.servers import MlflowServer, free_port

from micrograde.tracking import without_password

pytestmark = pytest.mark.slow  # each of them runs commands

SECRET = "swordfish"
WRITTEN = [f"me:{SECRET}@", f"me:p%40{SECRET}%2Fw%3Ard@", f"{SECRET}@", f"me:p@{SECRET}:@"]
SWEEP = ("-m", "seed=0,1")


@pytest.fixture(scope="module")
def server(empty_store, tmp_path_factory):
    """A real `mlflow server`, which takes any user and password; its folder and port."""
    store = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store / "mlruns" / "mlflow.db", store)
    with MlflowServer(store) as server:
        yield store, server.port


def check(user, done, *folders):
    assert SECRET not in done.stdout + done.stderr
    for folder in (user.home, user.folder, *folders):
        for path in folder.rglob("*"):
            assert SECRET not in str(path)
            assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.parametrize("what", [(), SWEEP, (*SWEEP, "hydra/launcher=joblib", "hydra.launcher.n_jobs=1")])
def test_recorded_by_a_server(user, server, what):
    if "hydra/launcher=joblib" in what:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    store, port = server
    where = ("tracking=server", f"tracking.uri=http://{WRITTEN[1]}127.0.0.1:{port}")
    check(user, user.run("train", *what, "data=iris", "training.num_epochs=1", *where), store)
    check(user, user.run("compare", *(["sweep=latest"] if what else []), *where), store)


@pytest.mark.slow
@pytest.mark.parametrize("part", WRITTEN[2:])
def test_a_server_that_is_not_there(user, part):
    port = free_port()
    where = ("tracking=server", f"tracking.uri=http://{part}127.0.0.1:{port}")
    done = user.run("train", "data=iris", "training.num_epochs=1", *where, status=None)
    assert f"//***@127.0.0.1:{port}" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    check(user, done)


@pytest.mark.parametrize(
    ("pipeline", "what"), [("train", SWEEP), ("compare", ()), ("replay", ("run_id=12345678",))]
)
def test_a_server_that_cannot_be_asked(user, pipeline, what):
    where = ("tracking=server", f"tracking.uri=http://me:{SECRET}@127.0.0.1:{free_port()}")
    done = user.run(pipeline, *what, *where, status=None)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    check(user, done)


@pytest.mark.parametrize(
    "address",
    [
        f"http://me:{SECRET}@host[",
        f"http://me:{SECRET}@host]x",
        f"'http://me:{SECRET}@host",
        f"http://me:{SECRET},x@host",
        f"http://me:{SECRET}" + "{@host",
        f"http://me:{SECRET}" + "$" + "{@host",
        f"ftp://me:{SECRET}@host",
        f"me:{SECRET}@host",
        f"//me:{SECRET}@host",
        f"http:/me:{SECRET}@host",
        f"http://me:p@ss/w:{SECRET}@host",
        f"http://me:p#{SECRET}@host",
        f"http://me:p?{SECRET}@host",
        f"http://me:{SECRET}@host:port",
        f"'http://me:p {SECRET}@host'",
        f"http://me:{SECRET}",
        f"[http://me:{SECRET}@host]",
        "{a:" + SECRET + "}",
    ],
)
def test_an_address_that_is_wrong(user, address):
    before = user.files()
    done = user.run("train", "tracking=server", f"tracking.uri={address}", status=2)
    assert done.stderr.count("\n") == 1
    check(user, done)
    assert user.files() == before


def test_the_password_is_taken_out_whole():
    for part in WRITTEN:
        for scheme in ("http", "https", "postgresql+psycopg"):
            hidden = without_password(f"see {scheme}://{part}host:5000/x and a@b")
            assert hidden == f"see {scheme}://***@host:5000/x and a@b"
    for text in ("file:///home/me@work/a.csv", "sqlite:////home/me@work/mlflow.db", "a@b", "http://host/x"):
        assert without_password(text) == text
