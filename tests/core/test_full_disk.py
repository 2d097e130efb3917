"""What is said where nothing more can be written: a full disk and a limit for files are two things."""

import errno
import os
import resource
import sqlite3
from pathlib import Path

import pytest
from tests.narrowing import not_none

from micrograde.core.full_disk import allow_larger_files, say_full, what_to_do, why_disk_is_full

UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: request.param)


def full(number: int, path: str | None = None) -> str:
    error = OSError(number, os.strerror(number), *([path] if path else []))
    return not_none(why_disk_is_full(error))


@pytest.mark.parametrize("limit", [(UNLIMITED, UNLIMITED), (2**20, UNLIMITED)], indirect=True)
@pytest.mark.usefixtures("limit")
def test_a_disk_that_is_full_is_called_that_whatever_the_limit() -> None:
    why = full(errno.ENOSPC, "a/file")
    assert say_full(why) == "the disk is full (No space left on device: a/file)"
    assert what_to_do(why) == "free some space"


@pytest.mark.parametrize("limit", [(UNLIMITED, UNLIMITED)], indirect=True)
@pytest.mark.usefixtures("limit")
def test_what_sqlite_calls_a_failed_disk_is_a_full_one() -> None:
    why = not_none(why_disk_is_full(sqlite3.OperationalError("disk I/O error")))
    assert (say_full(why), what_to_do(why)) == ("the disk is full (disk I/O error)", "free some space")


@pytest.mark.parametrize(
    ("limit", "advice"),
    [
        ((600 * 1024, UNLIMITED), "allow larger files: ulimit -f unlimited"),
        ((600 * 1024, 600 * 1024), "allow larger files, in another shell: ulimit -f unlimited"),
    ],
    indirect=["limit"],
)
@pytest.mark.usefixtures("limit")
def test_where_files_are_limited_that_is_said_and_what_helps(advice: str) -> None:
    for why in (full(errno.EFBIG), not_none(why_disk_is_full(sqlite3.OperationalError("disk I/O error")))):
        assert say_full(why) == f"no file may be larger than 600 KiB here ({why})"
        assert what_to_do(why) == allow_larger_files() == advice


def test_the_limit_of_a_shell_is_seen(tmp_path: Path) -> None:
    """The limit holds for a process of its own, as it cannot be raised again."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
        try:
            (tmp_path / "file").write_bytes(bytes(2048))
            os._exit(2)
        except OSError as error:
            os._exit(0 if say_full(str(why_disk_is_full(error))).startswith("no file may be larger") else 1)
    assert os.waitpid(child, 0)[1] == 0
