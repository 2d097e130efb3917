"""End a command that cannot do what it was asked to: a line on standard error, and an exit status."""

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from micrograde.config.hydra_messages import hydra_message
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.printable import printable
from micrograde.core.terminal import spelled

BAD_INPUT = 2
RUN_FAILED = 1
INTERRUPTED = 130

_LONGEST_LINE = 1000  # characters; a value that was typed may have a hundred thousand


@contextmanager
def leave_with_line() -> Iterator[None]:
    """Turn an error in one of Hydra's callbacks into a line and an exit status.

    An error that is not the user's ends the program with a traceback; Hydra would only warn and go on.
    """
    try:
        yield
    except (InputError, RunFailedError, HydraException, OmegaConfBaseException) as error:
        leave(error)
    except Exception as error:
        print_traceback(type(error), error, error.__traceback__)
        sys.exit(RUN_FAILED)


def print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback as Python does, with control characters escaped: libraries quote what they read."""
    lines = "".join(traceback.format_exception(kind, error, trace)).splitlines()
    print("\n".join(spelled(printable(line), sys.stderr) for line in lines), file=sys.stderr)


def leave(error: Exception, command: str = "train", typed: Sequence[str] = ()) -> None:
    """Print the error's lines on stderr and exit; ``command`` and ``typed`` are as for ``hydra_message``."""
    ours = isinstance(error, InputError | RunFailedError)
    for line in (str(error) if ours else hydra_message(error, command, typed)).split("\n"):
        text = printable(line)
        text = text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 3]}..."
        print(spelled(text, sys.stderr), file=sys.stderr)
    sys.exit(RUN_FAILED if isinstance(error, RunFailedError) else BAD_INPUT)
