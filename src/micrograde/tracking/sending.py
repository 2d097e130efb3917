"""Send what a launch has left in its folder to its store, after the launch."""

from dataclasses import dataclass, replace
from pathlib import Path

from micrograde.core.full_disk import say_full, what_to_do
from micrograde.store.backends import backend_of
from micrograde.store.location import StoreLocation
from micrograde.tracking.launches import Launch
from micrograde.tracking.writer_process import WriterProcess


@dataclass(frozen=True)
class Sent:
    """The store has everything, and the launch's folder has been removed; ``lines`` are for the user.

    ``by_another`` if another process has done that meanwhile; which runs there were is not known then.
    """

    run_ids: tuple[str, ...]
    lines: tuple[str, ...] = ()
    by_another: bool = False


@dataclass(frozen=True)
class Kept:
    """Something is still not in the store, for this reason; ``away`` if the store is unavailable."""

    reason: str
    away: bool = False
    lines: tuple[str, ...] = ()


def send_launch(folder: Path, location: StoreLocation) -> Sent | Kept:
    """Write the whole journal of a launch that has ended or died to the store.

    Runs that have no end in the journal are marked KILLED. What the store already has is not changed.
    """
    backend_of(location).mend(location)
    launch = Launch.read(folder)
    if launch and location.artifacts is None:
        location = replace(location, artifacts=launch.artifacts)
    writer = WriterProcess(on_notice=lambda notice: None)  # noqa: ARG005 (the outcome says it)
    writer.assign(folder, location, late=True)
    outcome = writer.last_answer()
    if "pending" in outcome:
        return Kept(outcome["pending"], away=True)
    if "disk_full" in outcome:
        return Kept(f"{say_full(outcome['disk_full'])}; {what_to_do(outcome['disk_full'])}")
    reason = outcome.get("error") or outcome.get("died")
    if reason:
        return Kept(reason)
    run_ids = tuple(str(run["run_id"]) for run in outcome["runs"])
    return Sent(run_ids, tuple(outcome.get("lines", ())), outcome.get("by_another", False))
