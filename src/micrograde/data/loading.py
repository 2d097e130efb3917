"""``load_dataset``, which makes or reads a data set by its name."""

from collections.abc import Callable, Mapping
from typing import Any

from micrograde.core.errors import InputError
from micrograde.data import arrays, bundled, generators, idx, tables
from micrograde.data.dataset import Dataset
from micrograde.data.memory import within_memory

GENERATORS: Mapping[str, Callable[..., Dataset]] = {
    "gaussian": generators.gaussian,
    "blobs": generators.blobs,
    "moons": generators.moons,
    "circles": generators.circles,
    "spirals": generators.spirals,
    "xor": generators.xor,
}
"""The functions that generate a data set from ``seed``, by name."""

READERS: Mapping[str, Callable[..., Dataset]] = {
    "digits": bundled.digits,
    "iris": bundled.iris,
    "wine": bundled.wine,
    "breast_cancer": bundled.breast_cancer,
    "csv": tables.read_csv,
    "parquet": tables.read_parquet,
    "npz": arrays.read_npz,
    "idx": idx.read_idx,
}
"""The functions that read a data set and need no seed, by name."""


def load_dataset(name: str, *, seed: int, exact_labels: bool = True, **options: Any) -> Dataset:
    """Make or read the data set ``name``.

    Parameters
    ----------
    name
        ``data.name``, a key of ``GENERATORS`` or ``READERS``.
    seed
        ``data.seed``; only the generators use it.
    exact_labels
        For tables: whether classes stay as they are written in the file (see ``tables.read_csv``); False
        reads them as recipes of version 1 do.
    options
        The keyword arguments of the function of that name, which are the other keys of the config's ``data``.

    Raises
    ------
    InputError
        If there is no such name, or the data cannot be used.
    """
    key = next((key for key in ("path", "images", "samples") if key in options), None)
    with within_memory(f"data.{key}={options[key]}" if key else f"data.name={name}"):
        if name in GENERATORS:
            return GENERATORS[name](seed=seed, **options)
        if not exact_labels and name in tables.READERS_OF_VERSION_1:
            return tables.READERS_OF_VERSION_1[name](**options)
        if name in READERS:
            return READERS[name](**options)
    raise InputError(f"data.name={name}: must be one of {', '.join([*GENERATORS, *READERS])}")
