"""Identify the process that trains a run, so that other processes can find out whether it has died."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from micrograde.core.bounds import GREATEST_PROCESS, LATEST_TIME
from micrograde.store import tags

_NUMBER, _TIME = re.compile("[0-9]{1,10}"), re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_LATEST_START = LATEST_TIME / 1000
_TOLERANCE = 2.0  # seconds by which a process's reported start may change when the clock is set


@dataclass(frozen=True)
class ProcessIdentity:
    """A process on this or another machine.

    Attributes
    ----------
    namespace
        Where ``process_id`` is unique: the boot id of the machine and the pid namespace, of which each
        container has its own. Empty if the system does not provide them.
    started
        When the process started, in seconds since 1970.
    """

    host: str
    namespace: str
    process_id: int
    started: float

    @classmethod
    def own(cls) -> Self:
        """Return the identity of this process."""
        import psutil

        return cls(socket.gethostname(), _namespace(), os.getpid(), psutil.Process().create_time())

    def as_tags(self) -> dict[str, str]:
        """Return the identity as tags for the runs that the process trains."""
        return {
            tags.HOST: self.host,
            tags.PROCESS_NAMESPACE: self.namespace,
            tags.PROCESS_ID: str(self.process_id),
            tags.PROCESS_START: f"{self.started:.2f}",
        }

    @classmethod
    def of(cls, host: object, namespace: object, process_id: object, started: object) -> Self | None:
        """Return the identity with these values from a file; None if they are not valid.

        An id below 1 is not valid, as the system takes it for a whole group of processes.
        """
        texts = isinstance(host, str) and isinstance(namespace, str)
        number = type(process_id) is int and 0 < process_id <= GREATEST_PROCESS
        time = type(started) in (int, float) and 0 <= started <= _LATEST_START  # type: ignore[operator]
        return cls(host, namespace, process_id, started) if texts and number and time else None  # type: ignore[arg-type]

    @classmethod
    def from_tags(cls, given: Mapping[str, str]) -> Self | None:
        """Return the identity from the tags of ``as_tags``; None if one is missing or invalid."""
        number, started = given.get(tags.PROCESS_ID, ""), given.get(tags.PROCESS_START, "")
        if not (_NUMBER.fullmatch(number) and _TIME.fullmatch(started)):
            return None
        host, namespace = given.get(tags.HOST), given.get(tags.PROCESS_NAMESPACE)
        return cls.of(host, namespace, int(number), float(started))

    def has_died(self) -> bool:
        """Return whether this process has certainly died; False if unknown, as on another machine."""
        import psutil

        if (self.host, self.namespace) != (socket.gethostname(), _namespace()):
            return False
        try:
            process = psutil.Process(self.process_id)
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            return bool(abs(process.create_time() - self.started) > _TOLERANCE)
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False


def _namespace() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux: only the machine's name is compared
        return ""
