"""Homes made from others, which is quicker than to have MLflow make a store."""

import contextlib
import io
import shutil
from pathlib import Path

from micrograde.store import local_store
from micrograde.store.moving import mend_addresses


def copy_home(home: Path, copy: Path) -> Path:
    """Copy a home with its store, as if all had been recorded in the copy; nothing says that it has moved."""
    shutil.copytree(home, copy, dirs_exist_ok=True)
    with contextlib.redirect_stderr(io.StringIO()):
        mend_addresses(local_store(copy))
    return copy
