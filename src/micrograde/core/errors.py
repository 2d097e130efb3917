"""The exceptions that a user sees as one line, without a traceback."""

import os
import traceback

from micrograde.core.printable import printable
from micrograde.core.redaction import without_password


class _OneLineError(Exception):
    """An error that Jupyter shows as one line, as the shell does; ``%debug`` still leads to its origin.

    With the environment variable ``HYDRA_FULL_ERROR=1`` the whole traceback is shown, as in the shell.
    Passwords in the message are hidden.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(without_password(message))

    def __str__(self) -> str:
        """Return the message with control characters escaped: it may quote what stands in a store."""
        return "\n".join(map(printable, super().__str__().split("\n")))

    def _render_traceback_(self) -> list[str]:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            return "".join(traceback.format_exception(self)).splitlines()
        return [f"{type(self).__name__}: {self}"]


class InputError(_OneLineError, ValueError):
    """Something the user gave is wrong.

    The message is one line that says what is wrong, where, and what would be right. Entry points
    print it and exit with status 2; a library caller catches it as a ``ValueError``.
    """


class RunFailedError(_OneLineError, RuntimeError):
    """A run ended without a result, such as one whose loss became infinite; the message is one line."""
