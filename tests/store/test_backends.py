"""A third backend, the one of CONTRIBUTING.md: it is told the same events, and the program asks it the same."""

import json
import sys
from types import ModuleType

import pytest
from tests.backends import check_backend
from tests.docs.test_contributing import examples

from micrograde.config.locations import store_location, where_to_look
from micrograde.core.errors import InputError
from micrograde.store import BACKENDS, StoreLocation, backend_of, local_store, make_command, server_store
from micrograde.store.backends.local import LocalTracking
from micrograde.store.backends.server import ServerTracking
from micrograde.tracking import Launch
from micrograde.tracking.launches import begin_launch


@pytest.fixture
def lines(monkeypatch):
    """Register the example for one test."""
    for name in ("store.lines_reader", "store.backends.lines"):
        source = examples()[f"src/micrograde/{name.replace('.', '/')}.py"]
        module = ModuleType(f"micrograde.{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, name, "exec"), module.__dict__)
    yield BACKENDS["lines"]
    del BACKENDS._entries["lines"]


def test_it_gives_back_what_it_was_told(lines, tmp_path):
    check_backend(lines, tmp_path)


def test_a_line_that_was_cut_short_is_as_if_it_were_not_there(lines, tmp_path):
    check_backend(lines, tmp_path)
    location = lines().location(tmp_path)
    for path in location.folder.glob("lines/*/run.jsonl"):
        path.write_text(path.read_text() + '\n{"status": "FINI')
    statuses = {run.about.status for run in lines.reader().runs(location.tracking_uri)}
    assert statuses == {"FINISHED", "KILLED"}


def test_the_program_says_what_to_type(lines, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    uri = store_location(lines()).tracking_uri
    assert uri == f"lines:{tmp_path}/mlruns/lines"
    assert make_command("compare", uri, "sweep=latest") == "micrograde compare tracking=lines sweep=latest"
    assert where_to_look(uri) == "look        micrograde compare tracking=lines"


def test_where_to_look_at_the_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = server_store("http://me:secret@host", tmp_path).tracking_uri
    assert (
        where_to_look(local_store(tmp_path).tracking_uri)
        == "look        micrograde ui, or micrograde compare"
    )
    assert where_to_look(server) == (
        "look        http://host, or micrograde compare tracking=server tracking.uri=http://host"
    )


def test_a_launch_notes_its_store_and_finds_it_after_a_move(lines, tmp_path):
    location = lines().location(tmp_path / "here")
    folder, hold = begin_launch(location, "train.py")
    hold.release()
    moved = lines().location(tmp_path / "there")
    moved.folder.parent.mkdir()
    location.folder.rename(moved.folder)
    launch = Launch.read(moved.folder / "launches" / folder.name)
    assert launch
    assert launch.server == "lines:mlruns/lines"
    assert launch.belongs_to(moved)
    assert not launch.belongs_to(local_store(tmp_path))
    assert launch.backend.located(launch.server, tmp_path / "there") == moved


def test_a_noted_address_is_recognised_and_not_followed(lines, tmp_path):
    with pytest.raises(InputError, match=r"it is for the store lines:/etc; name it: tracking=lines, and its"):
        lines.located("lines:/etc", tmp_path)


@pytest.mark.parametrize(
    ("server", "backend"), [(None, LocalTracking), ("http://***@host", ServerTracking)], ids=str
)
def test_launches_of_earlier_versions_name_their_stores(server, backend, tmp_path):
    folder, hold = begin_launch(local_store(tmp_path), "train.py")
    hold.release()
    note = folder / "launch.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "server": server}))
    launch = Launch.read(folder)
    assert launch
    assert launch.backend is backend
    assert launch.belongs_to(local_store(tmp_path)) == (server is None)
    assert launch.belongs_to(server_store("http://me:secret@host", tmp_path)) == (server is not None)


@pytest.mark.parametrize(
    "address", ["lines:/x", "/x/mlruns/mlflow.db", "", "ftp://me:secret@host", "oracle://h/x"]
)
def test_an_address_of_no_backend_is_a_line(address):
    with pytest.raises(
        InputError, match="is no address of a store; those begin with http:, https:, "
    ) as raised:
        backend_of(address)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "backend"),
    [
        ("sqlite:///x", LocalTracking),
        ("sqlite+pysqlite:///x", LocalTracking),
        ("postgresql://h/x", LocalTracking),
        ("mysql+pymysql://h/x", LocalTracking),
        ("http://h", ServerTracking),
        ("https://h:1/x", ServerTracking),
    ],
)
def test_an_address_says_by_its_beginning_whose_it_is(address, backend, tmp_path):
    assert backend_of(address) is backend
    assert backend_of(StoreLocation(address, None, tmp_path)) is backend
