"""How large ``mlruns/`` is, and what takes it; within some milliseconds if that is asked for."""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from micrograde.core.file_sizes import in_bytes, size_of

LARGE = 1_000_000_000
"""Bytes from which a command says how large ``mlruns/`` is."""

_RUNS = "files of runs"
_CALLED = {
    "mlflow.db": "database",
    "mlflow.db-journal": "database",
    "mlflow.db-wal": "database",
    "mlflow.db-shm": "database",
    "artifacts": _RUNS,
}
_SECONDS = 0.03
_LEAST_SECONDS = 0.01  # for the files of runs, whatever the others have taken


@dataclass(frozen=True)
class StoreSize:
    """The size of ``mlruns/``.

    Attributes
    ----------
    parts
        Bytes of each part, the largest first; folders other than ``artifacts`` have their own names.
    estimated
        Whether the files of runs are estimated, from those of some runs.
    """

    parts: dict[str, int]
    estimated: bool

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return sum(self.parts.values())

    def __str__(self) -> str:
        """Return the size and what takes it, as a phrase; parts of less than a hundredth are left out."""
        large = {name: size for name, size in self.parts.items() if size and size >= self.total / 100}
        shown = ", ".join(f"{name} {in_bytes(size)}" for name, size in large.items())
        return f"{'about ' * self.estimated}{in_bytes(self.total)}{': ' * bool(shown)}{shown}"


def measure(mlruns: Path, seconds: float | None = None) -> StoreSize:
    """Return the size of ``mlruns/``.

    Parameters
    ----------
    seconds
        About how long it may take. The files of thousands of runs cannot be looked at in some milliseconds:
        those of runs chosen at random are, and the others are taken to be like them. None to look at all.
    """
    until = None if seconds is None else time.monotonic() + seconds
    found: dict[str, int] = {}
    try:
        names = sorted(os.listdir(mlruns))
    except OSError:
        names = []
    for name in names:
        if name != "artifacts":
            called = _CALLED.get(name, name)
            found[called] = found.get(called, 0) + size_of(mlruns / name, until).bytes
    estimated = False
    if "artifacts" in names:
        found[_RUNS], estimated = _size_of_runs(mlruns / "artifacts", until)
    return StoreSize(dict(sorted(found.items(), key=lambda part: -part[1])), estimated)


def large_store(mlruns: Path) -> StoreSize | None:
    """Return the size of ``mlruns/`` if it is a gigabyte or more, else None; takes some 30 ms at most."""
    size = measure(mlruns, _SECONDS)
    return size if size.total >= LARGE else None


def _size_of_runs(artifacts: Path, until: float | None) -> tuple[int, bool]:
    """Return the bytes of all runs' files, and whether they are estimated."""
    folders = list(_entries(artifacts))
    random.Random(0).shuffle(folders)
    if until is not None:
        until = max(until, time.monotonic() + _LEAST_SECONDS)
    total = 0
    for number, folder in enumerate(folders):
        if until is not None and number and time.monotonic() >= until:
            return round(total / number * len(folders)), True
        total += size_of(folder, until).bytes
    return total, False


def _entries(artifacts: Path) -> Iterator[str]:
    """Yield what is in the folders of experiments: a run's folder, or a model's, each."""
    for experiment in _listed(artifacts):
        for entry in _listed(experiment):
            yield from _listed(entry) if os.path.basename(entry) == "models" else (entry,)


def _listed(folder: str | Path) -> list[str]:
    """Return the paths in a folder; of a file or a link, the path itself."""
    if os.path.islink(folder) and os.path.basename(folder) != "artifacts":
        return [os.fspath(folder)]
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries]
    except NotADirectoryError:
        return [os.fspath(folder)]
    except OSError:
        return []
