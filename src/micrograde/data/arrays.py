"""NumPy's ``.npz`` files: one array of features, one of labels. Nothing is unpickled."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.data.dataset import Dataset
from micrograde.data.files import existing_file
from micrograde.data.labels import encode_labels
from micrograde.data.messages import first_line, listed
from micrograde.data.missing import NOTHING_LEFT, MissingRule, check_missing
from micrograde.errors import InputError

# What numpy and zipfile raise for a file that is no archive, cut short, corrupt, or whose header lies.
_UNREADABLE = (ValueError, OSError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def read_npz(
    *, path: str, features: str = "features", labels: str = "labels", missing: MissingRule = "error"
) -> Dataset:
    """The arrays named ``features`` (N, ...) and ``labels`` (N,) of the file at ``path``.

    Features are flattened to (N, D) in C order; NaN in them is a missing value.

    Raises
    ------
    InputError
        The file is no such archive, an array is absent or has the wrong shape or type, the
        lengths differ, or values are infinite or missing.
    """
    file = existing_file(path, "data.path")
    rows, classes = _read_arrays(
        file, {"data.features": features, "data.labels": labels}, f"data.path={path}"
    )
    if rows.dtype.kind not in "biuf":
        raise InputError(f"data.features={features}: holds {rows.dtype} values; needs numbers")
    if rows.ndim == 0 or rows.size == 0:
        raise InputError(
            f"data.features={features}: has the shape {rows.shape}; needs rows of at least one feature"
        )
    if classes.ndim != 1:
        raise InputError(
            f"data.labels={labels}: has the shape {classes.shape}; needs ({len(rows)},), one a row"
        )
    if len(classes) != len(rows):
        raise InputError(f"data.labels={labels}: has {len(classes)} labels for {len(rows)} rows of features")

    names = _feature_names(rows.shape[1:])
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    if np.isinf(flat).any():
        raise InputError(f"data.features={features}: holds {np.isinf(flat).sum()} infinite values")
    absent, unlabelled = np.isnan(flat), classes != classes  # NaN alone differs from itself
    counts = {**dict(zip(names, absent.sum(axis=0).tolist(), strict=True)), labels: int(unlabelled.sum())}
    check_missing(counts, names, missing, f"data.path={path}")
    if missing == "drop":
        complete = ~(absent.any(axis=1) | unlabelled)
        if not complete.any():
            raise InputError(f"data.path={path}: {NOTHING_LEFT}")
        flat, classes = flat[complete], classes[complete]
    encoded, class_names = encode_labels(classes, f"data.labels={labels}")
    return Dataset("npz", flat, encoded, class_names, names, fill_missing=missing == "mean")


def _read_arrays(file: Path, wanted: dict[str, str], source: str) -> list[NDArray[Any]]:
    """The arrays of an archive whose names are the values of ``wanted``; its keys are the config's."""
    try:
        archive = np.load(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise InputError(f"{source}: is no .npz file: {first_line(error)}") from None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise InputError(f"{source}: holds a single array; needs an .npz file with features and labels")
    arrays = []
    with archive:
        for key, name in wanted.items():
            if name not in archive:
                raise InputError(
                    f"{key}={name}: there is no such array; the arrays are {listed(archive.files)}"
                )
            try:
                array = archive[name]
            except _UNREADABLE as error:
                if "allow_pickle" in str(error):
                    raise InputError(
                        f"{key}={name}: holds Python objects, which would need allow_pickle, and that "
                        "can run any code; save an array of numbers (for labels, of integers or strings)"
                    ) from None
                raise InputError(f"{key}={name}: cannot be read from the file: {first_line(error)}") from None
            if not isinstance(array, np.ndarray):
                raise InputError(f"{key}={name}: is no array")
            arrays.append(array)
    return arrays


def _feature_names(shape: tuple[int, ...]) -> tuple[str, ...]:
    """``feature_3`` or, for rows that are arrays, ``feature_3_4``; in C order."""
    return tuple("_".join(["feature", *map(str, index or (0,))]) for index in np.ndindex(shape))
