"""The files of a run in MLflow's stores: in ``mlruns/``, or fetched from a server."""

import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.bounds import ANSWER_SECONDS, MOST_FILES, MOST_FOLDERS
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.local_addresses import folder_here
from micrograde.store.location import StoreLocation
from micrograde.store.server_files import named_folder, open_files, shown_address
from micrograde.store.temporary_folders import temporary_folder

if TYPE_CHECKING:
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

_OF_MLFLOW = re.compile(r"The following failures occurred .*?##### File (.*?) ##### ")


def local_folder(run_id: str, address: str, location: StoreLocation) -> Path:
    """Return the folder in ``mlruns/`` with the files of a run; raise ``InputError`` if there is none."""
    folder = folder_here(address, location)
    if folder is None:
        said = printable(shown_address(address))
        raise InputError(f"run {run_id}: its files are not in {location.folder}, but in {said}")
    return folder


@contextmanager
def server_folder(
    run_id: str, address: str, location: StoreLocation, wanted: Collection[str]
) -> Iterator[Path]:
    """Provide a folder with the wanted files of a run; those that do not exist are skipped.

    Raises
    ------
    InputError
        If the files cannot be fetched.
    """
    named = named_folder(address, location, f"run {run_id}")
    if named:
        yield named
        return
    with temporary_folder(location.folder) as folder:
        with quiet_libraries():
            _download(run_id, address, location, wanted, str(folder))
        yield folder


def _download(
    run_id: str, address: str, location: StoreLocation, wanted: Collection[str], folder: str
) -> None:
    name = f"run {run_id}"
    try:
        files = open_files(address, location, name)
        _bound_listings(files)
        there_are = {file.path for file in files.list_artifacts()}
        for each in wanted:
            if each in there_are:
                files.download_artifacts(each, folder)  # type: ignore[no-untyped-call]
    except InputError:
        raise
    except Exception as error:  # each kind of store has errors of its own, and some lack their library
        reason = _OF_MLFLOW.sub(r"\1: ", " ".join(str(error).split()))[:200] or type(error).__name__
        raise InputError(f"{name}: its files cannot be fetched from the server ({reason})") from None


def _bound_listings(files: "ArtifactRepository") -> None:
    """Limit how many folders and files MLflow lists as it walks through a run's folders, and for how long."""
    list_folder = files.list_artifacts
    asked, found, until = 0, 0, time.monotonic() + 2 * ANSWER_SECONDS

    def bounded(path: str | None = None) -> Any:
        nonlocal asked, found
        asked += 1
        if asked > MOST_FOLDERS or time.monotonic() > until:
            raise ValueError("listing them does not end")
        listed = list_folder(path)
        found += len(listed)
        if found > MOST_FILES:
            raise ValueError(f"it has more than {MOST_FILES:,} files")
        return listed

    setattr(files, "list_artifacts", bounded)  # noqa: B010 (mypy minds an assignment)
