"""Where a config says that runs are recorded."""

from typing import overload

from micrograde.config.schema import AnyTracking, LocalTracking, ServerTracking
from micrograde.store import StoreLocation, local_store, project_home, server_store
from micrograde.store.path_kinds import check_kinds
from micrograde.store.readers import is_server, make_command, public_address


@overload
def store_location(tracking: LocalTracking | ServerTracking) -> StoreLocation: ...
@overload
def store_location(tracking: AnyTracking) -> StoreLocation | None: ...
def store_location(tracking: AnyTracking) -> StoreLocation | None:
    """The store and the folder beside it; None with ``tracking=disabled``.

    Raises
    ------
    InputError
        If there can be no store, or something of another kind stands in its place.
    """
    if tracking.name == "disabled":
        return None
    home = project_home()
    check_kinds(home / "mlruns")
    if isinstance(tracking, ServerTracking):
        return server_store(tracking.uri, home, tracking.artifacts)
    return local_store(home)


def where_to_look(tracking_uri: str, *arguments: str) -> str:
    """The line that says where records can be looked at; ``arguments`` are those of ``compare``."""
    browser = public_address(tracking_uri) if is_server(tracking_uri) else "make ui"
    return f"look        {browser}, or {make_command('compare', tracking_uri, *arguments)}"
