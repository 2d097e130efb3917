"""Addresses of a local store's files, and the folders in ``mlruns/`` that they mean."""

import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.narrowing import not_none

from micrograde.store.local_addresses import experiment_folder, folder_here, lies_here, local_path
from micrograde.store.location import StoreLocation

# Names of folders: whatever a file system takes, and often the one that matters.
NAMES = st.sampled_from(
    ["mlruns", "artifacts", "a b", "100%", "%2e%2e", "ü", "x#y", "q?", "models", "%2F"]
) | (
    st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
    ).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map(lambda parts: Path(*parts))


def as_file(path: Path) -> str:
    return path.as_uri()


def as_single_slash(path: Path) -> str:
    return f"file:{quote(str(path))}"


def as_local_host(path: Path) -> str:
    return f"file://localhost{quote(str(path))}"


def as_quoted(path: Path) -> str:
    return quote(str(path))


def as_plain(path: Path) -> str:
    return str(path).replace("%", "%25")  # MLflow unquotes it when it reads and writes there


WAYS = st.sampled_from([as_file, as_single_slash, as_local_host, as_quoted, as_plain])


def store_in(home: Path) -> StoreLocation:
    return StoreLocation("sqlite:///:memory:", home / "mlruns" / "artifacts", home / "mlruns")


@pytest.fixture
def location(tmp_path):
    location = store_in(tmp_path / "home")
    not_none(location.artifact_root).mkdir(parents=True)
    return location


@given(PATHS, WAYS)
def test_an_address_is_read_as_it_was_written(path, write):
    assert local_path(write(Path("/") / path)) == Path("/") / path


@given(PATHS, PATHS, WAYS)
@settings(max_examples=50)
def test_what_was_in_a_former_place_is_found_here(former, tail, write):
    with tempfile.TemporaryDirectory() as folder:
        location = store_in(Path(folder) / "home")
        (location.folder / tail).mkdir(parents=True)
        assert folder_here(write(location.folder / tail), location) == location.folder.resolve() / tail
        address = write(Path("/nowhere") / former / "mlruns" / tail)
        found = folder_here(address, location)
        assert found == location.folder.resolve() / tail
        shutil.rmtree(location.folder)
        location.folder.mkdir()
        assert folder_here(address, location) is None


@given(
    st.text(max_size=60)
    | st.builds("{}{}".format, st.sampled_from(["file:", "file://", "/", "//", "s3:"]), PATHS)
)
def test_no_text_leads_out_of_mlruns(text):
    with tempfile.TemporaryDirectory() as folder:
        location = store_in(Path(folder))
        location.folder.mkdir()
        for address in (text, f"{location.folder}/{text}", f"file:///x/mlruns/{text}"):
            found = folder_here(address, location)
            assert found is None or found.is_relative_to(location.folder.resolve())


@pytest.mark.parametrize("way", [as_file, as_quoted])
@pytest.mark.parametrize(
    "tail",
    ["..", "../..", "artifacts/../../secret", "artifacts/out", "artifacts/out/secret", "artifacts/loop"],
)
def test_neither_dots_nor_links_lead_out(location, tmp_path, way, tail):
    (tmp_path / "home" / "secret").mkdir()
    (location.artifact_root / "out").symlink_to(tmp_path / "home")
    (location.artifact_root / "loop").symlink_to(location.artifact_root / "loop")
    for place in (location.folder, Path("/former/mlruns")):
        assert folder_here(way(place / tail), location) is None or tail == "artifacts/loop"
        assert not lies_here(place / tail, location) or tail == "artifacts/loop"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "s3://bucket/mlruns/artifacts",
        "mlflow-artifacts:/mlruns/artifacts",
        "http://x/mlruns/artifacts",
        "file://elsewhere/mlruns/artifacts",
        "file://[/mlruns/artifacts",
        "/a\0/mlruns/artifacts",
        "file:///a%00/mlruns/artifacts",
        "/nowhere/mlruns",
        "/nowhere/artifacts",
        f"/nowhere/mlruns/{'x' * 300}",
    ],
)
def test_what_is_no_folder_of_this_machine_or_not_here_means_none(location, address):
    assert folder_here(address, location) is None


def test_a_home_by_a_link_is_the_same_and_artifacts_may_be_a_link(location, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "home")
    by_link = store_in(tmp_path / "link")
    inside = location.artifact_root / "x"
    inside.mkdir()
    for one in (location, by_link):
        for other in (location, by_link):
            assert folder_here((not_none(one.artifact_root) / "x").as_uri(), other) == inside.resolve()
    shutil.move(location.artifact_root, tmp_path / "large disk")
    location.artifact_root.symlink_to(tmp_path / "large disk")
    assert folder_here(inside.as_uri(), location) == (tmp_path / "large disk" / "x").resolve()
    assert folder_here("/former/mlruns/artifacts/x", location) == (tmp_path / "large disk" / "x").resolve()


@given(st.text(max_size=100), st.text(max_size=100))
def test_experiments_have_folders_of_their_own(one, other):
    assume(one != other)
    assert experiment_folder(one) != experiment_folder(other)
    assert Path(experiment_folder(one)).name == experiment_folder(one)
    assert experiment_folder(one).isascii()
