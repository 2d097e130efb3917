"""Reader for NumPy's ``.npz`` files: one array of features, one of labels. Nothing is unpickled."""

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.dataset import MULTILABEL, REGRESSION, Dataset
from micrograde.data.files import existing_file
from micrograde.data.labels import are_numbers, encode_labels
from micrograde.data.memory import check_bytes, check_size, most_bytes
from micrograde.data.messages import first_line, listed, shortened
from micrograde.data.missing import NOTHING_LEFT, MissingRule, check_missing
from micrograde.data.unpacking import open_archive, open_member, read_at_most

_NPY_MAGIC = b"\x93NUMPY"


def read_npz(
    *,
    path: str,
    features: str = "features",
    labels: str = "labels",
    missing: MissingRule = "error",
    task: str | None = None,
) -> Dataset:
    """Read the arrays named ``features`` (N, ...) and ``labels`` (N,) or (N, K) from the file at ``path``.

    Features are flattened to (N, D) in C order; NaN in them is a missing value. Labels with fractions, or of
    several columns, are numbers to be predicted, as all numbers are with ``task="regression"``. Several
    columns of truth values, or with ``task="multilabel"`` of 0 and 1, are labels that a row has or has not.

    Raises
    ------
    InputError
        If the file is not such an archive, an array is absent, too large or has the wrong shape or type,
        the lengths differ, or values are infinite or (with ``missing="error"``) missing.
    """
    file = existing_file(path, "data.path")
    rows, classes = _read_arrays(
        file, {"data.features": features, "data.labels": labels}, f"data.path={path}"
    )
    if rows.dtype.kind not in "biuf":
        raise InputError(f"data.features={features}: holds {shortened(rows.dtype)} values; needs numbers")
    if rows.ndim == 0 or rows.size == 0:
        raise InputError(
            f"data.features={features}: has the shape {shortened(rows.shape)}; "
            "needs rows of at least one feature"
        )
    if classes.ndim == 2 and classes.shape[1] == 1:
        classes = classes[:, 0]
    if classes.ndim not in (1, 2) or not classes.shape[-1]:
        raise InputError(
            f"data.labels={labels}: has the shape {shortened(classes.shape)}; "
            f"needs ({len(rows)},), one a row, or ({len(rows)}, K), K numbers a row"
        )
    if len(classes) != len(rows):
        raise InputError(f"data.labels={labels}: has {len(classes)} labels for {len(rows)} rows of features")
    check_size(f"data.features={features}", len(rows), rows.size // len(rows))

    names = feature_names(rows.shape[1:])
    with np.errstate(over="ignore", invalid="ignore"):  # long doubles may overflow; inf is refused below
        flat = rows.reshape(len(rows), -1).astype(np.float64)
    if np.isinf(flat).any():
        raise InputError(f"data.features={features}: holds {np.isinf(flat).sum()} infinite values")
    absent = np.isnan(flat)
    unlabelled = np.isnan(classes) if classes.dtype.kind == "f" else np.zeros(classes.shape, bool)
    unlabelled = unlabelled.reshape(len(classes), -1).any(axis=1)
    counts = {**dict(zip(names, absent.sum(axis=0).tolist(), strict=True)), labels: int(unlabelled.sum())}
    check_missing(counts, names, missing, f"data.path={path}")
    if missing == "drop":
        complete = ~(absent.any(axis=1) | unlabelled)
        if not complete.any():
            raise InputError(f"data.path={path}: {NOTHING_LEFT}")
        flat, classes = flat[complete], classes[complete]
    if task == MULTILABEL or (task is None and classes.ndim == 2 and classes.dtype.kind == "b"):
        return _with_truths(flat, classes, names, labels, task, fill_missing=missing == "mean")
    if task == REGRESSION or (task is None and are_numbers(classes)):
        return _with_numbers(flat, classes, names, labels, fill_missing=missing == "mean")
    if classes.ndim > 1:
        raise InputError(f"data.labels={labels}: has {classes.shape[1]} columns; one holds the classes")
    encoded, class_names = encode_labels(classes, f"data.labels={labels}")
    return Dataset("npz", flat, encoded, class_names, names, fill_missing=missing == "mean")


def _with_truths(
    features: NDArray[np.float64],
    truths: NDArray[Any],
    names: tuple[str, ...],
    labels: str,
    task: str | None,
    *,
    fill_missing: bool,
) -> Dataset:
    """Return a data set of labels (N, K) that rows have or have not, named by their array."""
    if truths.ndim != 2 or truths.dtype.kind not in "biuf" or not ((truths == 0) | (truths == 1)).all():
        what = "has one column" if truths.ndim != 2 else "holds something else than 0 and 1"
        raise InputError(
            f"data.labels={labels}: {what}; task=multilabel needs several columns of 0 and 1, or of truth "
            "values"
        )
    notes = () if task else (f"data.labels={labels}: each column is learned as yes or no (task=multilabel)",)
    return Dataset(
        "npz",
        features,
        truths.astype(np.int64),
        (),
        names,
        fill_missing=fill_missing,
        notes=notes,
        task=MULTILABEL,
        target_names=tuple(f"{labels}_{number}" for number in range(truths.shape[1])),
    )


def _with_numbers(
    features: NDArray[np.float64],
    numbers: NDArray[Any],
    names: tuple[str, ...],
    labels: str,
    *,
    fill_missing: bool,
) -> Dataset:
    """Return a data set of numbers (N,) or (N, K) to be predicted, named by their array."""
    if numbers.dtype.kind not in "biuf":
        raise InputError(
            f"data.labels={labels}: holds {shortened(numbers.dtype)} values; task=regression needs numbers"
        )
    with np.errstate(over="ignore"):
        of_rows = numbers.reshape(len(numbers), -1).astype(np.float64)
    columns = of_rows.shape[1]
    target_names = tuple(f"{labels}_{number}" for number in range(columns)) if columns > 1 else (labels,)
    return Dataset(
        "npz",
        features,
        of_rows,
        (),
        names,
        fill_missing=fill_missing,
        notes=(f"data.labels={labels}: are predicted as numbers (a regression)",),
        task=REGRESSION,
        target_names=target_names,
    )


def _read_arrays(file: Path, wanted: dict[str, str], source: str) -> list[NDArray[Any]]:
    """Return the arrays named by the values of ``wanted``, whose keys are config keys, from an archive."""
    with file.open("rb") as stream:
        if stream.read(len(_NPY_MAGIC)) == _NPY_MAGIC:
            raise InputError(f"{source}: holds a single array; needs an .npz file with features and labels")
    try:
        with open_archive(file) as archive:
            return [_read_array(archive, key, name) for key, name in wanted.items()]
    except (InputError, MemoryError):
        raise
    # For damaged files zipfile and NumPy raise more kinds of error than they document, here and below.
    except Exception as error:
        raise InputError(f"{source}: is no .npz file: {first_line(error)}") from None


def _read_array(archive: zipfile.ZipFile, key: str, name: str) -> NDArray[Any]:
    source, member = f"{key}={name}", f"{name}.npy"
    if member not in archive.namelist():
        names = [each.removesuffix(".npy") for each in archive.namelist()]
        raise InputError(f"{source}: there is no such array; the arrays are {listed(names)}")
    # zipfile reads no more of a member than this size; if it is larger, its checksum will be wrong.
    check_bytes(source, archive.getinfo(member).file_size, "the array")
    try:
        with open_member(archive, member) as stream:
            return _parse(stream, source)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{source}: cannot be read from the file: {first_line(error)}") from None


def _parse(stream: IO[bytes], source: str) -> NDArray[Any]:
    """Parse a ``.npy`` file. Memory is allocated for the bytes that are there, not for the header's claim."""
    npy = np.lib.format
    if npy.read_magic(stream) == (1, 0):
        shape, fortran_order, dtype = npy.read_array_header_1_0(stream)
    else:  # 3.0 differs only in the names of fields
        shape, fortran_order, dtype = npy.read_array_header_2_0(stream)
    if dtype.hasobject:
        raise InputError(
            f"{source}: holds Python objects, which would need allow_pickle, and that can run any code; "
            "save an array of numbers (for labels, of integers or strings)"
        )
    promised = math.prod(shape) * dtype.itemsize
    content = read_at_most(stream, min(promised, most_bytes()) + 1)
    if len(content) != promised:
        has = len(content) if len(content) < promised else "more"
        raise InputError(
            f"{source}: its header, of the shape {shortened(shape)}, promises {shortened(promised)} bytes of "
            f"values; it has {has}"
        )
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")


def feature_names(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return names such as ``feature_3`` or, if rows are arrays, ``feature_3_4``, in C order."""
    return tuple("_".join(["feature", *map(str, index or (0,))]) for index in np.ndindex(shape))
