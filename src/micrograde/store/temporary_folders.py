"""Folders for a while, below ``mlruns/temporary``; what a killed process leaves goes with the next one.

Beside each stands a lock, made before it, that tells the living from the dead.
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from micrograde.core.locks import LockFile, is_held
from micrograde.store.path_kinds import check_writable

_LOCK = ".lock"


@contextmanager
def temporary_folder(mlruns: Path) -> Iterator[Path]:
    """A new folder for as long as the context lasts; those that dead processes have left are removed.

    Raises
    ------
    InputError
        If nobody may write there.
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


def clear_temporary(mlruns: Path) -> None:
    """Remove what processes have left there that have died."""
    with suppress(OSError):  # there is none, or nobody may write there
        for folder in [each for each in (mlruns / "temporary").iterdir() if each.is_dir()]:
            if not is_held(folder.with_suffix(_LOCK)):
                _remove(folder)


def _locked(folder: Path) -> LockFile:
    while True:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process has just removed it, for it was empty
            return LockFile(folder.with_suffix(_LOCK))


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(_LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # others are there
        folder.parent.rmdir()
