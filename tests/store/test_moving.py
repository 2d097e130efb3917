"""A project that is moved, copied or mounted elsewhere: the first command mends its store's addresses."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import is_newer_than_mlflow, unpack_old_home
from tests.narrowing import not_none

from micrograde.store import local_store
from micrograde.store.local_addresses import experiment_folder
from micrograde.store.location import StoreLocation, StoreLock
from micrograde.store.moving import find_mendable, mend_addresses
from micrograde.tracking import Recorder, recover, send_launch
from micrograde.tracking.launches import begin_launch

RUN, OTHER, MODEL = "0123456789abcdef" * 2, "f" * 32, f"m-{'a' * 32}"

# As much of MLflow's tables as addresses are in.
TABLES = """
    create table experiments (experiment_id integer primary key, name text, artifact_location text);
    create table runs (run_uuid text, artifact_uri text);
    create table logged_models (model_id text, artifact_location text);
    create table model_versions (name text, source text, storage_location text);
    create table trace_tags (key text, value text, request_id text);
"""
ADDRESSES = 10  # of the small store
COLUMNS = [
    "experiments.artifact_location",
    "runs.artifact_uri",
    "logged_models.artifact_location",
    "model_versions.source",
    "model_versions.storage_location",
    "trace_tags.value",
]


class Project:
    """A home with a small store of which only the addresses matter; what has files has one."""

    def __init__(self, home: Path) -> None:
        self.location = local_store(home)
        not_none(self.location.artifact_root).mkdir(parents=True)
        with self.connected() as connection:
            connection.executescript(TABLES)

    def connected(self):
        assert self.location.database
        return closing(sqlite3.connect(self.location.database, isolation_level=None))

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> None:
        with self.connected() as connection:
            connection.execute(statement, values)

    def experiment(self, number: int, name: str, address: str) -> None:
        self.execute("insert into experiments values (?, ?, ?)", (number, name, address))

    def run(self, address: str, run_id: str = RUN) -> None:
        self.execute("insert into runs values (?, ?)", (run_id, address))

    def file(self, tail: str) -> None:
        folder = self.location.folder / tail
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "train.log").touch()

    def addresses(self) -> list[str]:
        found = []
        with self.connected() as connection:
            for table, column in (each.split(".") for each in COLUMNS):
                found += [row[0] for row in connection.execute(f"select {column} from {table}") if row[0]]
        return found

    def moved(self, home: Path, *, copied: bool = False) -> "Project":
        there = object.__new__(Project)
        home.parent.mkdir(parents=True, exist_ok=True)
        old = self.location.folder.parent
        shutil.copytree(old, home, symlinks=True) if copied else old.rename(home)
        there.location = local_store(home)
        return there


@pytest.fixture
def project(tmp_path):
    """As micrograde and MLflow make one: an experiment of each, a run with files and one without, a model."""
    project = Project(tmp_path / "old home")
    root = not_none(project.location.artifact_root).as_uri()
    project.experiment(0, "Default", f"{root}/0")
    project.experiment(1, "iris", f"{root}/{experiment_folder('iris')}")
    project.experiment(2, "renamed since", f"{root}/{experiment_folder('once')}")
    project.experiment(3, "of MLflow", f"{project.location.folder}/3")
    project.run(f"{root}/{experiment_folder('iris')}/{RUN}/artifacts")
    project.run(f"{project.location.folder}/3/{OTHER}/artifacts", OTHER)
    model = f"{root}/{experiment_folder('iris')}/models/{MODEL}/artifacts"
    project.execute("insert into logged_models values (?, ?)", (MODEL, model))
    project.execute("insert into model_versions values ('m', ?, ?)", (model, model))
    trace = f"{project.location.folder}/3/traces/tr-{RUN}/artifacts"
    project.execute("insert into trace_tags values ('mlflow.artifactLocation', ?, 't')", (trace,))
    project.file(f"artifacts/{experiment_folder('iris')}/{RUN}/artifacts")
    return project


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize("copied", [False, True])
def test_every_address_leads_to_the_new_place(project, tmp_path, capsys, copied):
    before = project.addresses()
    mend_addresses(project.location)
    assert (project.addresses(), said(capsys)) == (before, "")
    there = project.moved(tmp_path / "mlruns" / "new ü", copied=copied)
    mend_addresses(there.location)
    assert said(capsys) == (
        f"mlruns was in {tmp_path}/old home: {len(before)} addresses in its store now lead to "
        f"{there.location.folder}\n"
    )
    folder = there.location.folder.as_uri()
    old = project.location.folder
    expected = [address.replace(old.as_uri(), folder).replace(str(old), folder) for address in before]
    assert there.addresses() == expected
    mend_addresses(there.location)
    assert (there.addresses(), said(capsys)) == (expected, "")
    if copied:
        assert project.addresses() == before


def test_it_may_be_moved_again_and_back(project, tmp_path, capsys):
    before = [address.replace("/old%20home", "/old home") for address in project.addresses()]
    for place in ("b", "c/mlruns/d", "b", "old home"):
        project = project.moved(tmp_path / place)
        mend_addresses(project.location)
        assert f"now lead to {project.location.folder}" in said(capsys)
    as_plain = [
        each.replace("file://", "").replace("/old%20home", "/old home") for each in project.addresses()
    ]
    assert as_plain == [address.replace("file://", "") for address in before]


def test_what_was_never_in_the_project_stays(project, tmp_path, capsys):
    elsewhere = tmp_path / "elsewhere" / "mlruns" / "4"
    (elsewhere / OTHER / "artifacts").mkdir(parents=True)
    foreign = [str(elsewhere), "s3://bucket/mlruns/5", "mlflow-artifacts:/6", "file:///data", "models:/m-1"]
    for number, address in enumerate(foreign, start=4):
        project.experiment(number, f"foreign {number}", address)
    project.run(f"{elsewhere}/{OTHER}/artifacts", OTHER)
    there = project.moved(tmp_path / "new")
    mend_addresses(there.location)
    assert f"{ADDRESSES} addresses" in said(capsys)
    assert {*foreign, f"{elsewhere}/{OTHER}/artifacts"} < set(there.addresses())
    mend_addresses(there.location)
    assert said(capsys) == ""


def test_files_that_have_not_come_along_are_not_given_up(project, tmp_path, capsys):
    """A copy of a part: what is there still, and not here, may be looked for there by MLflow."""
    left = project.location.artifact_root / experiment_folder("iris") / OTHER / "artifacts"
    project.run(left.as_uri(), OTHER)
    there = project.moved(tmp_path / "new", copied=True)
    left.mkdir(parents=True)
    mend_addresses(there.location)
    assert f"{ADDRESSES} addresses" in said(capsys)
    assert left.as_uri() in there.addresses()


def test_a_store_that_mlflow_made_is_known_by_a_runs_files(tmp_path, capsys):
    project = Project(tmp_path / "old")
    folder = project.location.folder
    project.experiment(0, "Default", f"{folder}/0")
    project.run(f"{folder}/0/{RUN}/artifacts")
    there = project.moved(tmp_path / "new")
    mend_addresses(there.location)  # nothing says that this was not made elsewhere
    assert said(capsys) == ""
    there.file(f"0/{RUN}/artifacts")
    mend_addresses(there.location)
    assert "2 addresses" in said(capsys)


def test_nothing_is_mended_to_a_place_outside(project, tmp_path, capsys):
    """A link in ``mlruns/`` leads out; so do dots."""
    (tmp_path / "out" / RUN).mkdir(parents=True)
    (project.location.folder / "link").symlink_to(tmp_path / "out")
    outside = [f"/old/mlruns/link/{RUN}", f"/old/mlruns/../../{RUN}", f"file:///old/mlruns/%2E%2E/{RUN}"]
    for address in outside:
        project.run(address)
    before = project.addresses()
    mend_addresses(project.location)
    assert (project.addresses(), said(capsys)) == (before, "")


def test_a_home_by_a_link_has_not_moved(project, tmp_path, capsys):
    (tmp_path / "link").symlink_to(tmp_path / "old home")
    before = project.addresses()
    folder = tmp_path / "link" / "mlruns"
    mend_addresses(StoreLocation(f"sqlite:///{folder}/mlflow.db", folder / "artifacts", folder))
    assert (project.addresses(), said(capsys)) == (before, "")


def test_a_single_address(project, capsys):
    project.experiment(9, "nine", f"file:///a%20b/mlruns/artifacts/{experiment_folder('nine')}")
    mend_addresses(project.location)
    assert said(capsys).startswith("mlruns was in /a b: 1 address in its store now leads to ")


@pytest.mark.parametrize("why", ["locked", "read only"])
def test_a_store_that_cannot_be_written_to_stays_as_it_is(project, tmp_path, capsys, monkeypatch, why):
    monkeypatch.setattr("micrograde.store.moving._WAIT_SECONDS", 0.05)
    there = project.moved(tmp_path / "new")
    before = there.addresses()
    if why == "read only":  # to root, nothing is; a folder cannot be a lock either
        (there.location.folder / "mlflow.lock").mkdir()
        mend_addresses(there.location)
    else:
        with there.connected() as connection:
            connection.execute("begin exclusive")
            mend_addresses(there.location)
    assert (there.addresses(), said(capsys)) == (before, "")


def test_of_two_commands_at_once_one_mends(project, tmp_path, capsys, monkeypatch):
    there = project.moved(tmp_path / "new")

    class Late(StoreLock):
        def __enter__(self):
            monkeypatch.undo()
            mend_addresses(there.location)
            return super().__enter__()

    monkeypatch.setattr("micrograde.store.moving.StoreLock", Late)
    mend_addresses(there.location)
    assert len(said(capsys).splitlines()) == 1


@pytest.mark.parametrize("content", [None, b"", b"what the user has"])
def test_what_is_no_store_is_no_matter(tmp_path, capsys, content):
    location = local_store(tmp_path)
    database = not_none(location.database)
    if content is not None:
        location.folder.mkdir()
        database.write_bytes(content)
    mend_addresses(location)
    assert said(capsys) == ""
    assert database.exists() == (content is not None)
    assert not (location.folder / "mlflow.lock").exists()


NAMES = st.sampled_from(["mlruns", "artifacts", "a b", "ü", "#", "0"]) | st.from_regex(
    r"[a-z%.]{1,6}", fullmatch=True
)
HOMES = st.lists(NAMES.filter(lambda name: set(name) != {"."}), min_size=1, max_size=4)


@given(HOMES, st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=4), st.booleans())
@settings(max_examples=50)
def test_whatever_the_home_and_the_experiments_are_called(old, names, as_uri):
    folder = Path("/nowhere", *old, "mlruns")
    here = Path("/here/mlruns")
    location = StoreLocation("", here / "artifacts", here)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        expected = {}
        for number, name in enumerate(names):
            tail = Path("artifacts", experiment_folder(name))
            for table, where in (("experiments", tail), ("runs", tail / RUN / "artifacts")):
                path = folder / where
                address = path.as_uri() if as_uri else str(path).replace("%", "%25")
                expected[address] = (here / where).as_uri()
                values = (number, name, address) if table == "experiments" else (RUN, address)
                connection.execute(f"insert into {table} values ({', '.join('?' * len(values))})", values)
        mended = list(find_mendable(connection, location))
    assert {each.kept.address: each.address for each in mended} == expected
    assert {each.former for each in mended} <= {folder}


# --- where commands come to the store -----------------------------------------------------------


@pytest.fixture
def moved(home, tmp_path):
    """A real store, moved before anything was recorded in it."""
    home.rename(tmp_path / "moved")
    return local_store(tmp_path / "moved")


def location_of(location: StoreLocation, number: str = "0") -> str:
    from mlflow import MlflowClient

    return MlflowClient(location.tracking_uri).get_experiment(number).artifact_location


def test_whoever_reads_mends(moved, capsys):
    recover(moved)
    assert "1 address in its store now leads" in said(capsys)
    assert location_of(moved) == f"{moved.artifact_root.as_uri()}/0"


def test_whoever_records_mends_before(moved, capsys):
    with Recorder(moved):
        pass
    assert "1 address" in said(capsys)
    assert location_of(moved) == f"{moved.artifact_root.as_uri()}/0"


def test_whoever_sends_mends_before(moved, capsys):
    folder, hold = begin_launch(moved, "train.py")
    hold.release()
    send_launch(folder, moved)
    assert "1 address" in said(capsys)
    assert not folder.exists()


def test_mlflow_is_not_imported(moved):
    code = "import sys; from pathlib import Path; from micrograde.store import *; from micrograde.tracking import *; "
    code += "recover(local_store(Path(sys.argv[1]))); assert 'mlflow' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code, str(moved.folder.parent)], check=True, capture_output=True, text=True
    )
    assert "now leads to" in done.stderr


def test_a_store_of_version_0_1_is_mended_for_mlflow(tmp_path, capsys):
    """It was written in a folder that is no more."""
    from mlflow import MlflowClient, pyfunc

    location = local_store(unpack_old_home(tmp_path))
    mend_addresses(location)
    assert said(capsys).startswith(
        "mlruns was in /home/user/micrograde: 20 addresses in its store now lead to "
    )
    if is_newer_than_mlflow(location):
        return
    client = MlflowClient(location.tracking_uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = client.search_runs(experiments)
    assert len(runs) == 10
    for run in runs:
        assert client.list_artifacts(run.info.run_id)
    models = client.search_logged_models(experiments)
    assert [pyfunc.load_model(each.artifact_location).metadata.run_id for each in models] == [
        each.source_run_id for each in models
    ]
    assert len(models) == 5
