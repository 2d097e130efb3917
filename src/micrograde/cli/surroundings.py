"""What a command finds around it when it begins: its folders, and what the system lets it have.

What is wrong there is said in one line, by ``InputError``, before anything is read or written; and what the
system refuses later in one line, too.
"""

import errno
import os
import resource
import warnings
from pathlib import Path

from micrograde.core.errors import InputError
from micrograde.store import project_home
from micrograde.store.library_environment import keep_caches_in
from micrograde.store.path_kinds import check_home

_FILES = 64  # that a process has open at most, and some
_WANTED_FILES = 1024
_NO_PROCESS = "no more processes can be started (ulimit -u, or the machine's limit); end some, or allow more"


def check_surroundings() -> Path:
    """The project's home, once everything around has been found to be in order; libraries' caches go there.

    Raises
    ------
    InputError
        The working directory is gone, the home is none, or too few files may be open.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise InputError(f"the working directory cannot be found ({error.strerror}); go to another") from None
    _allow_files()
    # With ulimit -f 0, say; micrograde has no use of joblib's processes.
    warnings.filterwarnings("ignore", ".*joblib will operate in serial mode", UserWarning)
    home = project_home()
    check_home(home)
    keep_caches_in(home / "mlruns" / "cache")
    return home


def refusal(error: BaseException) -> str | None:
    """What the system has refused, in a line; None if that is not what ``error`` is about."""
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
    """Have as many files open as this user may; what the shell sets is often less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _WANTED_FILES:
        wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        raise InputError(_few_files(f"at most {soft} files may be open"))


def _few_files(what: str) -> str:
    return f"{what} (ulimit -n); allow more: ulimit -n {_WANTED_FILES}"
