"""``predictions.parquet``: what the model that a run keeps says of each row of its data.

Columns
-------
row
    The row's number in its source, from 1; the header of a table is not counted.
part
    ``train``, ``val`` or ``test``.
true, predicted
    The class that it is of and the one that it is given, or its number and the one that is predicted, in the
    number's own unit; of several numbers ``true_<name>`` and ``predicted_<name>``. Predictions are missing
    where the network's numbers overflow.
loss
    Its loss, in float64. That of numbers is of the scaled ones, which the network learns, not of those in
    their own units.
probability_<class>
    One for each class, in the network's dtype.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.interrupts import uninterrupted
from micrograde.data.memory import check_size, within_memory
from micrograde.data.messages import listed
from micrograde.nn.arrays import FloatArray
from micrograde.runs.building import PreparedData
from micrograde.tasks import Names, Task
from micrograde.training import Samples

if TYPE_CHECKING:
    import pandas
    import pyarrow

FILE = "predictions.parquet"
_ALWAYS = ("row", "part", "loss")
_MOST_NUMBERS = 50_000_000  # of all rows, that are written; beyond that those of the training part are not


def write_predictions(
    folder: Path,
    logits: Mapping[str, FloatArray],
    data: PreparedData,
    task: Task,
    say: Callable[[str], None],
) -> None:
    """Write the predictions for every row of all parts, given the network's logits (n, C) by part.

    ``task`` is that of the data, with the network's threshold.
    """
    with uninterrupted():  # an import that Ctrl-C cuts off leaves a module that no later import mends
        import pyarrow as pa
        import pyarrow.parquet

    parts = data.parts()
    if sum(map(len, parts.values())) * task.output_size > _MOST_NUMBERS and len(parts) > 1:
        del parts["train"]
        say(f"{FILE}: leaves out the training part, whose {len(data.training)} rows would make it too large")
    table = pa.concat_tables(
        [_table(name, logits[name], samples, data, task) for name, samples in parts.items()]
    )
    pyarrow.parquet.write_table(
        table,
        folder / FILE,
        use_dictionary=[each.name for each in table.schema if pa.types.is_dictionary(each.type)],
        compression="snappy",
        write_statistics=False,
    )


def _table(
    part: str, logits: FloatArray, samples: Samples, data: PreparedData, task: Task
) -> "pyarrow.Table":
    import pyarrow as pa

    with np.errstate(all="ignore"):  # rows may overflow
        beside = task.beside(samples.labels, logits)
        losses = task.loss.value(logits.astype(np.float64), samples.targets.astype(np.float64))
        further = task.further(logits)
    columns = {
        "row": _array(data.rows[part]),
        "part": pa.DictionaryArray.from_arrays(_array(np.zeros(len(samples), np.int32)), _texts([part])),
        **{name: _column(values) for name, values in beside.items()},
        "loss": _array(losses),
        **{name: _array(values) for name, values in further.items()},
    }
    return pa.table(columns).unify_dictionaries()


def _column(values: NDArray[Any] | Names) -> "pyarrow.Array":
    import pyarrow as pa

    if isinstance(values, Names):
        places = _array(values.places.astype(np.int32), missing=values.places < 0)
        return pa.DictionaryArray.from_arrays(places, _texts(values.names))
    return _array(values, missing=np.isnan(values) if values.dtype.kind == "f" else None)


def _array(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> "pyarrow.Array":
    """Return numbers as Arrow holds them, which are ``missing`` where that is true.

    ``pyarrow.array`` is not asked: it imports pandas for any NumPy array, a fifth of the time of a short run.
    """
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    valid = None
    if missing is not None and missing.any():
        valid = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(values.dtype), len(values), [valid, pa.py_buffer(values)]
    )


def _texts(values: Sequence[str]) -> "pyarrow.Array":
    """Return texts as Arrow holds them, for the same reason not by ``pyarrow.array``."""
    import pyarrow as pa

    encoded = [text.encode() for text in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def read_predictions(path: Path) -> "pandas.DataFrame":
    """Read predictions; classes are texts, and what is not predicted is missing.

    Raises
    ------
    InputError
        If the file is none of ours, or too large for this machine.
    """
    return read_table_file(path, _ALWAYS)


def read_table_file(path: Path, always: Sequence[str]) -> "pandas.DataFrame":
    """Read a Parquet file of a store, which has to have the columns ``always``; raises as above."""
    import pyarrow.parquet

    try:
        with within_memory(path.name), pyarrow.parquet.ParquetFile(path) as file:
            about = file.metadata
            check_size(path.name, about.num_rows, about.num_columns)
            frame: pandas.DataFrame = file.read().to_pandas()
        names = [name for name, kind in frame.dtypes.items() if kind == "category"]
        if absent := [name for name in always if name not in frame]:
            raise KeyError(f"has no column {listed(absent)}")
        return frame.astype(dict.fromkeys(names, "str"))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path.name}: cannot be read ({' '.join(str(error).split())[:200]})") from None
