"""What is said while no job of a sweep can begin on a Ray cluster."""

import time
from collections.abc import Callable, Mapping, Sequence

SECONDS = 15.0
"""How long no job may begin before that is said; a worker takes a few seconds to start."""

_IN_WORDS = {"CPU": "CPU", "GPU": "GPU", "memory": "byte of memory"}


class Waiting:
    """Says once why nothing begins, each time that nothing does.

    Parameters
    ----------
    needs
        What a job reserves: how much, by Ray's name of it.
    say
        Prints a line.
    """

    def __init__(
        self, needs: Mapping[str, float], say: Callable[[str], None], seconds: float = SECONDS
    ) -> None:
        self._needs, self._say, self._seconds = needs, say, seconds
        self._since, self._said = time.monotonic(), ""

    def look(self, nodes: Sequence[Mapping[str, float]], *, begun: bool) -> None:
        """Look at what the nodes have now, and whether one of the jobs has begun that have not ended."""
        if begun:
            self._since, self._said = time.monotonic(), ""
            return
        too_much = what_no_node_has(self._needs, nodes)
        if too_much:
            line = f"{too_much}; the jobs wait until such a node joins the cluster"
        elif time.monotonic() - self._since > self._seconds:
            line = (
                f"no job has begun for {self._seconds:.0f} s, as when others use all CPUs of the cluster; "
                "the jobs wait"
            )
        else:
            return
        if line != self._said:
            self._said = line
            self._say(f"{line}; Ctrl-C ends the sweep, and the same command goes on with it")


def what_no_node_has(needs: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> str:
    """Return what a job reserves that no node has, in words; empty if there is a node on which it fits."""
    if any(all(node.get(name, 0) >= count for name, count in needs.items()) for node in nodes):
        return ""
    if needs.get("CPU") and not any(node.get("CPU") for node in nodes):
        return "no node of the cluster has a CPU for jobs"
    most = {name: max((node.get(name, 0) for node in nodes), default=0) for name in needs}
    lacks = [name for name, count in needs.items() if most[name] < count] or list(needs)
    reserved = ", ".join(_counted(needs[name], name) for name in lacks)
    there = ", ".join(f"{most[name]:g}" for name in lacks)
    return f"a job reserves {reserved}, and no node has so much (the most is {there})"


def _counted(count: float, name: str) -> str:
    if name not in _IN_WORDS:  # somebody's own word
        return f"{count:g} {name}"
    one, _, of = _IN_WORDS[name].partition(" ")
    return f"{count:g} {one}{'' if count == 1 else 's'} {of}".rstrip()
