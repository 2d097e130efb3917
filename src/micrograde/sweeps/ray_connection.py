"""The connection to a Ray cluster: its options, and whether its head still answers."""

import logging
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from micrograde.core.errors import InputError
from micrograde.core.working import working
from micrograde.sweeps.lost_jobs import in_short

_HEAD_PATIENCE = 45.0  # seconds that a head may be away; after 60 its nodes end themselves
_RECONNECT_SECONDS = 3600  # that Ray itself waits here for a head
_SECONDS_BETWEEN_QUESTIONS = 1.0
_SECONDS_OF_PORT = 10.0
LOCAL, _AUTO = "local", "auto"  # Ray's words for a cluster to be started, and for one that is found
_CLIENT = "ray://"  # Ray Client's, as from outside of a cluster of Kubernetes; its port need not be given
_ADDRESS = re.compile(r"(?P<scheme>[\w.+-]+://)?(?:\[[\da-fA-F:.]+\]|[\w.-]+)(?P<port>:\d{1,5})?")


@dataclass(frozen=True)
class RayOptions:
    """The options of ``hydra/launcher=ray``.

    Attributes
    ----------
    address
        The cluster's address; None for ``RAY_ADDRESS`` or, without it, the cluster that ``ray start`` has
        started on this machine or, if there is none, one of this machine alone, for as long as the sweep.
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
        for name, where in (
            ("hydra.launcher.address", given["address"]),
            ("hydra.launcher.ray.init.address", address),
            ("RAY_ADDRESS", os.environ.get("RAY_ADDRESS")),
        ):
            if where:  # the others are not used
                _check_form(name, str(where))
                break
        remote = {"num_cpus": given["num_cpus"], **remote}
        retries = remote.pop("max_retries", given["max_retries"])
        for key, value in (("num_cpus", remote["num_cpus"]), ("max_retries", retries)):
            if isinstance(value, bool) or not isinstance(value, int | float) or value < (key == "num_cpus"):
                raise InputError(f"hydra.launcher.{key}={value}: should be a number, 1 or greater")
        return cls(given["address"] or address, int(retries), init, remote)

    def needs(self) -> dict[str, float]:
        """Return what a job reserves, by Ray's name of it."""
        given = {"CPU": self.remote["num_cpus"], "GPU": self.remote.get("num_gpus")}
        given |= {"memory": self.remote.get("memory"), **(self.remote.get("resources") or {})}
        return {name: float(count) for name, count in given.items() if count}


class Head:
    """Asks the head of the cluster again and again what there is, while its context lasts.

    A question that it does not answer blocks, for which reason nobody else asks it anything. Ray ends this
    process if a question is answered by another head, which has been started in the place of one that was
    killed: so the port is tried first, and once it was closed, whether the cluster is still the same.

    Attributes
    ----------
    nodes
        What each node of the cluster has, by Ray's name of it, when the head answered last.
    """

    def __init__(self, patience: float = _HEAD_PATIENCE) -> None:
        self._patience, self._over = patience, threading.Event()
        self._answered, self._lost = time.monotonic(), ""
        self._port: tuple[str, int] | None = None  # that of the head itself, not of Ray Client
        self._cluster, self._was_closed = "", False
        self.nodes: list[dict[str, float]] = []

    @property
    def cpus(self) -> float:
        """How many CPUs there are in the cluster."""
        return sum(node.get("CPU", 0) for node in self.nodes)

    @property
    def is_gone(self) -> bool:
        """Whether nothing is to be expected of it any more."""
        return bool(self._lost) or time.monotonic() - self._answered > self._patience

    def is_cut(self) -> None:
        """Take note that Ray Client has given its connection up."""
        self._lost = "the connection to Ray was lost"

    def lost(self) -> str:
        """Return the line that says so."""
        return self._lost or f"Ray's head has not answered for {self._patience:.0f} s"

    def __enter__(self) -> Self:
        self._port = _port_of_head()
        self._cluster = _cluster_at(self._port) if self._port else ""
        self._ask()
        threading.Thread(target=self._ask_on, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _ask(self) -> None:
        import ray

        check_connected()
        if self._port:
            self._look(self._port)
        self.nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._answered = time.monotonic()

    def _look(self, port: tuple[str, int]) -> None:
        """Raise an error unless the head that is known is there; take note if there is another."""
        try:
            socket.create_connection(port, timeout=_SECONDS_OF_PORT).close()
        except ConnectionRefusedError:
            self._was_closed = True
            raise
        if self._was_closed:
            if not self._cluster or _cluster_at(port) != self._cluster:
                self._lost = "Ray's head was started again, and knows nothing of the jobs"
                raise ConnectionError
            self._was_closed = False

    def _ask_on(self) -> None:
        while not self._lost and not self._over.wait(_SECONDS_BETWEEN_QUESTIONS):
            with suppress(Exception):  # what Ray raises of a head that is away, if it does not block
                self._ask()


def _port_of_head() -> tuple[str, int] | None:
    """Return where the head listens; None by Ray Client, which need not reach it."""
    import ray

    if ray.util.client.ray.is_connected():
        return None
    host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
    return host.strip("[]"), int(port)


def _cluster_at(port: tuple[str, int]) -> str:
    """Return the id of the cluster whose head listens there; empty if it cannot be asked.

    By a client of its own: whatever it is told, it does not end this process.
    """
    host, number = port
    try:
        from ray._raylet import GcsClient

        return str(GcsClient(address=f"[{host}]:{number}" if ":" in host else f"{host}:{number}").cluster_id)
    except Exception:  # it is no public name
        return ""


def check_connected() -> None:
    """Raise ``ConnectionError`` once Ray Client has lost its cluster; Ray would connect to any there is."""
    import ray

    if not ray.is_initialized():
        raise ConnectionError


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
    # Without a bound Ray would start a job for which no node has the memory again for ever.
    os.environ.setdefault("RAY_task_oom_retries", str(options.max_retries))
    before = signal.getsignal(signal.SIGTERM)
    where = options.address or os.environ.get("RAY_ADDRESS") or ""
    try:
        where = _address(where)
        given = {"address": where, "log_to_driver": False, "logging_level": "ERROR", **options.init}
        if where == LOCAL:
            given = {"include_dashboard": False, **given}
        else:  # Ray would end this process, which has a summary to give, when the head is away for a minute
            os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(_RECONNECT_SECONDS))
        logging.getLogger("ray.util.client").setLevel(logging.CRITICAL)  # of a connection that is lost, too
        with working("starting Ray" if where == LOCAL else f"connecting to Ray at {where}"):
            ray.init(**given)
    except Exception as error:
        whose = "on this machine" if where in ("", LOCAL, _AUTO) else f"at {where}"
        raise InputError(f"hydra/launcher=ray: no cluster {whose}: {in_short(error)}") from None
    if threading.current_thread() is threading.main_thread():  # Ray's handler would print where it was
        signal.signal(signal.SIGTERM, before)
    try:
        with _without_news():
            yield
    finally:
        ray.shutdown()


@contextmanager
def _without_news() -> Iterator[None]:
    """Keep what Ray reports of its nodes from the terminal, pages of it for a worker that is killed.

    It has no option for that; what became of a job, its answer says.
    """
    from ray._private import worker

    printing = getattr(worker, "print_to_stdstream", None)
    if printing is None:  # another version
        yield
        return
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


def _check_form(name: str, given: str) -> None:
    """Raise ``InputError`` if what was given under this name is no address of a cluster."""
    found = _ADDRESS.fullmatch(given)
    scheme, port = (found["scheme"], found["port"]) if found else ("", "")
    has_port = bool(port) and 0 < int(port[1:]) < 1 << 16
    if given in (LOCAL, _AUTO) or (scheme is None and has_port):
        return
    if scheme == _CLIENT and (has_port or not port):
        return
    if "://" in given and not given.startswith((_CLIENT, "http://", "https://")):  # a plug-in of Ray's
        return
    raise InputError(
        f"{name}={given}: is no address of a Ray cluster; give HOST:PORT as to ray start --address=, "
        f"which is usually HOST:6379, or {_CLIENT}HOST:10001"
    )


def _address(given: str) -> str:
    """Return where to connect to; ``LOCAL`` starts a cluster.

    Ray itself would try for a minute to reach a cluster of this machine that was killed, or the machine
    switched off: only ``ray stop`` takes its address away.

    Parameters
    ----------
    given
        An address; empty, or ``auto``, for the cluster that runs on this machine.

    Raises
    ------
    OSError
        If nobody listens there.
    """
    if given in ("", _AUTO) and (running := _started_here()):
        try:
            _check_port(running)
        except OSError:
            if given == _AUTO:
                raise
        else:
            return running
    _check_port(given)
    return given or LOCAL


def _started_here() -> str:
    """Return the address of the cluster that ``ray start`` has started last; empty if there was none."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    with suppress(OSError, UnicodeDecodeError):
        return (Path(folder) / "ray" / "ray_current_cluster").read_text().strip()
    return ""


def _check_port(address: str) -> None:
    """Raise ``OSError`` if nobody listens at ``HOST:PORT``: Ray would try for minutes, with a dozen lines."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():  # other addresses have a meaning of Ray's own
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS_OF_PORT).close()
