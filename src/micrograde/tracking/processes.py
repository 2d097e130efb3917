"""Identify the process that trains a run, so that other processes can find out whether it has died."""

import hashlib
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
_TICKS = re.compile("[0-9]{0,18}")
_START_FIELD = 19  # of /proc/<id>/stat, counted after the program's name
_LATEST_START = LATEST_TIME / 1000
_TOLERANCE = 2.0  # seconds by which a process's reported start may change, in records without ticks


@dataclass(frozen=True)
class ProcessIdentity:
    """A process on this or another machine.

    Attributes
    ----------
    namespace
        Where ``process_id`` is unique: the boot id of the machine and the pid namespace, of which each
        container has its own. Empty if the system does not provide them.
    started
        When the process started, in seconds since 1970; what the system says changes when the clock is set.
    ticks
        When it started, in ticks since the machine's boot, which no clock changes; None if the system does
        not say, or in records of versions before 0.2.
    machine
        A digest of the machine's id, which stays when it is started again; empty if it has none.
    """

    host: str
    namespace: str
    process_id: int
    started: float
    ticks: int | None = None
    machine: str = ""

    @classmethod
    def own(cls) -> Self:
        """Return the identity of this process."""
        import psutil

        own = os.getpid()
        started = max(psutil.Process().create_time(), 0.0)  # the clock may be set to before 1970
        return cls(socket.gethostname(), _namespace(), own, started, _ticks(own), _machine())

    def as_tags(self) -> dict[str, str]:
        """Return the identity as tags for the runs that the process trains."""
        return {
            tags.HOST: self.host,
            tags.PROCESS_NAMESPACE: self.namespace,
            tags.PROCESS_ID: str(self.process_id),
            tags.PROCESS_START: f"{self.started:.2f}",
            **({} if self.ticks is None else {tags.PROCESS_TICKS: str(self.ticks)}),
            **({tags.MACHINE: self.machine} if self.machine else {}),
        }

    @classmethod
    def of(
        cls,
        host: object,
        namespace: object,
        process_id: object,
        started: object,
        ticks: object = None,
        machine: object = "",
    ) -> Self | None:
        """Return the identity with these values from a file; None if they are not valid.

        An id below 1 is not valid, as the system takes it for a whole group of processes.
        """
        texts = isinstance(host, str) and isinstance(namespace, str) and isinstance(machine, str)
        number = type(process_id) is int and 0 < process_id <= GREATEST_PROCESS
        time = type(started) in (int, float) and 0 <= started <= _LATEST_START  # type: ignore[operator]
        counted = ticks is None or (type(ticks) is int and ticks >= 0)
        if not (texts and number and time and counted):
            return None
        return cls(host, namespace, process_id, started, ticks, machine)  # type: ignore[arg-type]

    @classmethod
    def from_tags(cls, given: Mapping[str, str]) -> Self | None:
        """Return the identity from the tags of ``as_tags``; None if one is missing or invalid."""
        number, started = given.get(tags.PROCESS_ID, ""), given.get(tags.PROCESS_START, "")
        ticks = given.get(tags.PROCESS_TICKS, "")
        if not (_NUMBER.fullmatch(number) and _TIME.fullmatch(started)) or not _TICKS.fullmatch(ticks):
            return None
        host, namespace = given.get(tags.HOST), given.get(tags.PROCESS_NAMESPACE)
        machine = given.get(tags.MACHINE, "")
        return cls.of(host, namespace, int(number), float(started), int(ticks) if ticks else None, machine)

    def has_died(self) -> bool:
        """Return whether this process has certainly died; False if unknown, as on another machine.

        Another boot of the same machine has none of its processes. The host's name alone says nothing: many
        machines have the same.
        """
        if self.host != socket.gethostname():
            return False
        here = _namespace()
        if self.namespace != here:
            booted = self.namespace.partition(" ")[0] != here.partition(" ")[0]
            known = bool(self.namespace and here and self.machine)
            return known and booted and self.machine == _machine()
        return not self._is_alive()

    def _is_alive(self) -> bool:
        """Return whether a process of this namespace is there; True if that cannot be asked."""
        import psutil

        try:
            process = psutil.Process(self.process_id)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            ticks = _ticks(self.process_id)
            if self.ticks is not None and ticks is not None:
                return ticks == self.ticks
            return bool(abs(process.create_time() - self.started) <= _TOLERANCE)
        except psutil.NoSuchProcess:
            return False
        except psutil.Error:
            return True


def _namespace() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux: only the machine's name is compared
        return ""


def _ticks(process_id: int) -> int | None:
    """Return when a process started, in ticks since the boot; None if the system does not say."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[_START_FIELD])
    except (OSError, ValueError, IndexError):
        return None


def _machine() -> str:
    """Return a digest of the machine's id, which itself is not to be given away; empty if there is none."""
    try:
        known = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        return ""
    return hashlib.sha256(b"micrograde " + known).hexdigest()[:32] if known else ""
