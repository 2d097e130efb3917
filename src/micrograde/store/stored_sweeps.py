"""List the sweeps of a store, and find the one that is meant by what the user types."""

import re
from datetime import UTC, datetime

from micrograde.core.errors import InputError
from micrograde.core.json_files import parse_json
from micrograde.core.printable import printable
from micrograde.store.readers import store_of
from micrograde.store.records import StoredSweep, SweepAbout

LATEST = "latest"
_PREFIX = re.compile(r"[0-9a-f]{6,32}")
_TIME = re.compile(r"[0-9]{1,18}")
_LISTED = 10


def find_sweep(tracking_uri: str, sweep: str, *, experiment_name: str | None = None) -> StoredSweep:
    """Return the sweep that is meant.

    Parameters
    ----------
    sweep
        ``latest`` for the sweep launched last (also if that launch continued an earlier sweep), a run id or
        the beginning of one (six characters or more), or a name, which means the latest sweep of that name.

    Raises
    ------
    InputError
        If there is no such sweep, or if several begin like this; the message lists the sweeps.
    """
    sweeps = list_sweeps(tracking_uri, experiment_name)
    where = "" if experiment_name is None else f" in experiment_name={experiment_name}"
    if not sweeps:
        raise InputError(f"sweep={sweep}: there are no sweeps yet{where}")
    if sweep == LATEST:
        return sweeps[0]
    for each in sweeps:
        if each.run_id == sweep:
            return each
    for each in sweeps:
        if each.name == sweep:
            return each
    begin = [each for each in sweeps if _PREFIX.fullmatch(sweep) and each.run_id.startswith(sweep)]
    if len(begin) == 1:
        return begin[0]
    if begin:
        raise InputError(f"sweep={sweep}: several sweeps begin like that: {_listed(begin)}")
    raise InputError(f"sweep={sweep}: there is no such sweep{where}; there are {_listed(sweeps)}")


def list_sweeps(uri: str, experiment_name: str | None = None) -> list[StoredSweep]:
    """Return all sweeps of a store, most recently launched first."""
    found = [
        _sweep(each)
        for each in store_of(uri).read_sweeps(uri)
        if experiment_name in (None, each.about.experiment_name)
    ]
    return sorted(found, key=lambda sweep: (-sweep.launch_time, -sweep.start_time, sweep.run_id))


def _sweep(found: SweepAbout) -> StoredSweep:
    about = found.about
    start = about.start_time or 0
    again = int(found.launched) if found.launched and _TIME.fullmatch(found.launched) else 0
    return StoredSweep(
        about.run_id,
        about.run_name or "",
        about.experiment_name,
        about.status,
        start,
        found.digest,
        _names(found.varies),
        about.end_time,
        max(start, again),
        found.reported,
    )


def _names(varies: str | None) -> tuple[str, ...]:
    """Return the names in a tag's JSON list; none if the tag has been edited into something else."""
    try:
        names = parse_json(varies or "[]")
    except ValueError:
        return ()
    sound = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if sound else ()


def _listed(sweeps: list[StoredSweep]) -> str:
    """Return the sweeps in one line, each with a unique beginning of its id, its name and its start."""
    ids = [sweep.run_id for sweep in sweeps]
    length = next(
        (length for length in range(8, 32) if len({run_id[:length] for run_id in ids}) == len(ids)), 32
    )
    lines = [
        f"{sweep.run_id[:length]} ({printable(' '.join(sweep.name.split()))}, "
        f"{datetime.fromtimestamp(sweep.start_time / 1000, UTC):%Y-%m-%d %H:%M})"
        for sweep in sweeps[:_LISTED]
    ]
    rest = len(sweeps) - _LISTED
    return ", ".join(lines) + (f" and {rest} more" if rest > 0 else "")
