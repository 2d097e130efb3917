"""Choose the module that reads a store: ``sql_reader`` for a SQL store, ``server_reader`` for a server."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from micrograde.core.project import command_line
from micrograde.core.redaction import HIDDEN, without_password
from micrograde.store import server_reader, sql_reader
from micrograde.store.left_out import LeftOut
from micrograde.store.records import RawRuns, RunAbout, RunDetails, Selection, SweepAbout


class Store(Protocol):
    """The functions of both modules, which return the same for the same runs."""

    def read_about(self, uri: str, selection: Selection) -> list[RunAbout]:
        """Return what every run has: id, name, experiment, status, times and parent."""

    def read_runs(self, uri: str, selection: Selection) -> RawRuns:
        """Return runs with their params, the last value of each metric, and their tags."""

    def read_points(
        self, uri: str, selection: Selection, metrics: Sequence[str] | None, left_out: LeftOut
    ) -> Iterator[Sequence[tuple[str, str, int, float | None]]]:
        """Yield every value of these metrics, as rows of run id, metric, step and value."""

    def read_details(self, uri: str, run_id: str) -> RunDetails:
        """Return params, all tags and the file address of an existing run."""

    def read_sweeps(self, uri: str) -> list[SweepAbout]:
        """Return all sweeps."""

    def count_runs(self, uri: str) -> dict[str, int]:
        """Return the number of runs of each sweep, by the sweep's id."""


def store_of(tracking_uri: str) -> Store:
    """Return the module that reads the store at this address."""
    return server_reader if is_server(tracking_uri) else sql_reader


def is_server(tracking_uri: str) -> bool:
    """Return whether this is the address of a tracking server."""
    return tracking_uri.startswith(("http://", "https://"))


def public_address(tracking_uri: str) -> str:
    """Return the address without user name and password, which MLflow can also take from its variables."""
    return without_password(tracking_uri).replace(f"{HIDDEN}@", "", 1)


def make_command(command: str, tracking_uri: str, *arguments: str) -> str:
    """Return what to type to run a command on this store, such as ``micrograde compare sweep=latest``."""
    if is_server(tracking_uri):
        arguments = ("tracking=server", f"tracking.uri={public_address(tracking_uri)}", *arguments)
    return command_line(command, *arguments)
