"""Where runs are recorded: a registry of backends, and how MLflow's two are read and written.

Reading does not use MLflow's client: a SQL store is read by SQL, a server through its REST interface. Writing
uses MLflow's client, and SQL where the client is slow.
"""

from micrograde.store.backends import BACKENDS, Backend, Tracking, backend_of, keeps_runs
from micrograde.store.errors import DiskFullError, StoreAwayError, TrackingError, UnansweredError
from micrograde.store.local_addresses import folder_here
from micrograde.store.location import (
    StoreLocation,
    local_store,
    make_store,
    server_store,
)
from micrograde.store.mlmodel import ModelDescription
from micrograde.store.readers import check_experiment, make_command
from micrograde.store.records import StoredSweep
from micrograde.store.rest_client import forget_slowness
from micrograde.store.run_ids import find_run_id, find_run_ids
from micrograde.store.server_files import named_folder, open_files, public_address, shown_address
from micrograde.store.stored_run import (
    StoredRun,
    find_run,
    last_run_of,
    last_stopped_run,
    load_run,
    same_value,
)
from micrograde.store.stored_sweeps import find_sweep

__all__ = [
    "BACKENDS",
    "Backend",
    "DiskFullError",
    "ModelDescription",
    "StoreAwayError",
    "StoreLocation",
    "StoredRun",
    "StoredSweep",
    "Tracking",
    "TrackingError",
    "UnansweredError",
    "backend_of",
    "check_experiment",
    "find_run",
    "find_run_id",
    "find_run_ids",
    "find_sweep",
    "folder_here",
    "forget_slowness",
    "keeps_runs",
    "last_run_of",
    "last_stopped_run",
    "load_run",
    "local_store",
    "make_command",
    "make_store",
    "named_folder",
    "open_files",
    "public_address",
    "same_value",
    "server_store",
    "shown_address",
]
