"""Find the runs that are meant by what the user types, in every command and in Python."""

import re
from collections.abc import Sequence

from micrograde.core.errors import InputError
from micrograde.store.readers import make_command, store_of
from micrograde.store.records import RunAbout, Selection
from micrograde.store.stored_sweeps import LATEST, list_sweeps

BEGINNING = re.compile(r"[0-9a-f]{6,32}")
"""The beginning of a run's id, or a whole id."""
_WHOLE = re.compile(r"[0-9a-f]{32}")
_LISTED = 5


def find_run_id(tracking_uri: str, run: str, key: str = "run_id", *, sweep: str | None = None) -> str:
    """Return the whole id of the run that is meant; see ``find_run_ids``."""
    return find_run_ids(tracking_uri, [run], key, sweep=sweep)[0]


def find_run_ids(
    tracking_uri: str, runs: Sequence[str], key: str = "run_id", *, sweep: str | None = None
) -> list[str]:
    """Return the whole ids of the runs that are meant.

    Parameters
    ----------
    runs
        Each is the id of a run or of a sweep, or the beginning of one (six characters or more), or
        ``latest``, the finished run that began last. A whole id is returned without a look at the store.
    key
        The option's name in error messages; empty if the run was typed without a key.
    sweep
        The whole id of a sweep: then only its runs are searched.

    Raises
    ------
    InputError
        If there is no such run, or if several begin with these characters.
    """
    there_are: list[RunAbout] | None = None
    found = []
    for run in runs:
        if _WHOLE.fullmatch(run):
            found.append(run)
            continue
        name = f"{key}={run}" if key else run
        if run != LATEST and not BEGINNING.fullmatch(run):
            raise InputError(
                f"{name}: is no run id; type its 32 characters of 0-9 and a-f, the first 6 or more of them, "
                "or latest"
            )
        if there_are is None:
            there_are = store_of(tracking_uri).read_about(tracking_uri, Selection(parent_run_id=sweep))
        if run == LATEST:
            found.append(_latest(there_are, name, tracking_uri))
            continue
        ids = {about.run_id for about in there_are if about.run_id.startswith(run)}
        if sweep is None:  # sweeps are not listed with runs
            ids |= {each.run_id for each in list_sweeps(tracking_uri) if each.run_id.startswith(run)}
        if not ids:
            raise InputError(no_such_run(tracking_uri, name, sweep))
        if len(ids) > 1:
            raise InputError(f"{name}: several runs begin like that: {' '.join(sorted(ids)[:_LISTED])}")
        found.append(ids.pop())
    return found


def no_such_run(tracking_uri: str, name: str, sweep: str | None = None) -> str:
    """Return the error message for a run that does not exist."""
    if sweep is not None:
        return f"{name}: there is no such run in the sweep {sweep[:8]}"
    command = make_command("compare", tracking_uri)
    return f"{name}: there is no such run in the store; {command} lists those there are"


def _latest(there_are: Sequence[RunAbout], name: str, tracking_uri: str) -> str:
    finished = [about for about in there_are if about.status == "FINISHED"]
    if not finished:
        command = make_command("train", tracking_uri)
        raise InputError(f"{name}: no run has finished yet; make one with: {command}")
    return max(finished, key=lambda about: (about.start_time or 0, about.run_id)).run_id
