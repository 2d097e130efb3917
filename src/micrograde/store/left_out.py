"""Runs that a store has and that cannot be read: each is left out, with a line that says why."""

import sys

from micrograde.core.bounds import LONGEST_ID
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.terminal import say

_SAID_AT_MOST = 10  # lines, each time that a store is read

_said: set[tuple[str, str]] = set()


class LeftOut:
    """What is left out of one reading.

    Parameters
    ----------
    named
        Whether somebody has asked for just these runs: one that cannot be read is then a mistake.

    Attributes
    ----------
    reasons
        Why, by what the store calls the run's id.
    """

    def __init__(self, *, named: bool = False) -> None:
        self._named = named
        self.reasons: dict[str, str] = {}

    def add(self, run_id: object, reason: str) -> None:
        """Leave a run out.

        Raises
        ------
        InputError
            If it is one that somebody has asked for.
        """
        if self._named:
            raise InputError(f"run {shown(run_id)}: cannot be read: {reason}")
        self.reasons.setdefault(run_id if isinstance(run_id, str) else repr(run_id)[:LONGEST_ID], reason)

    def say(self) -> None:
        """Say a line for each run on standard error, once in this process."""
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
    """Return a run's id, or another name that a store gives, as it can stand in a line."""
    text = printable((name if isinstance(name, str) else repr(name))[: LONGEST_ID + 1])
    return text if len(text) <= LONGEST_ID else f"{text[:LONGEST_ID]}..."
