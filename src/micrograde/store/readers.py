"""Which module reads a store: a SQL store is read directly, a server is asked."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from micrograde.core.redaction import HIDDEN, without_password
from micrograde.store import server_reader, sql_reader
from micrograde.store.left_out import LeftOut
from micrograde.store.records import RawRuns, RunAbout, RunDetails, Selection, SweepAbout


class Store(Protocol):
    """What both modules can do; they say the same of the same runs."""

    def read_about(self, uri: str, selection: Selection) -> list[RunAbout]:
        """What every run has."""

    def read_runs(self, uri: str, selection: Selection) -> RawRuns:
        """Runs with params, last metrics and tags."""

    def read_points(
        self, uri: str, selection: Selection, metrics: Sequence[str] | None, left_out: LeftOut
    ) -> Iterator[Sequence[tuple[str, str, int, float | None]]]:
        """All values of metrics."""

    def read_details(self, uri: str, run_id: str) -> RunDetails:
        """More of a run that is there."""

    def read_sweeps(self, uri: str) -> list[SweepAbout]:
        """The sweeps."""

    def count_runs(self, uri: str) -> dict[str, int]:
        """The number of runs of each sweep."""


def store_of(tracking_uri: str) -> Store:
    """The module that reads the store at this address."""
    return server_reader if is_server(tracking_uri) else sql_reader


def is_server(tracking_uri: str) -> bool:
    """Whether that is the address of a tracking server_reader."""
    return tracking_uri.startswith(("http://", "https://"))


def public_address(tracking_uri: str) -> str:
    """The address without a user's name and password, which MLflow takes from its own variables as well."""
    return without_password(tracking_uri).replace(f"{HIDDEN}@", "", 1)


def make_command(command: str, tracking_uri: str, *arguments: str) -> str:
    """What to type for a command that is to look into this store: ``make compare ARGS="sweep=latest"``."""
    if is_server(tracking_uri):
        arguments = ("tracking=server", f"tracking.uri={public_address(tracking_uri)}", *arguments)
    return f'make {command} ARGS="{" ".join(arguments)}"' if arguments else f"make {command}"
