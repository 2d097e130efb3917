"""Short run ids: a beginning that no other run has, which every command accepts in place of the id."""

from collections.abc import Iterable, Sequence

SHORTEST = 8


def short_ids(run_ids: Sequence[str], others: Iterable[str] = ()) -> list[str]:
    """Return the shortest beginnings, all of one length, that are unique among these ids and ``others``.

    They are at least eight characters long. The same id may occur several times.
    """
    chosen, rest = set(run_ids), set(others) - set(run_ids)
    length = SHORTEST
    longest = max(map(len, chosen), default=0)
    while length < longest:
        short = {run_id[:length] for run_id in chosen}
        if len(short) == len(chosen) and short.isdisjoint(run_id[:length] for run_id in rest):
            break
        length += 1
    return [run_id[:length] for run_id in run_ids]
