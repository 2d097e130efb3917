"""A launch's folder, which contains the records of a launch until the store has all of them.

mlruns/launches/<time>_<random>/
    launch.json                      the store that the launch writes to, and the process that trains; the
                                     lock has the same content, in case that one of them is damaged
    journal.jsonl                    the events, in order (``events.py``)
    run-N/                           the files of run N
    claim.json                       the launch's claim, if it has one (``claim.py``)
    launch.lock                      held by the process that trains, for as long as it lives
    writer.lock                      held by a process that writes the journal to the store
    launch.reserve, writer.reserve   space for the last events on a full disk (``full_disk.py``)
    provenance.json, writer.log      written by the first writer

The folder is whole or absent: it is made in ``mlruns/temporary``, put on the disk and then moved here, and
moved back there before it is removed. A process that has died does not hold its lock any more (``locks.py``).
"""

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from micrograde.core.bounds import LONGEST_NOTE
from micrograde.core.full_disk import reserve_space
from micrograde.core.json_files import read_json
from micrograde.core.locks import LockFile, is_held, wait_until_free
from micrograde.core.terminal import print_notice
from micrograde.store.backends import Backend, backend_of
from micrograde.store.backends.local import LocalTracking
from micrograde.store.location import StoreLocation, making_launch_folder, place_launch_folder
from micrograde.store.temporary_folders import clear_temporary, remove_whole
from micrograde.tracking.claim import Claim
from micrograde.tracking.journal import JOURNAL
from micrograde.tracking.processes import ProcessIdentity

_LAUNCH = "launch.json"
_LAUNCH_LOCK = "launch.lock"
_WRITER_LOCK = "writer.lock"


@dataclass(frozen=True)
class Launch:
    """The store that a launch writes to, and the process that trains.

    Attributes
    ----------
    server
        The store's address as ``Backend.noted`` has it, with the password hidden; None for the local store.
    script
        The program that was started.
    process
        The process that trains.
    artifacts
        The address, from the config, where the server's runs may have their files besides at the server.
    """

    server: str | None
    script: str
    process: ProcessIdentity
    artifacts: str | None = None

    def belongs_to(self, location: StoreLocation) -> bool:
        """Return whether the launch writes to this store."""
        return self.server == backend_of(location).noted(location)

    @property
    def backend(self) -> type[Backend]:
        """The backend of its store; ``InputError`` if there is none, as without its plug-in."""
        return LocalTracking if self.server is None else backend_of(self.server)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the launch of a folder; None if the folder is not a launch's."""
        return cls._read(folder / _LAUNCH) or cls._read(folder / _LAUNCH_LOCK)

    @classmethod
    def _read(cls, path: Path) -> Self | None:
        try:
            content = read_json(path, LONGEST_NOTE)
            process = ProcessIdentity.of(**content["process"])
            server, script, artifacts = content["server"], content["script"], content.get("artifacts")
        except (OSError, ValueError, KeyError, TypeError):
            return None
        texts = isinstance(server, str | None) and isinstance(artifacts, str | None)
        if process is None or not isinstance(script, str) or not texts:
            return None
        return cls(server, script, process, artifacts)


def begin_launch(location: StoreLocation, script: str, claim: Claim | None = None) -> tuple[Path, LockFile]:
    """Create a folder for a launch of this process; return it and its lock.

    What a process that was killed has left in the making, or in removing, is removed.

    Raises
    ------
    OSError
        If the folder or a file in it cannot be created.
    """
    clear_temporary(location.folder)
    launch = Launch(backend_of(location).noted(location), script, ProcessIdentity.own(), location.artifacts)
    noted = json.dumps(asdict(launch)).encode()
    hold: LockFile | None = None
    try:
        with making_launch_folder(location) as folder:
            hold = LockFile(folder / _LAUNCH_LOCK, noted)
            reserve_space(folder)
            (folder / JOURNAL).touch()
            if claim:
                claim.mark(folder)
            (folder / _LAUNCH).write_bytes(noted)
            return place_launch_folder(folder, location), hold
    except OSError:
        if hold:
            hold.release()
        raise


def remove_launch(folder: Path) -> None:
    """Remove the folder of a launch whose records are all in the store."""
    remove_whole(folder, folder.parents[1])


def keep_unknown_files(folder: Path, known: Collection[int]) -> Path | None:
    """Move the files of runs that are not known out of a launch's folder; return where they are, if any.

    Their journal has lost their beginning, as after a loss of power, so that they cannot be stored.
    """
    names = {f"run-{run}" for run in known}
    left = [
        run
        for run in folder.glob("run-*")
        if run.name not in names and any(path.is_file() for path in run.rglob("*"))
    ]
    if not left:
        return None
    place = folder.parents[1] / "incomplete" / folder.name
    place.mkdir(parents=True, exist_ok=True)
    for run in left:
        run.rename(place / run.name)
    return place


def set_aside(folder: Path) -> Path:
    """Move what is left of a launch that nobody can say the store of; return where it is.

    So of a folder that was deleted while its launch went on, into which that has put a file.
    """
    place = folder.parents[1] / "incomplete" / folder.name
    place.parent.mkdir(exist_ok=True)
    number = 1
    while place.exists():
        number += 1
        place = place.with_name(f"{folder.name}_{number}")
    return folder.rename(place)


@contextmanager
def carrying(folder: Path) -> Iterator[None]:
    """Hold the writer's lock of a launch while the context lasts, after waiting for any other writer.

    Raises
    ------
    FileNotFoundError
        If the folder has been removed, also while waiting.
    """
    hold = LockFile(folder / _WRITER_LOCK)
    try:
        os.stat(folder / _WRITER_LOCK)
        yield
    finally:
        hold.release()


def is_alive(folder: Path) -> bool:
    """Return whether a process still trains, or still writes the journal to the store."""
    return is_held(folder / _LAUNCH_LOCK) or is_held(folder / _WRITER_LOCK)


def dead_launches(launches: Path) -> list[tuple[Path, Launch]]:
    """Return the launches whose processes have died before everything was in the store, earliest first."""
    try:
        folders = sorted(path for path in launches.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    found = [(folder, launch) for folder in folders if (launch := Launch.read(folder)) is not None]
    return [(folder, launch) for folder, launch in found if not is_alive(folder)]


def wait_for_writers(launches: Path) -> None:
    """Wait for the writers that still write the journals of dead launches to the store.

    Raises
    ------
    InputError
        If one does nothing for 30 seconds.
    """

    def tell(who: str) -> None:
        print_notice(f"the last launch is still being recorded; waiting for {who}")

    for path in launches.glob(f"*/{_WRITER_LOCK}"):
        if not is_held(path.with_name(_LAUNCH_LOCK)):
            wait_until_free(path, tell)
