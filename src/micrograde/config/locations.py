"""The store that a config records runs in."""

from typing import overload

from micrograde.core.project import project_home
from micrograde.store import Backend, StoreLocation, Tracking, backend_of, make_command
from micrograde.store.path_kinds import check_kinds


@overload
def store_location(tracking: Backend) -> StoreLocation: ...
@overload
def store_location(tracking: Tracking) -> StoreLocation | None: ...
def store_location(tracking: Tracking) -> StoreLocation | None:
    """Return the location of the store; None with ``tracking=disabled``.

    Raises
    ------
    InputError
        If the store cannot exist there, or something of another kind stands in its place.
    """
    if not tracking.keeps_runs:
        return None
    home = project_home()
    check_kinds(home / "mlruns")
    return tracking.location(home)


def where_to_look(tracking_uri: str, *arguments: str) -> str:
    """Return the line that says where to look at records; ``arguments`` are added to ``compare``."""
    page = backend_of(tracking_uri).web_page(tracking_uri)
    places = (page, make_command("compare", tracking_uri, *arguments))
    return f"look        {', or '.join(filter(None, places))}"
