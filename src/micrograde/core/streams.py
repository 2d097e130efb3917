"""Standard output and error that a command can do without, for whoever reads them may go away.

``train.py | head -1`` closes the pipe, ``> /dev/full`` has no room, ``>&-`` gives none at all: that is no
reason to stop training. What cannot be written is let go, and the command goes on.
"""

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import Any

# The reader has seen enough, or the terminal was closed: then nobody misses what is not written.
_READER_HAS_GONE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ECONNRESET}


class _SteadyFile(io.RawIOBase):
    """A descriptor for writing, which takes whatever is written once it has failed.

    Attributes
    ----------
    error
        Why nothing is written any more.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while self.error is None and len(rest):
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another program has set it so, and the reader is slow
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


_steady: list[_SteadyFile] = []


def keep_output_steady() -> None:
    """Have ``print`` and whatever else writes to standard output and error never fail from now on.

    A stream that somebody else has put in their place stays as it is.
    """
    _fill_descriptors()
    _steady.clear()
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream, original = getattr(sys, name), getattr(sys, f"__{name}__")
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif stream is original and isinstance(stream, io.TextIOWrapper):
            with suppress(OSError):
                stream.flush()
            file = _SteadyFile(descriptor)
            _steady.append(file)
            # With PYTHONUNBUFFERED there is nothing between, as in Python's own streams.
            buffer: Any = file if stream.write_through else io.BufferedWriter(file)
            steady = io.TextIOWrapper(
                buffer,
                stream.encoding,
                stream.errors,
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, steady)


def lost_output() -> str | None:
    """Why something could not be written, though there may be somebody who wants it; None if all was."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    errors = [file.error for file in _steady if file.error]
    return next((os.strerror(e.errno or 0) for e in errors if e.errno not in _READER_HAS_GONE), None)


def _fill_descriptors() -> None:
    """Open what is closed of the first three: the next file would be taken for one of them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
