"""What a sweep lacks at its end, of all that was asked for, whoever ran its jobs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograde.core.project import command_line
from micrograde.store import backend_of, tags
from micrograde.sweeps.state import Outcome, SweepState

if TYPE_CHECKING:
    import pandas as pd

_PLACES = 5  # named at most
_DONE = ("FINISHED", "FAILED")


@dataclass(frozen=True)
class Lacking:
    """The runs of a sweep that have not ended in its store, by why.

    Attributes
    ----------
    kept
        How many were trained, and wait on a worker's machine, by where: ``host:path``.
    elsewhere
        How many were recorded, by what their workers say, and are not in this store.
    lost
        How many were lost with their jobs, by the reason.
    not_run
        How many have not been run, as after Ctrl-C.
    can_be_away
        Whether the store is a server.
    """

    kept: Mapping[str, int]
    elsewhere: int
    lost: Mapping[str, int]
    not_run: int
    can_be_away: bool

    @property
    def count(self) -> int:
        """How many there are in all."""
        return sum(self.kept.values()) + self.elsewhere + sum(self.lost.values()) + self.not_run

    def texts(self) -> list[str]:
        """Return what is to be said of each kind, and what to do about it."""
        found = []
        if self.kept:
            store = "on the server" if self.can_be_away else "in the store"
            places = _listed([place.replace(":", " (", 1) + ")" for place in self.kept])
            each = "which sends" if len(self.kept) == 1 else "which send"
            found.append(
                f"{sum(self.kept.values())} trained, but not yet {store}: kept on {places}, {each} them when "
                f"the next job begins there, or with: {command_line('sync')}"
            )
        if self.elsewhere:
            instead = (
                "give a server's address that is the same on all machines"
                if self.can_be_away
                else "on other machines that is a store of their own; "
                "add tracking=server tracking.uri=http://HOST:5000"
            )
            found.append(f"{self.elsewhere} trained, but not recorded in this store: {instead}")
        found += [f"{count} lost: {reason}" for reason, count in self.lost.items()]
        if self.not_run:
            found.append(f"{self.not_run} not run")
        return found


def lacking(
    outcomes: Mapping[str, Outcome],
    asked: Iterable[str],
    stored: Mapping[str, str],
    *,
    can_be_away: bool,
) -> Lacking:
    """Return what a sweep lacks.

    Parameters
    ----------
    outcomes
        What became of each job, by its digest.
    asked
        The digests of all jobs that were asked for.
    stored
        The status of each job's run in the store, by digest.
    """
    kept, lost = Counter[str](), Counter[str]()
    elsewhere = not_run = 0
    for digest in dict.fromkeys(asked):
        if stored.get(digest) in _DONE:
            continue
        outcome = outcomes.get(digest, Outcome("KILLED"))
        if outcome.kept:
            kept[outcome.kept] += 1
        elif outcome.status == "FINISHED":
            elsewhere += 1
        elif outcome.reason:
            lost[outcome.reason] += 1
        else:
            not_run += 1
    return Lacking(kept, elsewhere, lost, not_run, can_be_away)


def lacking_of(sweep: SweepState, runs: "pd.DataFrame | None") -> Lacking:
    """Return what a sweep lacks, given the runs that its store has; None where the store was not read."""
    stored: dict[str, str] = {}
    if runs is None:
        stored = {digest: each.status for digest, each in sweep.outcomes.items() if not each.kept}
    elif len(runs):
        for digest, status in zip(runs[f"tags.{tags.CONFIG_DIGEST}"], runs["status"], strict=True):
            if stored.get(str(digest)) not in _DONE:
                stored[str(digest)] = str(status)
    away = sweep.location is not None and backend_of(sweep.location).can_be_away
    return lacking(sweep.outcomes, sweep.asked, stored, can_be_away=away)


def _listed(places: Sequence[str]) -> str:
    """Return ``a, b and c``, of very many the first."""
    if len(places) > _PLACES:
        places = [*places[: _PLACES - 1], f"{len(places) - _PLACES + 1} places more"]
    return " and ".join(filter(None, [", ".join(places[:-1]), places[-1]]))
