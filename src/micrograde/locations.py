"""Where a config says that runs are recorded."""

from micrograde.config import AnyTracking, ServerTracking
from micrograde.tracking import StoreLocation, local_store, project_home, server_store


def store_location(tracking: AnyTracking) -> StoreLocation | None:
    """The store and the folder beside it; None with ``tracking=disabled``."""
    if tracking.name == "disabled":
        return None
    home = project_home()
    return server_store(tracking.uri, home) if isinstance(tracking, ServerTracking) else local_store(home)
