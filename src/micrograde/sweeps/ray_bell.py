"""The actor of a sweep on Ray; in a module of its own, so that its process imports nothing else."""

import asyncio
from collections import defaultdict

Progress = tuple[int, int]
"""How many of a job's runs have ended, and how many epochs all of its runs have trained."""


class Bell:
    """An actor that lets jobs begin, is told how far they are, and for which they wait.

    A task that waits for an actor holds no CPU: it waits for a word of its own process.
    """

    def __init__(self) -> None:
        self._begun: dict[int, Progress] = {}
        self._closed = False
        self._rung: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def begin(self, at: int) -> bool:
        """Return whether the job of this place may begin, as one that has begun before always may."""
        if at in self._begun or not self._closed:
            self._begun[at] = (0, 0)
        return at in self._begun

    async def tell(self, at: int, progress: Progress) -> None:
        """Take note of how far the job of this place is."""
        self._begun[at] = progress

    async def begun(self, *, close: bool) -> dict[int, Progress]:
        """Return how far the jobs are that have begun, by their places; after ``close`` none more begins."""
        self._closed = self._closed or close
        return self._begun

    async def wait(self, name: str) -> None:
        """Return once ``ring`` was called with the same name."""
        await self._rung[name].wait()
        del self._rung[name]

    async def ring(self, name: str) -> None:
        """End the wait of this name."""
        self._rung[name].set()
