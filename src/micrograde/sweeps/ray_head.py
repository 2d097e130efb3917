"""Whether the head of a Ray cluster still answers, and is the one that knows of the jobs."""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

_HEAD_PATIENCE = 45.0  # seconds that a head may be away; after 60 its nodes end themselves
_SECONDS_BETWEEN_QUESTIONS = 1.0
_SECONDS_OF_PORT = 10.0


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

    def note_cut(self) -> None:
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
