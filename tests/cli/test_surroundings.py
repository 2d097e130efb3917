"""What a command finds around it when it begins; what is wrong there is one line."""

import errno
import os
import resource
import sys

import pytest
from tests.narrowing import not_none

from micrograde.cli.surroundings import check_surroundings, refusal
from micrograde.core.errors import InputError
from micrograde.store.library_environment import has_matplotlib_folder


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)  # as when a command begins
    monkeypatch.setattr(os, "environ", {**os.environ})
    os.environ.pop("MPLCONFIGDIR", None)


def test_caches_go_below_mlruns_unless_the_user_says_where(tmp_path):
    assert check_surroundings() == tmp_path
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "mlruns" / "cache" / "matplotlib")
    assert list(tmp_path.iterdir()) == []
    os.environ["MPLCONFIGDIR"] = "mine"
    check_surroundings()
    assert os.environ["MPLCONFIGDIR"] == "mine"


def test_a_matplotlib_of_the_users_own_stays_theirs_in_python(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    os.environ["HOME"] = str(tmp_path)
    assert not has_matplotlib_folder()
    (tmp_path / ".config" / "matplotlib").mkdir(parents=True)
    assert has_matplotlib_folder()


def test_a_working_directory_that_has_been_deleted(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InputError, match=r"the working directory cannot be found .*; go to another"):
        check_surroundings()


def test_few_files(monkeypatch):
    allowed = {}
    monkeypatch.setattr(resource, "getrlimit", lambda _: (12, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: allowed.update({which: limits}))
    check_surroundings()
    assert allowed == {resource.RLIMIT_NOFILE: (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: (12, 12))
    with pytest.raises(
        InputError, match=r"^at most 12 files may be open \(ulimit -n\); allow more: ulimit -n"
    ):
        check_surroundings()


def test_what_the_system_refuses_is_a_line(monkeypatch):
    assert "no more files" in str(refusal(OSError(errno.EMFILE, "Too many open files")))
    assert "not enough memory" in str(refusal(MemoryError()))
    assert "not enough memory" in str(refusal(OSError(errno.ENOMEM, "Cannot allocate memory")))
    assert "no more processes" in str(
        refusal(BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"))
    )
    assert "no more processes" in str(refusal(RuntimeError("can't start new thread")))
    denied = not_none(refusal(PermissionError(errno.EACCES, "Permission denied", "/x")))
    assert denied.startswith("/x: Permission denied")
    assert refusal(RuntimeError("a mistake of ours")) is None
    assert refusal(OSError("no number")) is None
    monkeypatch.setattr("micrograde.cli.surroundings.resource.getrlimit", lambda _: (2**30, 2**30))
    assert "ulimit -v allows 1024 MiB" in str(refusal(MemoryError()))
