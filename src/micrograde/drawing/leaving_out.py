"""A picture that cannot be drawn is left out, and a line says so: no run and no sweep fails for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
"""Is told, in a line, of a picture that is left out."""

_LENGTH = 200  # characters of an error's words


@contextmanager
def left_out(name: str, say: Say | None) -> Iterator[None]:
    """Go on after an error in what is drawn within the context; ``say`` is told of it in a line.

    With None an error is raised, so that whoever draws a picture by itself sees what is wrong with it. Errors
    of the system, such as a full disk, are no picture's own and are raised, too.
    """
    try:
        yield
    except Exception as error:
        if say is None or (isinstance(error, OSError) and error.errno is not None):
            raise
        words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")[:_LENGTH]
        say(f"{name} is left out: it could not be drawn ({words})")
