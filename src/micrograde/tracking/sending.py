"""What a launch has left, sent to its store after the launch."""

from dataclasses import dataclass, replace
from pathlib import Path

from micrograde.store.location import StoreLocation
from micrograde.tracking.launches import Launch
from micrograde.tracking.moving import mend_addresses
from micrograde.tracking.writer_process import WriterProcess


@dataclass(frozen=True)
class Sent:
    """The store has everything; the folder is gone."""

    run_ids: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """Something is still not in the store, and why; ``away`` if the store does not answer."""

    reason: str
    away: bool = False


def send_launch(folder: Path, location: StoreLocation) -> Sent | Kept:
    """Carry the journal of a launch that has ended or died into the store, from its start.

    Runs that it left without an end are KILLED. What the store has already stays as it is.
    """
    mend_addresses(location)
    launch = Launch.read(folder)
    if launch and not location.database and location.artifacts is None:
        location = replace(location, artifacts=launch.artifacts)
    writer = WriterProcess(on_notice=lambda notice: None)  # noqa: ARG005 (the outcome says it)
    writer.assign(folder, location, late=True)
    outcome = writer.last_answer()
    if "pending" in outcome:
        return Kept(outcome["pending"], away=True)
    if "disk_full" in outcome:
        return Kept(f"the disk is full ({outcome['disk_full']})")
    reason = outcome.get("error") or outcome.get("died")
    if reason:
        return Kept(reason)
    return Sent(tuple(str(run["run_id"]) for run in outcome["runs"]))
