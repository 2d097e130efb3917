"""What stands where the project makes something is of the kind it has to be, or a line says what it is."""

import os
import socket

import pytest

from micrograde.config.locations import store_location
from micrograde.core.errors import InputError
from micrograde.store import local_store, server_store
from micrograde.store.backends.local import LocalTracking
from micrograde.store.backends.server import ServerTracking
from micrograde.store.path_kinds import check_home, check_kinds, check_writable
from micrograde.store.temporary_folders import clear_temporary, temporary_folder

FOLDERS = [".", "artifacts", "cache", "claims", "launches", "reports", "sweeps", "temporary"]
FILES = ["mlflow.db", "mlflow.db-wal", "mlflow.lock", "search.db"]


def a_file(path):
    path.write_text("")


def a_folder(path):
    path.mkdir()


def a_dangling_link(path):
    path.symlink_to(path.with_name("nowhere"))


def a_link_to_itself(path):
    path.symlink_to(path)


def two_links_in_a_circle(path):
    other = path.with_name("other")
    other.symlink_to(path)
    path.symlink_to(other)


def a_named_pipe(path):
    os.mkfifo(path)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(path.parent)  # of a socket's path there are 108 bytes
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


def a_device(path):
    path.symlink_to("/dev/null")


WRONG = {
    a_dangling_link: "is a link to ",
    a_link_to_itself: "is a link that leads to itself",
    two_links_in_a_circle: "is a link that leads to itself",
    a_named_pipe: "is a named pipe, and has to be a ",
    a_socket: "is a socket, and has to be a ",
    a_device: "is a device, and has to be a ",
}
PLACES = [
    *((name, make, said) for name in FOLDERS for make, said in {**WRONG, a_file: "is a file, and"}.items()),
    *((name, make, said) for name in FILES for make, said in {**WRONG, a_folder: "is a folder, and"}.items()),
]


@pytest.mark.parametrize(("name", "make", "said"), PLACES)
def test_a_path_of_the_wrong_kind(tmp_path, monkeypatch, name, make, said):
    home = tmp_path / "home"
    place = home / "mlruns" / name
    place.parent.mkdir(parents=True)
    make(place)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    for tracking in (LocalTracking(), ServerTracking()):
        with pytest.raises(InputError) as caught:
            store_location(tracking)
        assert str(caught.value).startswith(f"{place}: {said}")
        assert str(caught.value).endswith("; move it away, or set MICROGRADE_HOME to another folder")


def test_what_is_there_or_is_not_there_yet_is_right(tmp_path):
    check_kinds(tmp_path / "mlruns")
    for name in FOLDERS:
        (tmp_path / "mlruns" / name).mkdir(exist_ok=True)
    for name in FILES:
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        (tmp_path / "elsewhere" / name).touch()
        (tmp_path / "mlruns" / name).symlink_to(tmp_path / "elsewhere" / name)  # on another disk, say
    check_writable(tmp_path / "mlruns")
    (tmp_path / "link").symlink_to(tmp_path / "mlruns")
    check_writable(tmp_path / "link")


def test_a_home_that_is_none(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "below", file / "below" / "it"):
        with pytest.raises(InputError, match="choose another MICROGRADE_HOME"):
            check_home(home)
    with pytest.raises(InputError, match=r"cannot be looked at \(File name too long"):
        check_home(tmp_path / ("n" * 600))
    check_home(tmp_path / "not" / "there" / "yet")


def test_a_path_that_is_too_long_for_sqlite(tmp_path):
    home = tmp_path
    while len(str(home)) < 600:
        home = home / ("n" * 60)
    home.mkdir(parents=True)
    with pytest.raises(InputError, match=r"is a path of \d+ bytes, too long for a database; set MICROGRADE"):
        local_store(home)
    server_store("http://x", home)


def test_a_home_that_is_no_utf_8(tmp_path):
    home = tmp_path / os.fsdecode(b"\xff")
    with pytest.raises(InputError, match=r"whose path is no UTF-8") as caught:
        local_store(home)
    assert str(caught.value).isascii()


def test_what_nobody_may_write_to(tmp_path, monkeypatch):
    mlruns = tmp_path / "mlruns"
    (mlruns / "launches").mkdir(parents=True)
    may = os.access
    denied = mlruns / "launches"
    monkeypatch.setattr(os, "access", lambda path, mode: path != denied and may(path, mode))  # root may all
    check_kinds(mlruns)
    with pytest.raises(
        InputError, match=r"launches: cannot be written to \(Permission denied\); change that"
    ):
        check_writable(mlruns)
    denied = tmp_path
    with pytest.raises(InputError, match=r"is not there, and cannot be made \(Permission denied\)"):
        check_home(tmp_path / "new")


def test_a_temporary_folder_goes_and_what_the_dead_have_left_too(tmp_path):
    with temporary_folder(tmp_path) as mine:
        dead = mine.with_name("dead")
        dead.mkdir()
        dead.with_suffix(".lock").touch()
        (dead / "half of a download").touch()
        (mine / "file").touch()
        clear_temporary(tmp_path)
        assert not dead.exists()
        assert (mine / "file").exists()
        with temporary_folder(tmp_path) as other:
            assert other != mine
    assert list(tmp_path.iterdir()) == []
    clear_temporary(tmp_path / "nothing here")
