"""Say why .venv has to be made anew, if it has to: it was moved or copied, or its Python is another one.

Run by the Python of .venv itself, which may be an old one, in the folder that holds .venv.
"""

import os
import sys


def why_anew() -> str:
    """A few words; nothing of one that is as it was made, or that something else than venv has made."""
    if sys.version_info < (3, 11):  # noqa: UP036 (it may be run by one)
        return "its Python is {}.{}.{}".format(*sys.version_info)
    try:
        with open(os.path.join(".venv", "pyvenv.cfg"), "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return "it is not whole"
    said = dict(line.split(b" = ", 1) for line in lines if b" = " in line)
    version = "{}.{}.".format(*sys.version_info).encode()
    if not said.get(b"version", version).startswith(version):
        return "it was made for Python {}".format(said[b"version"].decode())
    # The path at the end of the command is absolute; packages and scripts in .venv hold it, too.
    made = said.get(b"command", b"")
    if b" -m venv " in made and not made.endswith(b" " + os.fsencode(os.path.realpath(".venv"))):
        return "it was made in another folder"
    return ""


if __name__ == "__main__":
    print(why_anew())
