"""Standard output and error that never fail, so that a command goes on when nobody reads them any more.

``train.py | head -1`` closes the pipe, ``> /dev/full`` has no room, ``>&-`` closes the stream: none of these
is a reason to stop training. Output that cannot be written is discarded.
"""

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import Any

# The reader has closed the pipe, or the terminal was closed: nobody misses the output that is discarded.
_READER_HAS_GONE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ECONNRESET}


class _SteadyFile(io.RawIOBase):
    """A descriptor for writing that accepts and discards everything once a write has failed.

    Attributes
    ----------
    error
        The error of the write that failed; None if none has.
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
            except BlockingIOError:  # another program has made it non-blocking, and the reader is slow
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


_steady: list[_SteadyFile] = []


def keep_output_steady() -> None:
    """Make writing to standard output and standard error never fail from now on.

    A stream that another program has put in the place of one of them stays as it is.
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
            # With PYTHONUNBUFFERED there is no buffer, as in Python's own streams.
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
    """Return why output was lost that somebody may miss; None if none was, or if its reader had gone."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    errors = [file.error for file in _steady if file.error]
    return next((os.strerror(e.errno or 0) for e in errors if e.errno not in _READER_HAS_GONE), None)


def _fill_descriptors() -> None:
    """Open the closed ones of descriptors 0, 1 and 2, so that no other file gets one of these numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
