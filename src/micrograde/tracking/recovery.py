"""Repair a store before a command reads it, after processes have died or the project has been moved.

The journals of launches that have died are written to the store, and runs whose process has died are marked
KILLED instead of RUNNING. A run is changed only if it is certain that no process works on it. If its launch
has a folder here, the locks show that; if it is of this project and its launch's folder is gone, none does;
otherwise the process id tells, where it can be compared.
"""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from micrograde.core.bounds import VAIN_SECONDS
from micrograde.core.project import command_line
from micrograde.core.terminal import print_notice
from micrograde.store import tags
from micrograde.store.backends import backend_of
from micrograde.store.location import StoreLocation
from micrograde.store.project_id import known_project_id
from micrograde.tracking.launches import dead_launches, is_alive
from micrograde.tracking.processes import ProcessIdentity
from micrograde.tracking.sending import Kept, Sent, send_launch


def recover(location: StoreLocation) -> None:
    """Write what dead launches have left to the store, and mark the runs of dead processes KILLED.

    In a local store, the addresses are corrected first if the project has been moved. If there is nothing to
    do it takes a millisecond, and MLflow does not open a local store.

    Raises
    ------
    InputError
        If the store is away.
    """
    launches = location.folder / "launches"
    send_dead, is_stale = partial(_send_dead, location, launches), partial(_is_stale, launches=launches)
    backend_of(location).recover(location, send_dead, is_stale)


def has_left(location: StoreLocation) -> bool:
    """Return whether a launch that has died has left something in this home for this store.

    It takes a millisecond, where a server is not asked, and needs no MLflow.
    """
    return any(launch.belongs_to(location) for _, launch in dead_launches(location.folder / "launches"))


def _send_dead(location: StoreLocation, launches: Path) -> None:
    vain = 0.0
    for folder, launch in dead_launches(launches):
        if launch.belongs_to(location) and vain < VAIN_SECONDS:
            start = time.monotonic()
            outcome = send_launch(folder, location)
            tell_outcome(folder, outcome)
            if isinstance(outcome, Kept):
                vain += time.monotonic() - start
                if outcome.away:
                    return


def tell_outcome(folder: Path, outcome: Sent | Kept) -> None:
    """Say what could not be sent of a launch that has died, or not be read."""
    for line in outcome.lines:
        print_notice(line)
    if isinstance(outcome, Kept):
        print_notice(f"kept {folder}: {outcome.reason}; send it with: {command_line('sync')}")


def _is_stale(given: Mapping[str, str], launches: Path) -> bool:
    """Return whether it is certain that no process works on a run with these tags."""
    name = given.get(tags.LAUNCH, "")
    folder = launches / name
    if name and folder.parent == launches:
        if folder.is_dir():
            return not is_alive(folder)
        own = known_project_id(launches.parent)
        if own and given.get(tags.PROJECT) == own:
            return True
    process = ProcessIdentity.from_tags(given)
    return process is not None and process.has_died()
