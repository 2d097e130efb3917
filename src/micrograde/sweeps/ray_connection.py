"""The connection to a Ray cluster, and the options that it is made by."""

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micrograde.core.errors import InputError
from micrograde.core.working import working
from micrograde.sweeps.lost_jobs import in_short

_RECONNECT_SECONDS = 3600  # that Ray itself waits here for a head
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
