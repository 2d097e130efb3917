"""The files of a run in the store, and the recipe that is read from them.

The content of a store is untrusted, as anybody who can write to a shared server may have written it: a path
in it never leads out of the folder it belongs to, YAML is read without tags and aliases, and nothing is
interpolated.
"""

import dataclasses
import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import TrainConfig
from micrograde.core.bounds import LONGEST_RECIPE
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.runs.checkpoints import FOLDER
from micrograde.store import StoredRun, StoreLocation, Tracking, backend_of
from micrograde.store.backends.disabled import DisabledTracking

RECIPE = "config/config.yaml"
TO_GO_ON = ("config", FOLDER, "train.log", "gradient_check.csv")
"""The files and folders that are needed to train a run again, or to resume it."""


def files_of(
    run: StoredRun, location: StoreLocation, wanted: Collection[str] = TO_GO_ON
) -> AbstractContextManager[Path]:
    """Provide a folder with the run's files for as long as the context lasts.

    Parameters
    ----------
    wanted
        The files and folders to fetch, if the store is elsewhere; those that do not exist are skipped.

    Raises
    ------
    InputError
        If the files cannot be read or fetched.
    """
    return backend_of(location).files_of(run.about.run_id, run.artifact_uri, location, wanted)


def contained(folder: Path, name: str) -> Path | None:
    """Return the path of ``name`` in a folder; None if it does not exist or a link leads out of the folder.

    Anything but a file or a folder counts as missing: reading a named pipe, for example, would not return.
    """
    # Not Path.resolve and Path.exists, which raise for links that lead to themselves and names too long.
    path = Path(os.path.realpath(folder / name))
    is_there = os.path.isfile(path) or os.path.isdir(path)
    return path if is_there and path.is_relative_to(os.path.realpath(folder)) else None


def read_recipe(
    files: Path, run: StoredRun, tracking: Tracking, given_paths: Mapping[str, str] | None = None
) -> TrainConfig:
    """Read the config of a run, to be followed: with ``tracking`` as the place to record to.

    Parameters
    ----------
    given_paths
        Paths of data files, by their key below ``data``, which replace the run's own. Of the run's own
        paths, only those inside the working directory are followed.

    Raises
    ------
    InputError
        If the run has no recipe or an invalid one, or a data path leads out of the working directory.
    """
    config = stored_recipe(files, run, tracking, given_paths)
    for key, path_of_data in config.data.paths().items():
        if key not in (given_paths or {}) and not Path(path_of_data).resolve().is_relative_to(Path.cwd()):
            raise InputError(
                f"run {run.about.run_id}: was trained on {printable(path_of_data)}, which is not in this "
                f"folder; a path from the store is followed only inside it: give it as data.{key}=..."
            )
    return config


def stored_recipe(
    files: Path,
    run: StoredRun,
    tracking: Tracking | None = None,
    given_paths: Mapping[str, str] | None = None,
) -> TrainConfig:
    """Read the config of a run, to look at only: its paths are the store's and must not be followed."""
    name = f"run {run.about.run_id}"
    path = contained(files, RECIPE)
    if path is None:
        raise InputError(f"{name}: has no {RECIPE}, so there is no recipe to follow")
    container = _read_yaml(path, name)
    container["tracking"] = dataclasses.asdict(tracking or DisabledTracking())
    data = container.get("data")
    if isinstance(data, dict):
        data.update(given_paths or {})
    try:
        config = parse_train_config(container)
    except InputError as error:
        raise InputError(
            f"{name}: its {RECIPE} is not a valid recipe: {str(error).splitlines()[0]}"
        ) from None
    return config


def _read_yaml(path: Path, name: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """A YAML loader that refuses aliases, by which a short text can expand to an endless one."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it holds aliases")
            return super().compose_node(parent, index)

    try:
        if not path.is_file() or path.stat().st_size > LONGEST_RECIPE:
            raise yaml.YAMLError(f"it is not a file of at most {LONGEST_RECIPE:,} bytes")
        container = Loader(path.read_text(encoding="utf-8")).get_single_data()
    except (OSError, UnicodeDecodeError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: its {RECIPE} cannot be read ({reason})") from None
    if not isinstance(container, dict):
        raise InputError(f"{name}: its {RECIPE} is not a valid recipe")
    return container
