"""MLflow's writer on the local store, for the tests that give it events."""

from micrograde.store.calls import at_once
from micrograde.store.event_writer import Recording
from micrograde.store.mlflow_local import LocalStore
from micrograde.store.mlflow_writer import MlflowWriter


def opened(client, location, folder, given=None, *, make=at_once, again=False, late=False):
    """Return a writer of the launch in ``folder``, as ``open_local`` makes it."""
    return MlflowWriter(
        LocalStore(client, location, make), Recording(folder, given or {}, make, again, is_late=lambda: late)
    )
