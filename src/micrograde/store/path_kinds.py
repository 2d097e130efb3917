"""Check, before anything is written or read, that each path of the project is a file or folder as it must be.

A file in the place of a folder, or a broken link, would otherwise be noticed in the middle of a run, with a
message of the system's such as "File exists".
"""

import errno
import os
import stat
from pathlib import Path

from micrograde.core.errors import InputError

_FOLDERS = (
    "artifacts",
    "cache",
    "claims",
    "data",
    "incomplete",
    "launches",
    "reports",
    "sweeps",
    "temporary",
)
_FILES = ("mlflow.db", "mlflow.lock", "project.json", "search.db")
_BESIDE = ("", "-journal", "-wal", "-shm")  # suffixes of the files that SQLite keeps beside a database
_LONGEST_DATABASE = 500  # bytes of a path: SQLite takes 512, and names files beside it
_SQLITE = b"SQLite format 3\0"
_OTHER_HOME = "choose another MICROGRADE_HOME"
_ANOTHER = "set MICROGRADE_HOME to another folder"
_ADVICE = f"move it away, or {_ANOTHER}"
_CALLED = {
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_home(home: Path) -> None:
    """Raise ``InputError`` unless ``home`` is a folder, or can be created as one."""
    if not _check(home, stat.S_IFDIR, _OTHER_HOME):
        above = next((each for each in home.parents if os.path.lexists(each)), Path("/"))
        _check(above, stat.S_IFDIR, _OTHER_HOME)
        if not os.access(above, os.W_OK | os.X_OK):
            raise InputError(f"{home}: is not there, and cannot be made ({_denied(above)}); {_ANOTHER}")


def check_database(database: Path) -> None:
    """Raise ``InputError`` unless SQLite can open a database at this path."""
    try:
        length = len(str(database).encode())
    except UnicodeEncodeError:
        raise InputError(
            f"{str(database.parent)!a}: MLflow has no store in a folder whose path is no UTF-8; "
            "set MICROGRADE_HOME to another"
        ) from None
    if length > _LONGEST_DATABASE:
        raise InputError(
            f"{database.parent}: is a path of {length - len(database.name) - 1} bytes, too long for a "
            f"database; set MICROGRADE_HOME to a shorter one"
        )


def check_kinds(folder: Path) -> None:
    """Raise ``InputError`` if something in ``mlruns/`` is not the file or folder that it must be."""
    if not _check(folder, stat.S_IFDIR, _ADVICE):
        return
    for name in _FOLDERS:
        _check(folder / name, stat.S_IFDIR, _ADVICE)
    for name in _FILES:
        for suffix in _BESIDE if name.endswith(".db") else ("",):
            _check(folder / f"{name}{suffix}", stat.S_IFREG, _ADVICE)


def check_writable(folder: Path) -> None:
    """Raise ``InputError`` unless ``mlruns/`` and what is in it can be written to, or can be created."""
    if not folder.exists():
        check_home(folder)
    for path in (folder, *(folder / name for name in (*_FOLDERS, *_FILES))):
        if path.exists() and not os.access(path, os.W_OK | os.X_OK if path.is_dir() else os.W_OK):
            raise InputError(f"{path}: cannot be written to ({_denied(path)}); change that, or {_ANOTHER}")


def check_content(database: Path) -> None:
    """Raise ``InputError`` if the file in a database's place does not begin like an SQLite database."""
    if database.exists():
        with database.open("rb") as file:
            if file.read(len(_SQLITE)) not in (_SQLITE, b""):
                raise InputError(f"{database}: is no SQLite database; {_ADVICE}")


def _check(path: Path, kind: int, advice: str) -> bool:
    """Return whether the path exists; raise ``InputError`` if it exists and is not of this kind."""
    try:
        found = stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        if not path.is_symlink():
            return False
        raise InputError(f"{path}: is a link to {path.readlink()}, which is not there; {advice}") from None
    except OSError as error:
        reason = "a link that leads to itself" if error.errno == errno.ELOOP else None
        said = f"is {reason}" if reason else f"cannot be looked at ({error.strerror})"
        raise InputError(f"{path}: {said}; {advice}") from None
    if found != kind:
        called = _CALLED.get(found, "something else")
        raise InputError(f"{path}: is {called}, and has to be {_CALLED[kind]}; {advice}")
    return True


def _denied(path: Path) -> str:
    """Return why the path cannot be written to: a read-only file system, or missing permission."""
    read_only = os.statvfs(path).f_flag & os.ST_RDONLY
    return os.strerror(errno.EROFS if read_only else errno.EACCES)
