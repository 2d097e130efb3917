"""A claim: one launch at a time carries on a sweep, and one that has died does not write into it late.

Two processes of a launch outlast each other: the one that trains may be killed, and its writer then goes on
until the store has what was told. Whoever comes next waits for that writer, and one that has not even
begun finds that the sweep belongs to another launch by now.
"""

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from micrograde.core.bounds import GREATEST_PROCESS, LONGEST_NOTE
from micrograde.core.json_files import read_json
from micrograde.store.path_kinds import check_writable

_NAME, _TOKEN = re.compile(r"[0-9A-Za-z_-]{1,64}"), re.compile(r"[0-9a-f]{1,64}")
_FILE = "claim.json"  # in a launch's folder: what it has claimed
_CLAIMS = "claims"  # beside the launches
_PATIENCE = 2.0  # seconds of waiting of which nothing is said


class ClaimedError(Exception):
    """Another launch that is alive has the claim; the message is its process id."""


@dataclass(frozen=True)
class Claim:
    """What one launch has to itself, by the name ``path`` (a file without suffix) stands for."""

    path: Path
    token: str

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """What the launch of this folder has claimed, if anything that can be read."""
        try:
            content = read_json(folder / _FILE, LONGEST_NOTE)
            path, token = content["path"], content["token"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not (isinstance(path, str) and isinstance(token, str) and _TOKEN.fullmatch(token)):
            return None
        # Of a path only the name: the project may have been moved since.
        name = path.rpartition("/")[2]
        return cls(folder.parents[1] / _CLAIMS / name, token) if _NAME.fullmatch(name) else None

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """For the writer: held while it writes; False if another launch has taken over."""
        from filelock import FileLock

        with FileLock(self.path.with_suffix(".writer")):
            yield self.owner().get("token") == self.token

    def mark(self, folder: Path) -> None:
        """Note in a launch's folder what it has claimed."""
        content = {"path": self.path.name, "token": self.token}
        (folder / _FILE).write_text(json.dumps(content), encoding="utf-8")

    def owner(self) -> dict[str, Any]:
        """Who has it: ``token``, and ``process``, the number of a process; as far as that is known."""
        try:
            owner = read_json(self.path.with_suffix(".owner"), LONGEST_NOTE)
        except (OSError, ValueError):
            return {}
        owner = owner if isinstance(owner, dict) else {}
        process = owner.get("process")
        known = type(process) is int and 0 < process <= GREATEST_PROCESS
        return {"token": owner.get("token"), **({"process": process} if known else {})}


@contextmanager
def claim(
    path: Path,
    launches: Path,
    on_wait: Callable[[], None],
    send: Callable[[Path], object] = lambda folder: None,  # noqa: ARG005
) -> Iterator[Claim]:
    """Held by the launch for as long as it goes on; when it begins, no earlier launch writes any more.

    What an earlier launch has not carried into the store is sent now. If that is impossible it is removed: it
    will be run again.

    Parameters
    ----------
    path
        A file's name without a suffix, that stands for what is claimed.
    launches
        Where launches keep their folders.
    on_wait
        Called once if an earlier launch's writer takes longer than a moment.
    send
        Carries what is in a launch's folder into the store; it raises whatever should keep this launch from
        beginning, such as a store that is away.

    Raises
    ------
    ClaimedError
        If another launch has it.
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
        launch.release()  # ``with`` has counted it a second time
        try:
            writer.acquire(timeout=_PATIENCE)
        except Timeout:
            on_wait()
            writer.acquire()
        writer.release()  # for the writer that sends what is left
        for folder in _left(path, launches):
            send(folder)
        with writer:
            content = {"token": mine.token, "process": os.getpid()}
            path.with_suffix(".owner").write_text(json.dumps(content), encoding="utf-8")
            for folder in _left(path, launches):
                shutil.rmtree(folder, ignore_errors=True)
        yield mine


def _left(path: Path, launches: Path) -> list[Path]:
    """The folders of launches that have claimed the same; the earliest first."""
    claimed = [(folder.parent, Claim.of(folder.parent)) for folder in sorted(launches.glob(f"*/{_FILE}"))]
    return [folder for folder, each in claimed if each and each.path == path]
