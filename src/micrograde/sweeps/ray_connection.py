"""The connection to a Ray cluster: its options, and whether its head still answers."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from micrograde.core.errors import InputError
from micrograde.core.working import working
from micrograde.sweeps.lost_jobs import in_short

_HEAD_PATIENCE = 45.0  # seconds that a head may be away; after 60 Ray ends its nodes, and this process
_SECONDS_BETWEEN_QUESTIONS = 1.0
_SECONDS_OF_PORT = 10.0


@dataclass(frozen=True)
class RayOptions:
    """The options of ``hydra/launcher=ray``.

    Attributes
    ----------
    address
        The cluster's address; None for ``RAY_ADDRESS`` or, without it, a cluster of this machine alone.
    max_retries
        How many times a job is run again whose worker has died.
    init, remote
        Further arguments of ``ray.init`` and of ``ray.remote``.
    """

    address: str | None
    max_retries: int
    init: Mapping[str, Any]
    remote: Mapping[str, Any]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "RayOptions":
        """Return the options of a config; ``ray.init`` and ``ray.remote`` are where they used to be."""
        more = given.get("ray") or {}
        init, remote = dict(more.get("init") or {}), dict(more.get("remote") or {})
        address = init.pop("address", None)
        remote = {"num_cpus": given["num_cpus"], **remote}
        retries = remote.pop("max_retries", given["max_retries"])
        for key, value in (("num_cpus", remote["num_cpus"]), ("max_retries", retries)):
            if isinstance(value, bool) or not isinstance(value, int | float) or value < (key == "num_cpus"):
                raise InputError(f"hydra.launcher.{key}={value}: should be a number, 1 or greater")
        return cls(given["address"] or address, int(retries), init, remote)


class Head:
    """Asks the head of the cluster again and again what there is, while its context lasts.

    A question that it does not answer blocks, for which reason nobody else asks it anything.

    Attributes
    ----------
    cpus
        How many CPUs there are in the cluster, when it answered last.
    """

    def __init__(self, patience: float = _HEAD_PATIENCE) -> None:
        self._patience, self._over = patience, threading.Event()
        self._answered, self.cpus = time.monotonic(), 0.0

    @property
    def is_gone(self) -> bool:
        """Whether it has not answered for so long that its nodes are about to give it up, too."""
        return time.monotonic() - self._answered > self._patience

    def lost(self) -> str:
        """Return the line that says so."""
        return f"Ray's head has not answered for {self._patience:.0f} s"

    def __enter__(self) -> Self:
        self._ask()
        threading.Thread(target=self._ask_on, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _ask(self) -> None:
        import ray

        self.cpus = float(ray.cluster_resources().get("CPU", 0))
        self._answered = time.monotonic()

    def _ask_on(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN_QUESTIONS):
            with suppress(Exception):  # what Ray raises of a head that is away, if it does not block
                self._ask()


@contextmanager
def connected(options: RayOptions) -> Iterator[None]:
    """Connect to the cluster while the context lasts, unless this process is connected already.

    Raises
    ------
    InputError
        If there is none.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own tells nobody of itself
    given = {"address": options.address, "log_to_driver": False, "logging_level": "ERROR", **options.init}
    if not (options.address or os.environ.get("RAY_ADDRESS")):
        given = {"include_dashboard": False, **given}
    before = signal.getsignal(signal.SIGTERM)
    where = options.address or os.environ.get("RAY_ADDRESS") or "this machine"
    try:
        _check_port(where)
        with working("connecting to Ray" if options.address else "starting Ray"):
            ray.init(**given)
    except Exception as error:
        raise InputError(f"hydra/launcher=ray: no cluster at {where}: {in_short(error)}") from None
    if threading.current_thread() is threading.main_thread():  # Ray's handler would print where it was
        signal.signal(signal.SIGTERM, before)
    try:
        yield
    finally:
        ray.shutdown()


def _check_port(address: str) -> None:
    """Raise ``OSError`` if nobody listens at ``HOST:PORT``: Ray would try for minutes, with a dozen lines."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():  # other addresses have a meaning of Ray's own
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS_OF_PORT).close()
