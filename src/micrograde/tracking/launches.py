"""A launch's folder: what there is to say of a launch until the store has everything, and who is at it.

mlruns/launches/<time>_<random>/
    launch.json                      where it belongs, and the process that trains
    journal.jsonl                    what happened, in order (``events.py``)
    run-N/                           the files of run N
    claim.json                       what the launch has claimed, if anything (``claim.py``)
    launch.lock                      held by the process that trains, for as long as it lives
    writer.lock                      held by a process that carries the journal into the store
    launch.reserve, writer.reserve   room for the last words on a full disk (``full_disk.py``)
    provenance.json, writer.log      of the first writer

The locks tell the living from the dead (``locks.py``).
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from micrograde.core.atomic_files import replace_file
from micrograde.core.bounds import LONGEST_NOTE
from micrograde.core.full_disk import reserve_space
from micrograde.core.json_files import read_json
from micrograde.core.locks import LockFile, is_held
from micrograde.core.redaction import without_password
from micrograde.store.location import StoreLocation, make_launch_folder
from micrograde.store.temporary_folders import clear_temporary
from micrograde.tracking.claim import Claim
from micrograde.tracking.processes import ProcessIdentity

JOURNAL = "journal.jsonl"
_LAUNCH = "launch.json"
_LAUNCH_LOCK = "launch.lock"
_WRITER_LOCK = "writer.lock"


@dataclass(frozen=True)
class Launch:
    """Where a launch's runs belong, and who trains them.

    Attributes
    ----------
    server
        The tracking server's address, its password made unreadable; None for the local store.
    artifacts
        Where the config says that files of the server's runs may be, besides at the server.
    script
        The program that was started.
    """

    server: str | None
    script: str
    process: ProcessIdentity
    artifacts: str | None = None

    def belongs_to(self, location: StoreLocation) -> bool:
        """Whether that is its store."""
        return self.server == _server(location)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The launch of a folder; None if it has not begun, or is none."""
        try:
            content = read_json(folder / _LAUNCH, LONGEST_NOTE)
            process = ProcessIdentity.of(**content["process"])
            server, script, artifacts = content["server"], content["script"], content.get("artifacts")
        except (OSError, ValueError, KeyError, TypeError):
            return None
        texts = isinstance(server, str | None) and isinstance(artifacts, str | None)
        if process is None or not isinstance(script, str) or not texts:
            return None
        return cls(server, script, process, artifacts)


def begin_launch(location: StoreLocation, script: str, claim: Claim | None = None) -> tuple[Path, LockFile]:
    """A folder for a launch of this process, and its lock.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    clear_temporary(location.folder)
    folder = make_launch_folder(location)
    try:
        hold = LockFile(folder / _LAUNCH_LOCK)
        reserve_space(folder)
        launch = Launch(_server(location), script, ProcessIdentity.own(), location.artifacts)
        (folder / JOURNAL).touch()
        if claim:
            claim.mark(folder)
        replace_file(folder / _LAUNCH, json.dumps(asdict(launch)))  # from now on others take it for a launch
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, hold


@contextmanager
def carrying(folder: Path) -> Iterator[None]:
    """Held by a writer; waits for another one.

    Raises
    ------
    FileNotFoundError
        If the folder is gone.
    """
    hold = LockFile(folder / _WRITER_LOCK)
    try:
        yield
    finally:
        hold.release()


def is_alive(folder: Path) -> bool:
    """Whether a process still trains, or carries what happened into the store."""
    return is_held(folder / _LAUNCH_LOCK) or is_held(folder / _WRITER_LOCK)


def dead_launches(launches: Path) -> list[tuple[Path, Launch]]:
    """What nobody is at any more, and the store has not got entirely; the earliest first."""
    try:
        folders = sorted(path for path in launches.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    found = [(folder, launch) for folder in folders if (launch := Launch.read(folder)) is not None]
    return [(folder, launch) for folder, launch in found if not is_alive(folder)]


def wait_for_writers(launches: Path) -> None:
    """Wait until what dead launches have told is in the store, as far as a writer is still at it."""
    for path in launches.glob(f"*/{_WRITER_LOCK}"):
        if not is_held(path.with_name(_LAUNCH_LOCK)):
            with suppress(FileNotFoundError):
                file = os.open(path, os.O_RDONLY)
                fcntl.flock(file, fcntl.LOCK_SH)
                os.close(file)


def _server(location: StoreLocation) -> str | None:
    return None if location.artifact_root else without_password(location.tracking_uri)
