"""Load a data set, by its entry or by its name."""

from typing import Any

from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.data.dataset import Dataset
from micrograde.data.memory import give_back_unused, within_memory
from micrograde.data.sets import DATA_SETS, DataSet


def load(data: DataSet, *, version: int = RECIPE_VERSION, task: str | None = None) -> Dataset:
    """Make or read the rows of a data set.

    Parameters
    ----------
    task
        What is to be learned, such as ``regression``; None if the data decide.
    version
        The version of the recipe: tables are read in another way in earlier ones.

    Raises
    ------
    InputError
        If the data cannot be used.
    """
    key = data.size_key or "name"
    with within_memory(f"data.{key}={getattr(data, key)}"):
        dataset = data.load_of_version(version, task)
    give_back_unused()
    return dataset


def load_dataset(name: str, *, seed: int, version: int = RECIPE_VERSION, **options: Any) -> Dataset:
    """Make or read the data set ``name``.

    Parameters
    ----------
    name
        ``data.name``, the name of an entry of ``DATA_SETS``.
    seed
        ``data.seed``; only data that are generated depend on it.
    version
        The version of the recipe; see ``load``.
    options
        The other keys of the config's ``data``.

    Raises
    ------
    InputError
        If there is no such name, or the data cannot be used.
    """
    if name not in DATA_SETS:
        raise InputError(f"data.name={name}: must be one of {', '.join(DATA_SETS)}")
    return load(DATA_SETS[name](seed=seed, **options), version=version)
