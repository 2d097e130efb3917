"""Leave out the runs of a store that cannot be read, each with a line that says why."""

import sys

from micrograde.core.bounds import LONGEST_ID
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.terminal import say

_SAID_AT_MOST = 10  # lines printed each time that a store is read

_said: set[tuple[str, str]] = set()


class LeftOut:
    """The runs that are left out when a store is read.

    Parameters
    ----------
    named
        Whether the user has named the runs: then one that cannot be read is an error.

    Attributes
    ----------
    reasons
        Why each run is left out, by its id in the store.
    """

    def __init__(self, *, named: bool = False) -> None:
        self._named = named
        self.reasons: dict[str, str] = {}

    def add(self, run_id: object, reason: str) -> None:
        """Leave a run out for this reason.

        Raises
        ------
        InputError
            If the user has named the run.
        """
        if self._named:
            raise InputError(f"run {shown(run_id)}: cannot be read: {reason}")
        self.reasons.setdefault(run_id if isinstance(run_id, str) else repr(run_id)[:LONGEST_ID], reason)

    def say(self) -> None:
        """Print a line for each run to standard error, once in this process."""
        fresh = [
            (shown(run_id), reason)
            for run_id, reason in self.reasons.items()
            if (shown(run_id), reason) not in _said
        ]
        for name, reason in fresh[:_SAID_AT_MOST]:
            say(f"run {name} left out: {reason}", sys.stderr)
        if len(fresh) > _SAID_AT_MOST:
            say(f"and {len(fresh) - _SAID_AT_MOST:,} more runs left out, which cannot be read", sys.stderr)
        _said.update(fresh)


def shown(name: object) -> str:
    """Return a run's id, or another name from a store, printable and shortened to fit a line."""
    text = printable((name if isinstance(name, str) else repr(name))[: LONGEST_ID + 1])
    return text if len(text) <= LONGEST_ID else f"{text[:LONGEST_ID]}..."
