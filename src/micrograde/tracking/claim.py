"""Claims, which let one launch at a time write into a sweep, or resume a run.

If the training process of a launch is killed, its writer goes on until the store has the whole journal. The
next launch with the same claim waits for that writer. A writer that has not begun by then finds that another
launch has taken the claim, and writes nothing.
"""

import json
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from micrograde.core.atomic_files import replace_file
from micrograde.core.bounds import GREATEST_PROCESS, LONGEST_NOTE
from micrograde.core.json_files import read_json
from micrograde.core.waiting import wait_for_lock
from micrograde.store.path_kinds import check_writable

if TYPE_CHECKING:
    from filelock import FileLock

_NAME, _TOKEN = re.compile(r"[0-9A-Za-z_-]{1,64}"), re.compile(r"[0-9a-f]{1,64}")
_FILE = "claim.json"  # in a launch's folder: its claim
_CLAIMS = "claims"  # the folder of claims, beside that of launches


class ClaimedError(Exception):
    """Another launch, which is still alive, has the claim; the message is its process id."""


@dataclass(frozen=True)
class Claim:
    """The right of one launch to write into a sweep, or to resume a run.

    Attributes
    ----------
    path
        A file path without suffix, which stands for what is claimed.
    token
        Random text that identifies the launch.
    """

    path: Path
    token: str

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """Return the claim of the launch in this folder; None if it has none, or one that cannot be read."""
        try:
            content = read_json(folder / _FILE, LONGEST_NOTE)
            path, token = content["path"], content["token"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not (isinstance(path, str) and isinstance(token, str) and _TOKEN.fullmatch(token)):
            return None
        # Only the name in a recorded path is used, as the project may have been moved since.
        name = path.rpartition("/")[2]
        return cls(folder.parents[1] / _CLAIMS / name, token) if _NAME.fullmatch(name) else None

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the writer's lock while the context lasts; False if another launch has taken the claim."""
        from filelock import FileLock

        path = self.path.with_suffix(".writer")
        lock = FileLock(path)
        wait_for_lock(partial(_is_acquired, lock), path, lambda _: None)
        with lock:
            lock.release()  # ``with`` has acquired it a second time
            # Not known, as after a loss of power, is nobody else's: who takes it over writes it whole.
            yield self.owner().get("token", self.token) == self.token

    def mark(self, folder: Path) -> None:
        """Record this claim in the launch's folder."""
        content = {"path": self.path.name, "token": self.token}
        (folder / _FILE).write_text(json.dumps(content), encoding="utf-8")

    def owner(self) -> dict[str, Any]:
        """Return the ``token`` and the ``process`` id of the launch that has the claim, as far as known."""
        try:
            owner = read_json(self.path.with_suffix(".owner"), LONGEST_NOTE)
        except (OSError, ValueError):
            return {}
        owner = owner if isinstance(owner, dict) else {}
        process = owner.get("process")
        known = type(process) is int and 0 < process <= GREATEST_PROCESS
        token = owner.get("token")
        named = isinstance(token, str) and _TOKEN.fullmatch(token) is not None
        return {**({"token": token} if named else {}), **({"process": process} if known else {})}


@contextmanager
def claim(
    path: Path,
    launches: Path,
    on_wait: Callable[[str], None],
    send: Callable[[Path], object] = lambda folder: None,  # noqa: ARG005
) -> Iterator[Claim]:
    """Hold a claim while the context lasts; it begins when no earlier launch writes any more.

    What earlier launches with the same claim have not yet sent to the store is sent first.

    Parameters
    ----------
    path
        A file path without suffix, which stands for what is claimed.
    launches
        The folder that contains the launches' folders.
    on_wait
        Called once if an earlier launch's writer does not finish within 2 seconds, with which process it is.
    send
        Sends what is in a launch's folder to the store. An error that it raises, such as that it could not be
        sent, ends this launch before it begins.

    Raises
    ------
    ClaimedError
        If another launch has the claim.
    InputError
        If an earlier launch's writer does nothing for 30 seconds.
    """
    from filelock import FileLock, Timeout

    check_writable(path.parents[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = Claim(path, uuid.uuid4().hex)
    launch = FileLock(path.with_suffix(".launch"), timeout=0)
    writer = FileLock(path.with_suffix(".writer"))
    try:
        launch.acquire()
    except Timeout:
        raise ClaimedError(str(mine.owner().get("process", "?"))) from None
    with launch:
        launch.release()  # ``with`` has acquired the lock a second time
        wait_for_lock(partial(_is_acquired, writer), path.with_suffix(".writer"), on_wait)
        writer.release()  # for the writer that sends what is left
        for folder in _left(path, launches):
            send(folder)
        with writer:
            content = {"token": mine.token, "process": os.getpid()}
            replace_file(path.with_suffix(".owner"), json.dumps(content))
        yield mine


def _is_acquired(lock: "FileLock") -> bool:
    """Return whether the lock is held now, after one try."""
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _left(path: Path, launches: Path) -> list[Path]:
    """Return the folders of launches that have the same claim, earliest first."""
    claimed = [(folder.parent, Claim.of(folder.parent)) for folder in sorted(launches.glob(f"*/{_FILE}"))]
    return [folder for folder, each in claimed if each and each.path == path]
