"""Whose address is followed: the tracking server's and what the config names, never one that a record brings.

Passwords go to the server that they are for and nowhere else, whatever it answers.
"""

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.narrowing import of_type
from tests.records import STOPPED, stored_run

from micrograde.config.parsing import parse_tracking, parse_train_config
from micrograde.config.schema import as_params
from micrograde.core.errors import InputError
from micrograde.runs.files import files_of
from micrograde.store import check_experiment, open_files, server_store
from micrograde.store.backends.server import ServerTracking
from micrograde.store.event_writer import Recording
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.logged_model import log_model
from micrograde.store.mlflow_server import ServerStore
from micrograde.store.mlflow_writer import MlflowWriter
from micrograde.store.server_files import ForeignAddressError, check_address, parse_address
from micrograde.tracking.events import RunStarted

SECRET = "swordfish"
RUN = "0123456789abcdef" * 2


@dataclass
class Answers:
    """Where a server redirects to, if anywhere, and with which status."""

    to: str | None = None
    status: int = 302


class Listener(ThreadingHTTPServer):
    """A server that keeps what it is asked, and answers as it is told: with a redirect, or nothing much."""

    def __init__(self):
        heard = self.heard = []
        answers = self.answers = Answers()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                heard.append((self.command, self.path, dict(self.headers.items()), body))
                content = b"{}"
                self.send_response(answers.status if answers.to else 200)
                if answers.to:
                    self.send_header("Location", f"{answers.to}{self.path}")
                    self.send_header("Set-Cookie", f"session={SECRET}")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = answer  # noqa: N815

            def log_message(self, *told):
                """Nobody looks."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True

    @property
    def where(self):
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def listening():
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server():
    with listening() as server:
        yield server


@pytest.fixture
def other():
    with listening() as server:
        yield server


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """No credentials but those of the test."""
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


# --- which addresses are followed -----------------------------------------------------------------

SERVER = f"https://me:{SECRET}@mlflow.example/sub"
HERE = server_store(SERVER, Path("/nowhere"))
ENDPOINT = "https://mlflow.example/sub/api/2.0/mlflow-artifacts/artifacts"


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("mlflow-artifacts:/1/r/artifacts", "mlflow-artifacts:/1/r/artifacts"),
        ("mlflow-artifacts:///1/r", "mlflow-artifacts:/1/r"),
        ("mlflow-artifacts://mlflow.example/1/r", "mlflow-artifacts:/1/r"),
        ("mlflow-artifacts://MLflow.example:443/1/r", "mlflow-artifacts:/1/r"),
        (f"{ENDPOINT}/1/r", "mlflow-artifacts:/1/r"),
        (f"{ENDPOINT.replace('example', 'example:443')}/1/a%20b", "mlflow-artifacts:/1/a%20b"),
    ],
)
def test_the_servers_own_is_opened_with_the_address_that_was_typed(address, opened):
    assert check_address(address, HERE, "run") == opened


FOREIGN = [
    "mlflow-artifacts://other-host/1",
    "mlflow-artifacts://mlflow.example:5000/1",
    "mlflow-artifacts://mlflow.example.evil/1",
    "mlflow-artifacts://me@mlflow.example/1",
    "mlflow-artifacts://mlflow.example@evil/1",
    "mlflow-artifacts:/../../x",
    "mlflow-artifacts:/%2e%2e/x",
    "mlflow-artifacts:/%252e%252e/x",
    "mlflow-artifacts:/a%2f..%2fx",
    "mlflow-artifacts:/a?x=1",
    "mlflow-artifacts:/a#x",
    "mlflow-artifacts://mlflow.example\\@evil/1",
    "http://mlflow.example/sub/api/2.0/mlflow-artifacts/artifacts/1",
    "https://mlflow.example/api/2.0/mlflow-artifacts/artifacts/1",
    "https://mlflow.example/sub/api/2.0/mlflow-artifacts/artifacts-evil/1",
    "https://mlflow.example/sub/secret",
    "https://other/sub/api/2.0/mlflow-artifacts/artifacts/1",
    "s3://bucket",
    "s3://bucket-evil/mlflow",
    "s3://bucket/mlflow-evil/1",
    "s3://bucket/mlflow/../1",
    "s3://bucket/mlflow/%2E%2e/1",
    "s3://me@bucket/mlflow/1",
    "s3://bucket:/mlflow/1",
    "s3://bucket:80/mlflow/1",
    "s3a://bucket/mlflow/1",
    "gs://bucket/mlflow/1",
    "file:///etc",
    "/etc",
    "relative/folder",
    "sftp://me:pw@host/x",
]
NONE_SUCH = [
    "",
    "s3://",
    "sftp://",
    "mlflow-artifacts:",
    "mlflow-artifacts:/",
    "mlflow-artifacts://",
    "mlflow-artifacts:/api/2.0/mlflow-artifacts/artifacts",
    "mlflow-artifacts://:5000/1",
    "runs:/abc/model",
    "models:/name/1",
    "models:/name@champion",
    "file://[x",
    "http://[x",
    "http://host:port/1",
    "http://host:99999/1",
    "file://elsewhere/x",
    "s3:bucket",
    "http:/mlflow.example/sub",
    "databricks",
    "s3://buc\0ket/x",
    "s3://bucket/a\nb",
    "s3://bucket/\x1b[31mred",
    "s3://bucket/\u202egpj",
    "s3://bucket/" + "x" * 4000,
    "x" * 4000,
    "%",
    "://",
    ":",
    "//",
    "/\0",
]


@pytest.mark.parametrize("named", [None, "s3://bucket/mlflow"])
@pytest.mark.parametrize("address", [*FOREIGN, *NONE_SUCH])
def test_no_other_address_is_followed_and_one_short_line_says_so(address, named):
    location = server_store(SERVER, Path("/nowhere"), named)
    with pytest.raises(ForeignAddressError) as error:
        check_address(address, location, "run 7")
    line = str(error.value)
    assert line.startswith("run 7: its files are at ")
    assert line.isprintable()
    assert len(line) < 600
    with (
        pytest.raises(InputError, match="its files are at"),
        files_of(stored_run(artifact_uri=address), location),
    ):
        pass


@given(st.sampled_from([*FOREIGN[:-1], "s3://bucket/a b/c", "gs://x/y=1,2", f"s3://b/1/{RUN}/artifacts"]))
def test_what_the_line_says_to_type_is_taken_and_opens_the_address(address):
    try:
        check_address(address, HERE, "run")
    except ForeignAddressError as error:
        _, _, advice = str(error).partition("add ")
    assume(advice)
    typed = advice.strip("'").removeprefix("tracking.artifacts=").strip('"')
    tracking = parse_tracking({"tracking": {"name": "server", "uri": SERVER, "artifacts": typed}})
    assert (
        check_address(
            address,
            server_store(SERVER, Path("/nowhere"), of_type(ServerTracking, tracking).artifacts),
            "run",
        )
        == address
    )


PARTS = st.text("ab.%2eE/\\ ", max_size=5)


@given(
    st.lists(PARTS, max_size=4), st.sampled_from(["s3://bucket/in", "file:///in", "/in", "https://host/in"])
)
def test_what_lies_within_a_named_store_lies_there_however_it_is_read(steps, named):
    """By segments: nothing that leads up, once it is unquoted ever so often, gets through."""
    from urllib.parse import unquote

    address = "/".join([named, *steps])
    location = server_store(SERVER, Path("/nowhere"), named)
    try:
        check_address(address, location, "run")
    except ForeignAddressError:
        return
    for _ in range(20):
        address = unquote(address)
    assert ".." not in address.split("/")
    assert "\\" not in address


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("s3://", "a store such as"),
        ("runs:/x", "a store such as"),
        ("relative", "a store such as"),
        ("/", "a store such as"),
        ("/a/../b", "a store such as"),
        ("s3://b/\0", "a store such as"),
        ("x" * 4000, "a store such as"),
        (f"https://me:{SECRET}@host/x", "no password"),
        (f"sftp://me:{SECRET}@host/x", "no password"),
    ],
)
def test_a_store_that_is_none_is_refused_in_the_config(value, reason):
    with pytest.raises(InputError) as error:
        parse_tracking({"tracking": {"name": "server", "artifacts": value}})
    assert reason in str(error.value)
    assert SECRET not in str(error.value)


def test_the_named_store_is_no_param_of_a_run():
    """Runs of earlier versions have none, and would seem to differ in it."""
    config = parse_train_config({**STOPPED, "tracking": {"name": "server", "artifacts": "s3://bucket/x"}})
    assert of_type(ServerTracking, config.tracking).artifacts == "s3://bucket/x"
    assert "tracking.uri" in as_params(config)
    assert "tracking.artifacts" not in as_params(config)


def test_a_named_folder_is_read_where_it_is_and_links_in_it_lead_nowhere(tmp_path):
    shared, secret = tmp_path / "shared", tmp_path / "secret"
    (shared / "1" / "config").mkdir(parents=True)
    (secret / "config").mkdir(parents=True)
    (shared / "out").symlink_to(secret)
    location = server_store(SERVER, tmp_path, str(shared))
    with files_of(stored_run(artifact_uri=(shared / "1").as_uri()), location) as folder:
        assert folder == shared / "1"
    for address in (shared / "out", shared / ".." / "secret", secret, tmp_path / "shared-not"):
        with pytest.raises(ForeignAddressError):
            check_address(str(address), location, "run")


# --- each use of files ----------------------------------------------------------------------------


def evil(other):
    return f"mlflow-artifacts://{other.where}/1/{RUN}/artifacts"


class Client:
    """MLflow's, of a server that says of everything that its files are elsewhere."""

    def __init__(self, address):
        self.address, self.done = address, []
        self.info = SimpleNamespace(
            run_id=RUN,
            experiment_id="1",
            artifact_uri=address,
            lifecycle_stage="active",
            status="RUNNING",
        )

    def get_experiment_by_name(self, _):
        return SimpleNamespace(experiment_id="1", lifecycle_stage="active", artifact_location="")

    def create_run(self, *_):
        return SimpleNamespace(info=self.info, data=SimpleNamespace(tags={}, params={}, _metric_objs=[]))

    def get_run(self, _):
        return self.create_run()

    def search_logged_models(self, *_):
        return []

    def __getattr__(self, name):
        return lambda *_: self.done.append(name)


def client_of(address: str) -> Any:
    """Such a client, which those that are given it take for MLflow's."""
    return Client(address)


def test_a_writer_puts_nothing_elsewhere(server, other, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    location = server_store(f"http://{server.where}", tmp_path)
    (tmp_path / "run-0" / "model").mkdir(parents=True)
    (tmp_path / "run-0" / "model" / "weights").write_text("1")
    client = client_of(evil(other))
    store = ServerStore(client, location)
    with pytest.raises(ForeignAddressError, match=f"run {RUN}: its files are at"):
        store.keep_files(tmp_path / "run-0", client.info)
    with pytest.raises(ForeignAddressError, match=f"run {RUN}: its files are at"):
        log_model(store, RUN, shown_with=RUN)
    writer = MlflowWriter(store, Recording(tmp_path))
    writer.write([RunStarted(0, 1, "toys", "a run", {"a": "b"}, {})])
    assert isinstance(writer.failure, ForeignAddressError)  # before anything is written of the run
    assert client.done == ["set_tag", "set_terminated"]  # it is not left RUNNING
    assert other.heard == []


def test_a_launch_asks_where_the_files_of_its_experiment_are(other, tmp_path, monkeypatch):
    from micrograde.store import experiment_check

    found = experiment_check.Found("1", "active", evil(other).rpartition(f"/{RUN}")[0])
    monkeypatch.setattr(experiment_check, "_on_server", lambda *_: found)
    with pytest.raises(
        InputError, match=f"experiment_name=toys: .*tracking.artifacts={found.artifact_location}$"
    ):
        check_experiment("toys", server_store("http://host", tmp_path))
    check_experiment("toys", server_store("http://host", tmp_path, f"mlflow-artifacts://{other.where}"))


# --- where passwords go ---------------------------------------------------------------------------


def credentials_in(heard):
    return [request for request in heard if SECRET in str(request) or "Authorization" in request[2]]


@pytest.fixture(params=["address", "variables", "token", "netrc"])
def user(request, monkeypatch, tmp_path):
    """Credentials, given in one of the ways there are; what stands before the host in the address."""
    if request.param == "variables":
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    elif request.param == "token":
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    elif request.param == "netrc":
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        (tmp_path / ".netrc").chmod(0o600)
    return f"me:{SECRET}@" if request.param == "address" else ""


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_to_another_server_carries_no_credentials(server, other, tmp_path, user, status):
    from mlflow import MlflowClient

    uri = f"http://{user}{server.where}"
    location = server_store(uri, tmp_path)
    server.answers.to, server.answers.status = f"http://{other.where}", status
    (tmp_path / "run-0").mkdir()
    (tmp_path / "run-0" / "train.log").write_text("so far")
    client = client_of(f"mlflow-artifacts:/1/{RUN}/artifacts")
    check_experiment("toys", location)
    with quiet_libraries():
        for call in (
            lambda: MlflowClient(uri).get_run(RUN),
            lambda: MlflowClient(uri).create_experiment("toys"),
            lambda: ServerStore(client, location).keep_files(tmp_path / "run-0", client.info),
            lambda: open_files(client.address, location, "run").download_artifacts("a", str(tmp_path)),
        ):
            with suppress(Exception):  # what the other server says is nonsense
                call()
    assert credentials_in(server.heard), "the server itself is told who asks"
    assert other.heard, "redirects are followed"
    assert credentials_in(other.heard) == []


def test_one_within_the_server_keeps_them(server, user):
    from mlflow import MlflowClient

    server.answers.to, server.answers.status = f"http://{server.where}", 307
    with quiet_libraries(), pytest.raises(Exception, match="redirects"):
        MlflowClient(f"http://{user}{server.where}").get_run(RUN)
    assert all("Authorization" in request[2] for request in server.heard)
    assert len(server.heard) > 1


def test_requests_is_left_as_it_was():
    from requests.sessions import SessionRedirectMixin

    before = SessionRedirectMixin.rebuild_auth
    with quiet_libraries(), quiet_libraries():
        assert SessionRedirectMixin.rebuild_auth is not before
    assert SessionRedirectMixin.rebuild_auth is before


def test_a_server_cannot_have_files_fetched_from_elsewhere_by_signed_addresses(server, tmp_path, monkeypatch):
    """MLflow would ask whether it hands out such; unless the user's own variable says so it is not asked."""
    monkeypatch.delenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", raising=False)
    location = server_store(f"http://{server.where}", tmp_path)
    with quiet_libraries():
        open_files(f"mlflow-artifacts:/1/{RUN}/artifacts", location, "run").download_artifacts(
            "a", str(tmp_path)
        )
    assert not [path for _, path, _, _ in server.heard if "presigned" in path or "server-info" in path]


def test_parsing_takes_no_longer_than_an_address_is_long():
    for text in ("a" * 10**6, "s3://" + "%25" * 300, "://" * 300):
        parse_address(text)
