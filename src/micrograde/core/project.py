"""Where a project is, where the config files are, and what to type in a shell to run a command there.

A project is the folder in which ``mlruns/`` is, or will be. A folder is marked as one by a file
``micrograde.yaml`` or by ``mlruns/``, which have to belong to the user.
"""

import os
import re
import shlex
import stat
from pathlib import Path

from micrograde.core.errors import InputError

MARK = "micrograde.yaml"
"""The file that makes its folder a project; ``micrograde init`` writes it."""

STARTED_AS = "MICROGRADE_STARTED_AS"
"""The environment variable with what was typed to start a command, ``micrograde`` or ``make``."""

_PACKAGE = Path(__file__).resolve().parents[1]


def project_home() -> Path:
    """Return the folder that holds ``mlruns/``.

    It is ``MICROGRADE_HOME`` if that is set, else the nearest project at or above the working directory, else
    the working directory.

    Raises
    ------
    InputError
        If ``MICROGRADE_HOME`` is an address, which would be taken for a relative path; or if there is no
        working directory any more.
    """
    given = os.environ.get("MICROGRADE_HOME")
    _refuse_address(given or "")
    try:
        # Not Path.resolve, which raises for links that lead to themselves.
        return Path(os.path.realpath(given)) if given else _nearest(Path.cwd())
    except FileNotFoundError:
        raise InputError(
            "the working directory has been deleted; go to another, or set MICROGRADE_HOME to a whole path"
        ) from None


def _nearest(folder: Path) -> Path:
    return next(filter(is_marked, (folder, *folder.parents)), folder)


def is_marked(folder: Path) -> bool:
    """Return whether a folder is marked as a project, by this user.

    In a folder that others may write to, such as /tmp, somebody else's mark could have runs recorded there.
    """
    for name, is_kind in ((MARK, stat.S_ISREG), ("mlruns", stat.S_ISDIR)):
        try:
            found = (folder / name).stat()
        except OSError:  # there is none, or the folder may not be searched
            continue
        if is_kind(found.st_mode) and found.st_uid == os.getuid():
            return True
    return False


def _refuse_address(home: str) -> None:
    if re.match("[A-Za-z][A-Za-z0-9+.-]+:/", home):
        raise InputError(f"MICROGRADE_HOME={home[:200]}: should be a folder, not an address")


def checkout() -> Path | None:
    """Return the checkout of micrograde that contains this file; None for a package installed without one."""
    folder = _PACKAGE.parents[1]
    return folder if (folder / "conf" / "train.yaml").exists() else None


def conf_folder() -> Path:
    """Return the folder with micrograde's own config files: the checkout's, or the copy in the wheel."""
    source = checkout()
    return source / "conf" if source else _PACKAGE / "conf"


def own_conf_folder() -> Path | None:
    """Return the project's folder of config files, which win over micrograde's own; None if it has none.

    Only a folder with ``micrograde.yaml`` has one: a ``conf/`` elsewhere may be for another program.
    """
    home = project_home()
    folder = home / "conf"
    if not (home / MARK).is_file() or not folder.is_dir() or folder.resolve() == conf_folder().resolve():
        return None
    return folder


def command_line(command: str, *arguments: str) -> str:
    """Return what to type to run a command: ``micrograde compare sweep=latest``.

    If make was typed it is ``make compare ARGS="sweep=latest"``, which needs no activated environment; so it
    is in a checkout's own folder if neither was, as in Python.
    """
    source = checkout()
    in_checkout = source is not None and (source / "Makefile").exists() and _is_working_directory(source)
    if os.environ.get(STARTED_AS, "make" if in_checkout else "") != "make":
        return " ".join(["micrograde", command, *map(shlex.quote, arguments)])
    return f'make {command} ARGS="{" ".join(map(_for_make, arguments))}"' if arguments else f"make {command}"


def _for_make(argument: str) -> str:
    """Return an argument as it stands within ``ARGS="..."``, which a shell, make and a shell again read."""
    if re.search(r"[^\w@%+=:,./\[\]{}-]", argument):
        argument = shlex.quote(argument).replace("$", "$$")
    return re.sub(r'([\\"$`])', r"\\\1", argument)


def _is_working_directory(folder: Path) -> bool:
    try:
        return folder.samefile(".")
    except OSError:
        return False


def pip_install(extra: str) -> str:
    """Return what to type to install one of micrograde's extras."""
    if checkout():
        return f"in the checkout, .venv/bin/pip install -c .ci/constraints.txt -e '.[{extra}]'"
    return f"pip install 'micrograde[{extra}]'"
