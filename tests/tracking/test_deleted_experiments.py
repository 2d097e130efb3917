"""A deleted experiment is noticed without MLflow, in a local store and on a server; who cannot be asked is not."""

import json
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from micrograde.errors import InputError
from micrograde.tracking import local_store, refuse_deleted, server_store

STAGES = {"gone": "deleted", "there": "active"}


@pytest.fixture
def local(tmp_path):
    location = local_store(tmp_path)
    location.folder.mkdir()
    with closing(sqlite3.connect(location.database)) as database, database:
        database.execute("create table experiments (experiment_id integer, name text, lifecycle_stage text)")
        rows = [(number, *each) for number, each in enumerate(STAGES.items(), start=7)]
        database.executemany("insert into experiments values (?, ?, ?)", rows)
    return location


class Server(BaseHTTPRequestHandler):
    """As MLflow answers, to one who has the password."""

    def do_GET(self):
        name = parse_qs(urlsplit(self.path).query)["experiment_name"][0]
        known = self.headers.get("Authorization") == "Basic bWU6c2VjcmV0"
        self.send_response(401 if not known else 200 if name in STAGES else 404)
        self.end_headers()
        answer = {"experiment": {"experiment_id": "7", "lifecycle_stage": STAGES.get(name)}}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *told):
        """Nobody looks."""


@pytest.fixture
def address(monkeypatch):
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
        refuse_deleted(name, location)
    return str(error.value)


def test_in_a_local_store(local):
    line = refusal("gone", local)
    assert line.startswith(
        "experiment_name=gone: was deleted in the store; choose another name, or restore it with: "
    )
    assert f"MLFLOW_TRACKING_URI={local.tracking_uri} " in line
    assert line.endswith(" -m mlflow experiments restore --experiment-id 7")
    refuse_deleted("there", local)
    refuse_deleted("new", local)


def test_on_a_server(address, tmp_path):
    line = refusal("gone", server_store(f"http://me:secret@{address}", tmp_path))
    assert "--experiment-id 7" in line
    assert "secret" not in line
    for name in ("there", "new", "a name & more"):
        refuse_deleted(name, server_store(f"http://me:secret@{address}", tmp_path))
    refuse_deleted("gone", server_store(f"http://{address}", tmp_path))  # refused, so that nothing is known


def test_what_cannot_be_asked_is_not_waited_for(tmp_path):
    location = local_store(tmp_path)
    refuse_deleted("gone", location)  # there is no store yet
    location.folder.mkdir()
    location.database.write_text("no database")
    refuse_deleted("gone", location)
    refuse_deleted("gone", server_store("http://127.0.0.1:1", tmp_path))
