"""What a store's backend is asked, by the store's address."""

from micrograde.core.project import command_line
from micrograde.store.backends import backend_of
from micrograde.store.location import StoreLocation
from micrograde.store.reader import Reader


def store_of(tracking_uri: str) -> Reader:
    """Return what reads the store at this address."""
    return backend_of(tracking_uri).reader()


def make_command(command: str, tracking_uri: str, *arguments: str) -> str:
    """Return what to type to run a command on this store, such as ``micrograde compare sweep=latest``."""
    return command_line(command, *backend_of(tracking_uri).typed(tracking_uri), *arguments)


def check_experiment(name: str, location: StoreLocation) -> None:
    """Raise ``InputError`` if the experiment ``name`` takes no runs in this store."""
    backend_of(location).check_experiment(name, location)
