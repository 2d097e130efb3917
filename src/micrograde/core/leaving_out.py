"""Leave out what cannot be made, such as a picture, and say so in a line, so that no run or sweep fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
"""A function that reports, in one line of text, what is left out."""

_LENGTH = 200  # characters of an error's message that are reported


@contextmanager
def left_out(name: str, say: Say | None, done: str = "drawn") -> Iterator[None]:
    """Suppress an error in making the picture ``name`` within the context, and report it with ``say``.

    If ``say`` is None the error is raised, so that a caller who draws a single picture sees it. Errors of the
    operating system, such as a full disk, are not caused by the picture and are always raised. What cannot be
    ``drawn`` may also be said not to be ``found``.
    """
    try:
        yield
    except Exception as error:
        if say is None or (isinstance(error, OSError) and error.errno is not None):
            raise
        words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")[:_LENGTH]
        say(f"{name} is left out: it could not be {done} ({words})")
