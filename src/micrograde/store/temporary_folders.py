"""Temporary folders in ``mlruns/temporary``; those of killed processes are removed when the next is created.

Beside each folder is a lock, created before the folder and held while its process lives. A folder of
``mlruns`` that goes is moved here first: a process that is killed while it removes one leaves nothing half
removed in its place.
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from micrograde.core.locks import LockFile, is_held, locked_alone
from micrograde.store.path_kinds import check_writable

_LOCK = ".lock"


@contextmanager
def temporary_folder(mlruns: Path) -> Iterator[Path]:
    """Create a folder that is removed when the context ends; also remove those of dead processes.

    Raises
    ------
    InputError
        If ``mlruns`` cannot be written to.
    """
    check_writable(mlruns)
    clear_temporary(mlruns)
    folder = mlruns / "temporary" / uuid.uuid4().hex
    hold = _locked(folder)
    try:
        folder.mkdir()
        yield folder
    finally:
        _remove(folder)
        hold.release()


def remove_whole(folder: Path, mlruns: Path) -> None:
    """Remove a folder of ``mlruns``: it is there as it was, or not at all; what cannot be removed stays.

    The first step is one rename, after which ``clear_temporary`` removes what a killed process has left.
    """
    temporary = mlruns / "temporary"
    aside = temporary / uuid.uuid4().hex
    with suppress(OSError):
        while True:
            temporary.mkdir(exist_ok=True)
            try:
                folder.rename(aside)
                break
            except FileNotFoundError:  # another process has just removed the parent, as it was empty
                if not folder.exists():
                    return
    _remove(aside)


def clear_temporary(mlruns: Path) -> None:
    """Remove the temporary folders of processes that have died, and the locks of those that had none yet."""
    with suppress(OSError):  # there are none, or they are read-only
        for path in [*(mlruns / "temporary").iterdir()]:
            if path.is_dir() and not is_held(path.with_suffix(_LOCK)):
                _remove(path)
            elif path.suffix == _LOCK and not path.with_suffix("").exists():
                _remove_lock(path)


def _remove_lock(path: Path) -> None:
    """Remove a lock that nobody holds and that has no folder; ``_locked`` sees if it was just to be taken."""
    with suppress(FileNotFoundError), locked_alone(path) as alone:
        if alone and not path.with_suffix("").exists():
            path.unlink()
            with suppress(OSError):  # the parent is not empty
                path.parent.rmdir()


def _locked(folder: Path) -> LockFile:
    while True:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process has just removed the parent, as it was empty
            hold = LockFile(folder.with_suffix(_LOCK))
            if folder.with_suffix(_LOCK).exists():
                return hold
            hold.release()  # another process has taken it for nobody's


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(_LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # the parent is not empty
        folder.parent.rmdir()
