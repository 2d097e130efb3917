"""Check the environment that a command starts in: its folders, and the resources that the system allows.

A problem is an ``InputError`` of one line, raised before anything is read or written. ``refusal`` makes such
a line for resources that the system refuses later.
"""

import errno
import os
import resource
import sys
import warnings
from pathlib import Path

from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.project import project_home
from micrograde.core.terminal import spelled
from micrograde.store.library_environment import keep_caches_in
from micrograde.store.path_kinds import check_home

_FILES = 64  # open files that a process needs, with some to spare
_WANTED_FILES = 1024
_NO_PROCESS = "no more processes can be started (ulimit -u, or the machine's limit); end some, or allow more"


def check_surroundings() -> Path:
    """Check the environment, put the caches of libraries into the project's home, and return the home.

    Raises
    ------
    InputError
        If the working directory is gone, the home cannot be used, or too few files may be open.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise InputError(f"the working directory cannot be found ({error.strerror}); go to another") from None
    _allow_files()
    # joblib warns with ulimit -f 0, for example; micrograde does not use its processes.
    warnings.filterwarnings("ignore", ".*joblib will operate in serial mode", UserWarning)
    home = project_home()
    check_home(home)
    if not os.environ.get("MICROGRADE_HOME") and home != Path.cwd():
        print(f"project     {spelled(printable(str(home)))}", file=sys.stderr)
    keep_caches_in(home / "mlruns" / "cache")
    return home


def refusal(error: BaseException) -> str | None:
    """Return a line that says which resource the system refused; None if ``error`` has another cause."""
    unmapped = isinstance(error, ImportError) and ("map segment" in str(error) or "allocate" in str(error))
    if isinstance(error, MemoryError) or unmapped or getattr(error, "errno", None) == errno.ENOMEM:
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        allowed = (
            "" if limit == resource.RLIM_INFINITY else f"; ulimit -v allows {limit >> 20} MiB: allow more"
        )
        return f"there is not enough memory{allowed or '; choose a smaller network, or fewer rows'}"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return _NO_PROCESS
    if not isinstance(error, OSError) or error.errno is None:
        return None
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return _few_files("no more files can be opened")
    if isinstance(error, BlockingIOError) and error.filename is None:
        return _NO_PROCESS
    if error.errno == errno.EFBIG:
        return f"a file could not be written ({error.strerror}); allow larger ones: ulimit -f unlimited"
    path = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{path}{error.strerror}; HYDRA_FULL_ERROR=1 shows where"


def _allow_files() -> None:
    """Raise the limit of open files as far as this user may; the shell often sets a lower one.

    At most ``_WANTED_FILES`` are asked for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _WANTED_FILES:
        wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        raise InputError(_few_files(f"at most {soft} files may be open"))


def _few_files(what: str) -> str:
    return f"{what} (ulimit -n); allow more: ulimit -n {_WANTED_FILES}"
