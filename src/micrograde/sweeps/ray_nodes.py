"""Ask the nodes of a Ray cluster what is there, before anything runs on them.

Nodes on which numbers would differ are refused, and those that cannot record where the sweep is recorded.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.core.working import working
from micrograde.store import StoreLocation, backend_of
from micrograde.store.reaching import why_not_reached
from micrograde.store.retrying import reason_of
from micrograde.store.temporary_folders import temporary_folder
from micrograde.sweeps.ray_node import versions

_ANSWER_SECONDS = 60.0  # that a node has to say what is installed on it
_LOOPBACK = ("//127.", "//localhost", "//[::1]")


@dataclass(frozen=True)
class Node:
    """What a node says of itself.

    Attributes
    ----------
    versions
        What ``versions`` says there.
    host
        The name of its machine.
    same_store
        Whether its store is that of the sweep, of a shared folder.
    cannot_write, cannot_reach
        Why it cannot write into its home, or reach the tracking server; empty if it can.
    """

    versions: str
    host: str
    same_store: bool
    cannot_write: str
    cannot_reach: str


def check_nodes(location: StoreLocation | None, tracking: str) -> None:
    """Raise ``InputError`` if a node has other versions, or cannot record in the sweep's store.

    Parameters
    ----------
    location
        The sweep's store; None if nothing is recorded.
    tracking
        The name that it has in the config.
    """
    uri = location.tracking_uri if location else ""
    server = uri if uri.startswith("http") else ""
    with _mark(location) as mark, working("asking the nodes what is installed there"):
        found = _ask(str(location.folder) if location else "", str(mark), server)
        if any(node.cannot_reach for node in found.values()):
            # Unless the server is away, in which case the runs wait, or was so for a moment.
            again = {} if why_not_reached(server) else _ask("", "", server)
            found = {
                name: replace(node, cannot_reach=again[name].cannot_reach if name in again else "")
                for name, node in found.items()
            }
    check(found, location, tracking)


def check(found: Mapping[str, Node], location: StoreLocation | None, tracking: str) -> None:
    """Raise ``InputError`` for what nodes, by their names, have said; see ``check_nodes``."""
    for name, node in found.items():
        if node.versions != versions():
            raise InputError(
                f"hydra/launcher=ray: node {name} has {node.versions}, and this machine {versions()}: "
                "numbers would differ; install the same on all"
            )
    if location is None:
        return
    others = [name for name, node in found.items() if not node.same_store]
    if others and not backend_of(location).can_be_away:
        raise InputError(
            f"tracking={tracking}: node {others[0]} would record in a store of its own; "
            "add tracking=server tracking.uri=http://HOST:5000"
        )
    for name, node in found.items():
        if node.cannot_write:
            raise InputError(
                f"hydra/launcher=ray: node {name} cannot keep what it trains: {node.cannot_write}; "
                "a node takes the variables with which it is started"
            )
    address = location.tracking_uri
    hosts = {node.host for node in found.values()} - {socket.gethostname()}
    if hosts and any(each in address.rpartition("@")[0] + address for each in _LOOPBACK):
        raise InputError(
            f"tracking.uri: is an address of this machine alone, and node {min(hosts)} is another; "
            "give the server's name or address on the network"
        )
    for name, node in found.items():
        if node.cannot_reach:
            reason = reason_of(RuntimeError(node.cannot_reach))
            raise InputError(
                f"tracking.uri={without_password(address)}: node {name} does not reach it ({reason}); "
                "give an address that all machines reach, or mend the network or proxy of that node"
            )


@contextmanager
def _mark(location: StoreLocation | None) -> Iterator[Path | str]:
    """Provide a path that only machines which share this store see; "" if nothing is recorded."""
    if location is None:
        yield ""
        return
    with temporary_folder(location.folder) as folder:
        yield folder


def _ask(folder: str, mark: str, server: str) -> dict[str, Node]:
    """Return what each node that has CPUs says of itself, by its name; none of those that do not answer."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def about() -> dict[str, Any]:  # travels as it is: a node may have no micrograde, or another one
        import os
        import platform
        import socket
        from importlib import import_module

        versions, home, cannot_write, cannot_reach = [], "", "", ""
        for name, module, word in (
            ("micrograde", "micrograde.core.version", "VERSION"),
            ("NumPy", "numpy", "__version__"),
        ):
            try:
                versions.append(f"{name} {getattr(import_module(module), word)}")
            except ImportError:
                versions.append(f"no {name}")
        try:
            from micrograde.core.project import project_home

            home = str(project_home() / "mlruns")
            if mark:
                from micrograde.store.path_kinds import check_writable

                check_writable(project_home() / "mlruns")
        except ImportError:
            home = ""
        except Exception as error:
            cannot_write = " ".join(str(error).split())
        try:
            from micrograde.store.reaching import why_not_reached

            cannot_reach = why_not_reached(server) if server else ""
        except Exception:
            cannot_reach = ""  # of other versions, which are refused
        return {
            "versions": f"{versions[0]}, Python {platform.python_version()}, {versions[1]}",
            "host": socket.gethostname(),
            "same_store": home == folder and os.path.exists(mark),
            "cannot_write": cannot_write,
            "cannot_reach": cannot_reach,
        }

    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    ask = ray.remote(num_cpus=0, max_retries=0)(about)
    asked = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        asked[ask.options(scheduling_strategy=there).remote()] = node
    done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_SECONDS) if asked else ([], [])
    found = {}
    for ref in done:
        name = f"{asked[ref]['NodeManagerHostname']} ({asked[ref]['NodeID'][:8]})"
        try:
            found[name] = Node(**ray.get(ref))
        except ray.exceptions.RayError:
            continue  # it has died meanwhile
    return found
