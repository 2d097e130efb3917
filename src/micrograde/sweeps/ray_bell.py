"""The actor of a sweep on Ray; in a module of its own, so that its process imports nothing else."""

import asyncio
from collections import defaultdict


class Bell:
    """An actor that lets jobs begin, and for which jobs wait.

    A task that waits for an actor holds no CPU: it waits for a word of its own process.
    """

    def __init__(self) -> None:
        self._begun: set[int] = set()
        self._closed = False
        self._rung: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def begin(self, at: int) -> bool:
        """Return whether the job of this place may begin, as one that has begun before always may."""
        if not self._closed:
            self._begun.add(at)
        return at in self._begun

    async def begun(self, *, close: bool) -> set[int]:
        """Return the places of the jobs that have begun; after ``close`` none more begins."""
        self._closed = self._closed or close
        return self._begun

    async def wait(self, name: str) -> None:
        """Return once ``ring`` was called with the same name."""
        await self._rung[name].wait()
        del self._rung[name]

    async def ring(self, name: str) -> None:
        """End the wait of this name."""
        self._rung[name].set()
