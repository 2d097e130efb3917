"""The exceptions that a user sees as one line, without a traceback."""


class InputError(ValueError):
    """Something the user gave is wrong.

    The message is one line that says what is wrong, where, and what would be right. Entry points
    print it and exit with status 2; a library caller catches it as a ``ValueError``.
    """


class RunFailedError(RuntimeError):
    """A run ended without a result, such as one whose loss became infinite; the message is one line."""
