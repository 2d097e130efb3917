"""Whether an experiment takes runs is found out without MLflow, in a local store and on a server.

A deleted one does not, nor one with its files where none are put; who cannot be asked is not waited for.
"""

import json
import sqlite3
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.narrowing import not_none

from micrograde.core.errors import InputError
from micrograde.store import check_experiment, local_store, server_store

STAGES = {"gone": "deleted", "there": "active", "away": "active", "odd": "active"}
PLACES = {"away": "s3://bucket/mlflow/7", "odd": "file://[x"}


@pytest.fixture
def local(tmp_path):
    location = local_store(tmp_path)
    location.folder.mkdir()
    assert location.database
    with closing(sqlite3.connect(location.database)) as database, database:
        database.execute(
            "create table experiments "
            "(experiment_id integer, name text, lifecycle_stage text, artifact_location text)"
        )
        rows = [(number, *each, PLACES.get(each[0])) for number, each in enumerate(STAGES.items(), start=7)]
        database.executemany("insert into experiments values (?, ?, ?, ?)", rows)
    return location


class Server(BaseHTTPRequestHandler):
    """As MLflow answers, to one who has the password."""

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        name = query.get("experiment_name", [list(STAGES)[-1]])[0]
        known = self.headers.get("Authorization") == "Basic bWU6c2VjcmV0"
        self.send_response(401 if not known else 200 if name in STAGES else 404)
        self.end_headers()
        self.answer(name)

    def answer(self, name):
        place = PLACES.get(name, "mlflow-artifacts:/7")
        answer = {"experiment_id": "7", "lifecycle_stage": STAGES.get(name), "artifact_location": place}
        none = {} if name in STAGES else {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is none"}
        self.wfile.write(json.dumps({"experiment": {"name": name, **answer}, **none}).encode())

    def do_POST(self):
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"]
        STAGES[name] = "active"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"experiment_id": "7"}')

    def log_message(self, *told):
        """Nobody looks."""


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "STAGES", {**STAGES})
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refusal(name, location):
    with pytest.raises(InputError) as error:
        check_experiment(name, location)
    return str(error.value)


def test_in_a_local_store(local):
    line = refusal("gone", local)
    assert line.startswith(
        "experiment_name=gone: was deleted in the store; choose another name, or restore it with: "
    )
    assert f"MLFLOW_TRACKING_URI={local.tracking_uri} " in line
    assert line.endswith(" -m mlflow experiments restore --experiment-id 7")
    for name in ("there", "new", "away"):
        check_experiment(name, local)
    assert refusal("odd", local) == (
        "experiment_name=odd: the store says that its files are at file://[x, which is not an address; "
        "choose another name"
    )


def test_on_a_server(address, tmp_path):
    server = server_store(f"http://me:secret@{address}", tmp_path)
    line = refusal("gone", server)
    assert "--experiment-id 7" in line
    assert "secret" not in line
    for name in ("there", "new", "a name & more"):
        check_experiment(name, server)
    check_experiment("gone", server_store(f"http://{address}", tmp_path))  # refused, so that nothing is known


def test_files_elsewhere_than_on_the_server_are_refused_unless_the_config_names_the_place(address, tmp_path):
    where = f"http://me:secret@{address}"
    line = refusal("away", server_store(where, tmp_path))
    assert line.startswith(
        "experiment_name=away: its files are at s3://bucket/mlflow/7, which is neither on "
    )
    assert line.endswith("add tracking.artifacts=s3://bucket/mlflow/7")
    for named in ("s3://bucket/mlflow/7", "s3://bucket/mlflow", "s3://bucket"):
        check_experiment("away", server_store(where, tmp_path, named))
    assert "no address of files" in refusal("odd", server_store(where, tmp_path, "s3://bucket"))


def test_one_that_is_new_on_a_server_is_made_to_know_where_its_files_would_be(address, tmp_path, monkeypatch):
    monkeypatch.setitem(PLACES, "made", "s3://bucket/9")
    where = f"http://me:secret@{address}"
    assert "are at s3://bucket/9, which is neither" in refusal("made", server_store(where, tmp_path))
    assert STAGES.pop("made") == "active"
    check_experiment("made", server_store(where, tmp_path, "s3://bucket"))
    assert STAGES.pop("made") == "active"


def test_what_cannot_be_asked_is_not_waited_for(tmp_path):
    location = local_store(tmp_path)
    check_experiment("gone", location)  # there is no store yet
    location.folder.mkdir()
    not_none(location.database).write_text("no database")
    check_experiment("gone", location)
    check_experiment("gone", server_store("http://127.0.0.1:1", tmp_path))
