"""Load a data set, by its entry or by its name."""

from typing import Any

from micrograde.core.errors import InputError
from micrograde.data.dataset import Dataset
from micrograde.data.memory import within_memory
from micrograde.data.sets import DATA_SETS, DataSet


def load(data: DataSet, *, exact_labels: bool = True) -> Dataset:
    """Make or read the rows of a data set.

    Parameters
    ----------
    exact_labels
        For tables: whether classes stay as they are written in the file (see ``tables.read_csv``); False
        reads them as recipes of version 1 do.

    Raises
    ------
    InputError
        If the data cannot be used.
    """
    key = data.size_key or "name"
    with within_memory(f"data.{key}={getattr(data, key)}"):
        return data.load() if exact_labels else data.load_by_version_1()


def load_dataset(name: str, *, seed: int, exact_labels: bool = True, **options: Any) -> Dataset:
    """Make or read the data set ``name``.

    Parameters
    ----------
    name
        ``data.name``, the name of an entry of ``DATA_SETS``.
    seed
        ``data.seed``; only data that are generated depend on it.
    exact_labels
        See ``load``.
    options
        The other keys of the config's ``data``.

    Raises
    ------
    InputError
        If there is no such name, or the data cannot be used.
    """
    if name not in DATA_SETS:
        raise InputError(f"data.name={name}: must be one of {', '.join(DATA_SETS)}")
    return load(DATA_SETS[name](seed=seed, **options), exact_labels=exact_labels)
