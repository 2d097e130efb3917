"""The run that is meant by what somebody types, in all commands."""

from micrograde import tags
from micrograde.analysis.selection import Selection
from micrograde.analysis.stored_run import StoredRun, load_run
from micrograde.analysis.stores import store_of
from micrograde.analysis.sweeps import LATEST, list_sweeps
from micrograde.errors import InputError

_SHORTEST = 6  # characters of a run id


def find_run(tracking_uri: str, run: str, key: str = "run_id") -> StoredRun:
    """The run that is meant.

    Parameters
    ----------
    run
        The id of a run, or the beginning of one (six characters or more); of a sweep, which means its best
        run; or ``latest``, the run that began last of those that have finished.
    key
        What a line about a mistake calls it; nothing if it was typed without a key.

    Raises
    ------
    InputError
        If there is no such run, or a beginning fits several.
    """
    name = f"{key}={run}" if key else run
    if run == LATEST:
        finished = store_of(tracking_uri).read_about(tracking_uri, Selection(status="FINISHED"))
        if not finished:
            raise InputError(f"{name}: no run has finished yet; make one with: make train")
        run = max(finished, key=lambda about: (about.start_time or 0, about.run_id)).run_id
    try:
        found = load_run(tracking_uri, run, key)
    except InputError:
        # Sweeps are not listed with runs; load_run finds them by their whole id only.
        if len(run) < _SHORTEST:
            raise
        sweeps = [each.run_id for each in list_sweeps(tracking_uri) if each.run_id.startswith(run)]
        if len(sweeps) != 1:
            raise
        found = load_run(tracking_uri, sweeps[0], key)
    if tags.SWEEP_DIGEST not in found.tags:
        return found
    if tags.BEST_RUN_ID not in found.tags:
        name = f"{key}={found.about.run_id}" if key else found.about.run_id
        raise InputError(f"{name}: is a sweep that has no best run; none has finished")
    return load_run(tracking_uri, found.tags[tags.BEST_RUN_ID], "best run of the sweep")
