"""A run's files on their way from the launch's folder to the store."""

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.tracking.retrying import Caller
from micrograde.tracking.store import StoreLocation

if TYPE_CHECKING:
    from mlflow import MlflowClient


def keep_files(
    folder: Path,
    run_id: str,
    artifact_uri: str,
    client: "MlflowClient",
    location: StoreLocation,
    make: Caller,
) -> None:
    """Keep all files of a folder with a run; what has been kept before is kept as it is.

    A local store's are moved, for they are on the same disk; a server's are sent one at a time, so that one
    that fails is not a reason to send the others again.
    """
    if not folder.exists():
        return
    from mlflow.utils.file_utils import local_file_uri_to_path

    if location.database and artifact_uri.startswith("file:"):
        if any(folder.iterdir()):
            target = local_file_uri_to_path(artifact_uri)  # type: ignore[no-untyped-call]
            shutil.copytree(folder, target, dirs_exist_ok=True, copy_function=shutil.move)
        return
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inner = path.relative_to(folder).parent.as_posix()
        make(partial(client.log_artifact, run_id, str(path), None if inner == "." else inner))
