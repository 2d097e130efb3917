"""The one exception that a user's input can cause: it is shown as one line, without a traceback."""


class InputError(ValueError):
    """Something the user gave is wrong.

    The message is one line that says what is wrong, where, and what would be right. Entry points
    print it and exit with status 2; a library caller catches it as a ``ValueError``.
    """
