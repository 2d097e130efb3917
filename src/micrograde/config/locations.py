"""The store that a config records runs in."""

from typing import overload

from micrograde.config.schema import AnyTracking, LocalTracking, ServerTracking
from micrograde.core.project import command_line, project_home
from micrograde.store import StoreLocation, local_store, server_store
from micrograde.store.path_kinds import check_kinds
from micrograde.store.readers import is_server, make_command, public_address


@overload
def store_location(tracking: LocalTracking | ServerTracking) -> StoreLocation: ...
@overload
def store_location(tracking: AnyTracking) -> StoreLocation | None: ...
def store_location(tracking: AnyTracking) -> StoreLocation | None:
    """Return the location of the store; None with ``tracking=disabled``.

    Raises
    ------
    InputError
        If the store cannot exist there, or something of another kind stands in its place.
    """
    if tracking.name == "disabled":
        return None
    home = project_home()
    check_kinds(home / "mlruns")
    if isinstance(tracking, ServerTracking):
        return server_store(tracking.uri, home, tracking.artifacts)
    return local_store(home)


def where_to_look(tracking_uri: str, *arguments: str) -> str:
    """Return the line that says where to look at records; ``arguments`` are added to ``compare``."""
    browser = public_address(tracking_uri) if is_server(tracking_uri) else command_line("ui")
    return f"look        {browser}, or {make_command('compare', tracking_uri, *arguments)}"
