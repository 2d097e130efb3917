"""Which process trains a run, so that anybody can tell later whether it has died."""

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
_TOLERANCE = 2.0  # seconds by which a process's start may be told differently: clocks are set


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of some machine.

    Attributes
    ----------
    namespace
        Within what ``process_id`` means one process: this start of the machine and the pid namespace, which
        containers have of their own. Empty where the system does not tell.
    started
        Seconds since 1970.
    """

    host: str
    namespace: str
    process_id: int
    started: float

    @classmethod
    def own(cls) -> Self:
        """The identity of this process."""
        import psutil

        return cls(socket.gethostname(), _namespace(), os.getpid(), psutil.Process().create_time())

    def as_tags(self) -> dict[str, str]:
        """For the runs that it trains."""
        return {
            tags.HOST: self.host,
            tags.PROCESS_NAMESPACE: self.namespace,
            tags.PROCESS_ID: str(self.process_id),
            tags.PROCESS_START: f"{self.started:.2f}",
        }

    @classmethod
    def of(cls, host: object, namespace: object, process_id: object, started: object) -> Self | None:
        """The identity that a file tells; None if these are not a process's.

        A number below 1 would mean whole groups of processes to the system.
        """
        texts = isinstance(host, str) and isinstance(namespace, str)
        number = type(process_id) is int and 0 < process_id <= GREATEST_PROCESS
        time = type(started) in (int, float) and 0 <= started <= _LATEST_START  # type: ignore[operator]
        return cls(host, namespace, process_id, started) if texts and number and time else None  # type: ignore[arg-type]

    @classmethod
    def from_tags(cls, given: Mapping[str, str]) -> Self | None:
        """The inverse of ``as_tags``; None if that is not all there, or means no process."""
        number, started = given.get(tags.PROCESS_ID, ""), given.get(tags.PROCESS_START, "")
        if not (_NUMBER.fullmatch(number) and _TIME.fullmatch(started)):
            return None
        host, namespace = given.get(tags.HOST), given.get(tags.PROCESS_NAMESPACE)
        return cls.of(host, namespace, int(number), float(started))

    def has_died(self) -> bool:
        """Whether it is certain that this process is gone; of another machine nothing is certain."""
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
    except OSError:  # not Linux: the machine's name has to do
        return ""
