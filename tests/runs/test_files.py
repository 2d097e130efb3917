"""The files of a run: never outside its folder, and a recipe that is data whatever it holds."""

import dataclasses
import os
import shutil
import socket
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.narrowing import of_type
from tests.records import STOPPED, TREES, stored_run

from micrograde.api.results import Run
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig, config_digest
from micrograde.core.errors import InputError
from micrograde.data.sets.tables import CsvTable
from micrograde.models.trained_network import read_network
from micrograde.runs.checkpoints import read_latest_checkpoint
from micrograde.runs.files import RECIPE, contained, files_of, read_recipe, stored_recipe
from micrograde.store import load_run, run_files, server_store
from micrograde.store.backends.disabled import DisabledTracking
from micrograde.store.backends.server import ServerTracking
from micrograde.tracking import recover

RUN = stored_run()


# --- paths ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A run's folder with files and links, of which some lead out of it, and one to itself."""
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "run"
    (folder / "model").mkdir(parents=True)
    for name in ("train.log", "model/weights"):
        (folder / name).write_text("ours")
    (outside / "secret").write_text("theirs")
    (outside / "run-2").mkdir()  # whose name only begins like the run's folder
    (outside / "run-2" / "train.log").write_text("theirs")
    for link, target in [
        ("out", ".."), ("file-out", "../secret"), ("absolute", outside / "secret"), ("gone", "nothing"),
        ("beside", "../run-2"), ("round", "round"), ("in", "model"), ("in-and-out", "out/run/model"),
    ]:  # fmt: skip
        (folder / link).symlink_to(target)
    return folder


PIECES = ["train.log", "model", "weights", "secret", "run", "run-2", "..", ".", "", "/", "x" * 300]
PIECES += ["out", "file-out", "absolute", "gone", "beside", "round", "in", "in-and-out"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("/".join))
@settings(max_examples=300)
def test_what_is_found_lies_in_the_folder_and_what_lies_in_it_is_found(tree, name):
    found, real = contained(tree, name), os.path.realpath(tree / name)
    inside = f"{real}/".startswith(f"{os.path.realpath(tree)}/")
    assert found in (None, Path(real))
    if found:
        assert inside
        assert found.exists()
    elif inside:
        assert not os.path.exists(tree / name)


def test_of_all_that_can_be_named_just_what_is_the_runs_is_found(tree):
    names = [f"{first}{second}" for first in PIECES for second in ("", "/train.log", "/weights", "/secret")]
    files = {name: path.read_text() for name in names if (path := contained(tree, name)) and path.is_file()}
    assert set(files.values()) == {"ours"}
    assert {"train.log", "model/weights", "in/weights", "in-and-out/weights"} <= set(files)


def bind(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    "put", [os.mkfifo, bind, lambda path: path.symlink_to(path), lambda path: path.symlink_to("/dev/zero")]
)
def test_what_is_no_file_is_as_good_as_not_there_and_nobody_waits_for_it(put, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the address of a socket has few characters
    for name in (RECIPE, "model/weights.safetensors", "model/preprocessing.json", "checkpoints/a.json"):
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        put(path)
        assert contained(tmp_path, name) is None
    with pytest.raises(InputError, match=f"has no {RECIPE}"):
        stored_recipe(tmp_path, RUN)
    with pytest.raises(InputError, match="holds no micrograde model"):
        read_network(Path("model"))
    checkpoint, problems = read_latest_checkpoint(Path("checkpoints"), "", "")
    assert checkpoint is None
    assert len(problems) == 1


def test_a_folder_that_is_itself_behind_a_link(tree, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tree)
    assert contained(link, "train.log") == tree / "train.log"
    assert contained(link, "file-out") is None


def test_of_a_local_store_it_is_the_runs_own_folder(recorded):
    run = load_run(recorded.location.tracking_uri, recorded.finished)
    with files_of(run, recorded.location) as folder:
        assert folder == recorded.files(recorded.finished)
        assert contained(folder, RECIPE)


def test_files_elsewhere_are_not_read_whatever_the_address(recorded, tmp_path):
    artifacts = recorded.location.artifact_root
    (tmp_path / "train.log").write_text("theirs")
    (artifacts / "link").symlink_to(tmp_path)
    addresses = [
        tmp_path.as_uri(), "file:///", f"{artifacts.as_uri()}/../..", f"{artifacts.as_uri()}/%2e%2e/%2e%2e",
        f"{artifacts.as_uri()}/link", f"{recorded.location.folder.as_uri()}-2", "http://host/artifacts", "s3://bucket/x",
        f"file://host{artifacts}", str(tmp_path), "", "mlflow-artifacts:/1/2",
        "s3://", "sftp://", "runs:/", "models:/", "file://[x", "http://[", "/a\0b", "/a\nb", "s3://\x1b[31mred", "x" * 4000,
        "file:///once/mlruns/artifacts/link", "file:///once/mlruns/artifacts/none", "file:///once/mlruns/../x",
    ]  # fmt: skip
    try:
        for address in addresses:
            run = stored_run(artifact_uri=address)
            with pytest.raises(InputError) as error, files_of(run, recorded.location):
                pass
            assert str(error.value).startswith(f"run {run.about.run_id}: ")
            assert str(error.value).isprintable()
            assert len(str(error.value)) < 600
    finally:
        (artifacts / "link").unlink()


@pytest.mark.parametrize("writable", [True, False])
def test_files_of_a_project_that_was_moved_are_found_before_anything_is_mended(
    recorded, tmp_path, capsys, writable
):
    """In Python no command comes first, and there are stores that nobody may write to."""
    home = tmp_path / "mlruns of ü"
    shutil.copytree(recorded.home, home)
    copy = dataclasses.replace(recorded, home=home)
    if not writable:  # to root every file is; no lock can be had where there is a folder
        lock = copy.location.folder / "mlflow.lock"
        lock.unlink(missing_ok=True)
        lock.mkdir()
        recover(copy.location)
    run = load_run(copy.location.tracking_uri, recorded.finished)
    assert str(recorded.home) in run.artifact_uri
    with files_of(run, copy.location) as folder:
        assert folder == copy.files(recorded.finished)
    assert Run.load(recorded.finished, copy.location).model
    assert capsys.readouterr() == ("", "")


def test_an_address_is_unquoted(recorded):
    folder = recorded.location.artifact_root / "a b%ü" / "artifacts"
    folder.mkdir(parents=True)
    with files_of(stored_run(artifact_uri=folder.as_uri()), recorded.location) as found:
        assert found == folder


def test_from_a_server_only_what_is_wanted_is_fetched_and_it_is_gone_afterwards(recorded, monkeypatch):
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    server = server_store("http://127.0.0.1:1", recorded.home)
    run = load_run(recorded.location.tracking_uri, recorded.killed)
    kept = LocalArtifactRepository(run.artifact_uri)  # as the server would have them
    run = dataclasses.replace(run, artifact_uri="mlflow-artifacts:/1")
    monkeypatch.setattr(run_files, "open_files", lambda *_: kept)
    with files_of(run, server, ("config", "train.log", "nothing")) as folder:
        assert {path.name for path in folder.iterdir()} == {"config", "train.log"}
        fetched = (folder / RECIPE).read_bytes()
    assert fetched == (recorded.files(recorded.killed) / RECIPE).read_bytes()
    assert not folder.exists()
    monkeypatch.setattr(kept, "list_artifacts", lambda: 1 / 0)
    with pytest.raises(InputError, match="its files cannot be fetched") as error, files_of(run, server):
        pass
    assert "\n" not in str(error.value)


# --- recipes --------------------------------------------------------------------------------------


def write_recipe(folder: Path, content: object) -> Path:
    path = folder / RECIPE
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_a_recorded_recipe_is_the_config_that_made_the_run(recorded):
    for run_id, container in ((recorded.killed, STOPPED), (recorded.finished, TREES)):
        run = load_run(recorded.location.tracking_uri, run_id)
        config = stored_recipe(recorded.files(run_id), run)
        expected = parse_train_config(container)
        assert dataclasses.replace(config, tracking=expected.tracking) == expected
        assert run.tags["micrograde.config_digest"] == config_digest(config)


def test_records_go_where_they_are_told_to_and_not_where_the_recipe_says(tmp_path):
    told = {**STOPPED, "tracking": {"name": "server", "uri": "http://somebody.else"}}
    files = write_recipe(tmp_path, told)
    assert stored_recipe(files, RUN).tracking == DisabledTracking()
    mine = ServerTracking(uri="http://127.0.0.1:5000")
    assert read_recipe(files, RUN, mine).tracking == mine


HOSTILE = [
    "!!python/object/apply:os.system ['touch ran']",
    "data: !!python/name:os.system",
    "a: &a [1]\nb: *a",
    "a: &a {b: *a}",
    "[" * 600,
    "data: {name: moons, _target_: os.system}",
    yaml.safe_dump({**STOPPED, "experiment_name": "${oc.env:HOME}/x"}),
    "just text", "\0", "", "null", "- a", "a: b: c", "? {a: 1}\n: b", "1: 2", "a: 1e999",
    "a: " + "x" * 2**21,
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "seed: 2026-13-45",
    yaml.safe_dump({**STOPPED, "data": "moons"}),
    yaml.safe_dump({key: value for key, value in STOPPED.items() if key != "model"}),
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_recipe_is_refused_in_a_line(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        read_recipe(write_recipe(tmp_path, text), RUN, DisabledTracking())
    line = str(error.value)
    assert line.startswith(f"run {RUN.about.run_id}: its {RECIPE} ")
    assert len(line.splitlines()) == 1
    assert len(line) < 600
    assert os.environ["HOME"] not in line
    assert not (tmp_path / "ran").exists()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=5,
)
KEYS = [key for key in STOPPED if key != "tracking"]


@given(st.sampled_from([*KEYS, "data.samples", "model.hidden_size", "training.dtype", "x"]), values)
@settings(max_examples=50)
def test_a_recipe_with_any_value_anywhere_is_a_config_or_a_line(tmp_path_factory, key, value):
    group, _, name = key.partition(".")
    content = {**STOPPED, group: {**STOPPED[group], name: value} if name else value}
    files, line = write_recipe(tmp_path_factory.getbasetemp(), content), ""
    try:
        assert isinstance(stored_recipe(files, RUN), TrainConfig)
    except InputError as error:
        line = str(error)
    assert not line or line.startswith(f"run {RUN.about.run_id}: its {RECIPE} ")
    assert len(line.splitlines()) <= 1


def test_text_in_a_recipe_is_not_interpolated(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "told")
    files = write_recipe(tmp_path, {**STOPPED, "experiment_name": "${oc.env:SECRET}"})
    assert stored_recipe(files, RUN).experiment_name == "${oc.env:SECRET}"


def test_no_recipe_and_one_that_lies_elsewhere_are_the_same(tmp_path):
    (tmp_path / "run" / "config").mkdir(parents=True)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(STOPPED))
    for there in (False, True):
        if there:
            (tmp_path / "run" / RECIPE).symlink_to(tmp_path / "config.yaml")
        with pytest.raises(InputError, match=f"has no {RECIPE}"):
            stored_recipe(tmp_path / "run", RUN)


def test_a_recipes_path_is_followed_in_this_folder_only(tmp_path, monkeypatch):
    here, secret = tmp_path / "here", tmp_path / "secret.csv"
    here.mkdir()
    secret.write_text("")
    (here / "link.csv").symlink_to(secret)
    (here / "own.csv").write_text("")
    monkeypatch.chdir(here)

    def recipe(path, given_paths=None):
        files = write_recipe(tmp_path, {**TREES, "data": {**TREES["data"], "path": str(path)}})
        return of_type(CsvTable, read_recipe(files, RUN, DisabledTracking(), given_paths).data).path

    for path in ("own.csv", str(here / "own.csv"), "./sub/../own.csv"):
        assert recipe(path) == path
    for path in (secret, "../secret.csv", "link.csv", "/etc/passwd"):
        with pytest.raises(InputError, match=r"not in this folder.*give it as data\.path=") as error:
            recipe(path)
        assert len(str(error.value).splitlines()) == 1
        assert recipe(path, {"path": str(secret)}) == str(secret)  # the user may say so


IDX = {"name": "idx", "images": "a", "labels": "b"}


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({"name": "moons"}, {}),
        ({"name": "digits"}, {}),
        ({"name": "npz", "path": "x.npz"}, {"path": "x.npz"}),
        ({"name": "parquet", "path": "x.parquet", "target": "kind"}, {"path": "x.parquet"}),
        (IDX, {"images": "a", "labels": "b"}),
        (
            {**IDX, "test_images": "c", "test_labels": "d"},
            {"images": "a", "labels": "b", "test_images": "c", "test_labels": "d"},
        ),
    ],
    ids=lambda value: value.get("name"),
)
def test_the_files_of_every_kind_of_data_are_known(data, paths, tmp_path, monkeypatch):
    config = parse_train_config({**STOPPED, "data": data})
    assert config.data.paths() == paths
    # and each of them is one that is not followed elsewhere
    monkeypatch.chdir(tmp_path)
    for key in paths:
        files = write_recipe(tmp_path, {**STOPPED, "data": {**data, key: "../secret"}})
        with pytest.raises(InputError, match=f"data.{key}="):
            read_recipe(files, RUN, DisabledTracking())
