"""What is fuzzed, and what must hold: a reader reads, or refuses in one line, with bounded memory."""

import os
import resource
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data import Dataset, memory

PRETENDED_MEMORY = 2**28  # bytes; small, so that what takes too much of it is found quickly
MEMORY_LIMIT = 2**30  # what the process may take, Python and its libraries with it
LONGEST_INPUT = 2**12  # or twice the longest seed; bombs may be longer
LONGEST_MESSAGE = 500  # characters, without the folder


class FindingError(AssertionError):
    """A reader did what it must not."""


def check_dataset(dataset: Any) -> None:
    """Raise unless its arrays fit each other and every number is finite or declared missing."""
    if not isinstance(dataset, Dataset):
        raise FindingError(f"no Dataset but {type(dataset)}")
    rows, columns = dataset.features.shape
    holds = {
        "types": dataset.features.dtype == np.float64 and dataset.labels.dtype == np.int64,
        "lengths": dataset.labels.shape == (rows,) and len(dataset.feature_names) == columns,
        "size": 8 * rows * columns <= memory.most_bytes(),
        "labels": set(np.unique(dataset.labels).tolist()) <= set(range(len(dataset.class_names))),
        "names": all(type(name) is str for name in (*dataset.class_names, *dataset.feature_names)),
        "numbers": not np.isinf(dataset.features).any(),
        "missing": dataset.fill_missing or not np.isnan(dataset.features).any(),
        "digest": len(dataset.digest) == 64,
    }
    if wrong := [name for name, is_so in holds.items() if not is_so]:
        raise FindingError(f"a data set with wrong {wrong}")


@dataclass(frozen=True)
class Target:
    """A reader, and how to give it a fuzzer's bytes.

    Parameters
    ----------
    name
        As in `make fuzz ARGS="--reader name"`.
    read
        Writes the bytes into an empty folder, as the files they stand for, and reads those.
    seeds
        Small inputs, most of them valid, from which others are made.
    bombs
        Inputs that are tried as they are: small files that claim, or unpack to, very much.
    words
        What the format is made of, for the fuzzer to put in.
    refusals
        The errors that say that a file is refused.
    check
        Raises ``FindingError`` if what was read is not sound.
    """

    name: str
    read: Callable[[Path, bytes], Any]
    seeds: Callable[[], Sequence[bytes]]
    bombs: Callable[[], Iterable[bytes]] = tuple
    words: Sequence[bytes] = ()
    refusals: tuple[type[Exception], ...] = (InputError,)
    check: Callable[[Any], None] = check_dataset

    def try_out(self, folder: Path, content: bytes) -> str | None:
        """Read, and return the line if it was refused.

        Raises
        ------
        FindingError
            Or whatever else the reader should not have raised.
        """
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        try:
            result = self.read(folder, content)
        except self.refusals as error:
            line = str(error).replace(str(folder), "")
            if not line or not line.isprintable() or len(line) > LONGEST_MESSAGE:
                raise FindingError(f"a message of {len(line)} characters: {line[:1000]!r}") from error
            return line
        self.check(result)
        return None


def pretend_small_machine() -> None:
    """Have the readers believe in ``PRETENDED_MEMORY``."""
    memory.physical_memory = lambda: PRETENDED_MEMORY


def check_memory() -> None:
    """Raise ``FindingError`` if this process has ever taken more than ``MEMORY_LIMIT``."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if os.uname().sysname == "Darwin" else 1024
    )
    if most > MEMORY_LIMIT:
        raise FindingError(f"the process has taken {most / 2**20:.0f} MiB")
