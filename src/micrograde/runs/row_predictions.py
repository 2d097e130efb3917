"""``predictions.parquet``: what the model that a run keeps says of each row of its data.

Columns
-------
row
    The row's number in its source, from 1; the header of a table is not counted.
part
    ``train``, ``val`` or ``test``.
true
    The class that it is of.
predicted
    The class that it is given; missing where the network's numbers overflow.
loss
    Its loss, in float64.
probability_<class>
    One for each class, in the network's dtype.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.memory import check_size, within_memory
from micrograde.nn.arrays import FloatArray
from micrograde.runs.building import PreparedData
from micrograde.tasks import Task
from micrograde.training import Samples

if TYPE_CHECKING:
    import pandas
    import pyarrow

FILE = "predictions.parquet"
_TEXTS = ("part", "true", "predicted")
_MOST_NUMBERS = 50_000_000  # probabilities that are written; beyond that those of the training part are not


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
    import pyarrow as pa
    import pyarrow.parquet

    parts = data.parts()
    classes = len(data.dataset.class_names)
    if sum(map(len, parts.values())) * classes > _MOST_NUMBERS and len(parts) > 1:
        del parts["train"]
        say(f"{FILE}: leaves out the training part, whose {len(data.training)} rows would make it too large")
    tables = [_table(name, logits[name], samples, data, task) for name, samples in parts.items()]
    pyarrow.parquet.write_table(
        pa.concat_tables(tables),
        folder / FILE,
        use_dictionary=list(_TEXTS),
        compression="snappy",
        write_statistics=False,
    )


def _table(
    part: str, logits: FloatArray, samples: Samples, data: PreparedData, task: Task
) -> "pyarrow.Table":
    import pyarrow as pa

    with np.errstate(all="ignore"):  # rows may overflow
        found = task.predicted(logits)
        answers = task.answers(logits)
        losses = task.loss.value(logits.astype(np.float64), samples.targets.astype(np.float64))
    names = pa.array(data.dataset.class_names, pa.string())
    columns = {
        "row": pa.array(data.rows[part]),
        "part": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(samples), np.int32)), pa.array([part])),
        "true": pa.DictionaryArray.from_arrays(pa.array(samples.labels.astype(np.int32)), names),
        "predicted": pa.DictionaryArray.from_arrays(pa.array(found.astype(np.int32), mask=found < 0), names),
        "loss": pa.array(losses),
        **_probabilities(answers, data),
    }
    return pa.table(columns).unify_dictionaries()


def _probabilities(answers: FloatArray, data: PreparedData) -> "dict[str, pyarrow.Array]":
    import pyarrow as pa

    return {
        f"probability_{name}": pa.array(np.ascontiguousarray(answers[:, number]))
        for number, name in enumerate(data.dataset.class_names)
    }


def read_predictions(path: Path) -> "pandas.DataFrame":
    """Read predictions; classes are texts, missing where no class is predicted.

    Raises
    ------
    InputError
        If the file is none of ours, or too large for this machine.
    """
    import pyarrow.parquet

    try:
        with within_memory(FILE), pyarrow.parquet.ParquetFile(path) as file:
            about = file.metadata
            check_size(FILE, about.num_rows, about.num_columns)
            frame: pandas.DataFrame = file.read().to_pandas()
        return frame.astype(dict.fromkeys(_TEXTS, "str"))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{FILE}: cannot be read ({' '.join(str(error).split())[:200]})") from None
