"""The limit on the size of a data set, the same for generating, reading, unpacking and encoding it.

N rows of D features and C one-hot classes, as float64, may take an eighth of this machine's memory. At the
peak of reading, splitting and scaling them there were 1.6 times that, of tables of categories, to 7.5 times,
of a few columns of long numbers (``benchmarks/table_memory.py``); training needs memory as well.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from micrograde.core.errors import InputError

_SHARE = 8
_NAME = 128  # bytes assumed for the name of a feature or of a class


def physical_memory() -> int:
    """Return the bytes of memory that this process may use: this machine's, unless it is limited to less.

    A container or a batch system limits it by a control group, ``ulimit -v`` by its address space.
    """
    return min(_machine_memory(), _address_space())


@contextmanager
def within_memory(source: str) -> Iterator[None]:
    """Turn a ``MemoryError`` in the block into an ``InputError`` that starts with ``source``."""
    try:
        yield
    except MemoryError:
        raise InputError(
            f"{source}: there is not enough memory for it ({_size(physical_memory())} in all); "
            "use fewer rows or columns"
        ) from None


def give_back_unused() -> None:
    """Return memory that Arrow has freed, but keeps for itself, to the system."""
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()


def most_bytes() -> int:
    """Return the most bytes that a data set may take."""
    return physical_memory() // _SHARE


def check_size(source: str, rows: int, features: int, classes: int = 0, *, advice: str = "") -> None:
    """Raise ``InputError`` if N rows of D features and C classes exceed the limit.

    Call it before anything of that size is allocated. The message starts with ``source`` and ends
    with ``advice``.
    """
    needed = (8 * rows + _NAME) * (features + classes)
    if needed > most_bytes():
        columns = f"{_number(features)} features" + (f" and {_number(classes)} classes" if classes else "")
        raise InputError(
            f"{source}: {_number(rows)} rows of {columns} would take {_size(needed)}; {_rule()}"
            + (f"; {advice}" if advice else "")
        )


def check_bytes(source: str, size: int, what: str) -> None:
    """Raise ``InputError`` if ``size`` bytes exceed the limit; the message names ``what`` as too large."""
    if size > most_bytes():
        raise InputError(f"{source}: {what} takes {_size(size)} or more; {_rule()}")


def _rule() -> str:
    return f"a data set may take {_size(most_bytes())}, an eighth of {_whose()}; use fewer rows or columns"


def _whose() -> str:
    if _address_space() < _machine_memory():
        return "the memory that this process may have (ulimit -v)"
    return "this machine's memory"


@cache
def _machine_memory() -> int:
    """Return this machine's memory in bytes, or the limit of this process's control group if that is less."""
    found = [int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes", *_own_group()):
        with suppress(OSError, ValueError):  # the file holds "max", or does not exist
            found.append(int(Path(file).read_text(encoding="ascii")))
    return min(each for each in found if each > 0)


def _own_group() -> list[str]:
    with suppress(OSError, ValueError):
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        return [f"/sys/fs/cgroup{line[3:]}/memory.max" for line in lines if line.startswith("0::/")]
    return []


def _address_space() -> int:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return _machine_memory() if limit == resource.RLIM_INFINITY else limit


def _size(size: int) -> str:
    if size >= 2**60:
        return "over a billion GiB"
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _number(number: int) -> str:
    """Return a number in digits, or ``over 10**18`` from there on."""
    return str(number) if number < 10**18 else "over 10**18"
