"""A trained network together with the preprocessing of its inputs, in memory and on disk.

- ``weights.safetensors``: parameters and running statistics; in the header, ``model``: the config's model as
  JSON, with the plug-ins that it needs and the threshold, if there are any
- ``preprocessing.json``: see ``Preprocessing.state``

Nothing in these files is executed, and none is trusted to be well formed: they may come from a server that
others write to.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from micrograde.config.adapters import adapter_of
from micrograde.config.recipe_versions import complete_part
from micrograde.config.schema import ModelConfig, TrainConfig, to_container
from micrograde.config.types import PluginVersion
from micrograde.config.used_plugins import used_plugins
from micrograde.core.bounds import LONGEST_PREPROCESSING
from micrograde.core.errors import InputError
from micrograde.core.json_files import read_json
from micrograde.core.plugins import require_plugins
from micrograde.core.version import VERSION
from micrograde.data import Dataset, Preprocessing, TableEncoding
from micrograde.data.messages import listed, numbered
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, blocks_of_rows
from micrograde.store import ModelDescription
from micrograde.tasks import Decided, Output, Task, task_of

if TYPE_CHECKING:
    import pandas

Records: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""One row, or several, each a mapping from column name to value."""
Rows: TypeAlias = "pandas.DataFrame | Records | NDArray[Any]"

WEIGHTS, PREPROCESSING = "weights.safetensors", "preprocessing.json"
_EXAMPLE_ROWS = 3


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that says of raw rows what it has learned: their classes, or numbers.

    Attributes
    ----------
    model
        A single network, not a stack: its parameters are (P,).
    threshold
        The probability of the second of two classes above which a row is taken for it; None for the most
        probable class. Of several labels that of each, (K,), above which a row is said to have it; None for
        a half.
    output
        What its config's ``model.output`` says its logits are.
    """

    model: MLP
    preprocessing: Preprocessing
    threshold: Decided = None
    output: Output = "softmax"

    @property
    def task(self) -> Task:
        """What the network has learned, which says how its logits are read."""
        return task_of(self.preprocessing, output=self.output).decided_at(self.threshold)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of raw rows: those of the table trained on, or the names of the features."""
        encoding = self.preprocessing.encoding
        return encoding.columns if encoding else self.preprocessing.feature_names

    def answers(self, rows: Rows) -> FloatArray:
        """Return what the network says of each row, (n, C).

        That is the probability of each class, in the order of ``preprocessing.class_names``, or the number of
        each target, in its own unit and in the order of ``preprocessing.target_names``, or likewise the
        probability of each label.

        Parameters
        ----------
        rows
            A table that has at least the columns of the training data (a data frame, a list of records, or
            one record), or an array (n, D) of features.

        Raises
        ------
        InputError
            If a column is missing or holds a value that cannot be a feature, or rows have no answer because
            the network's numbers overflow; the message is one line and names the rows.
        """
        found = self.unchecked_answers(rows)
        source = "table" if self.preprocessing.encoding else "features"
        check_answered(rows_lost(found), source, self.task.answer)
        return found

    def probabilities(self, rows: Rows) -> FloatArray:
        """Return ``answers`` of a network that has learned classes.

        Raises
        ------
        InputError
            If it predicts numbers, and as ``answers`` does.
        """
        self._check_classes()
        return self.answers(rows)

    def unchecked_answers(self, rows: Rows) -> FloatArray:
        """Return ``answers`` with NaN, instead of an error, for rows whose numbers overflow."""
        with np.errstate(all="ignore"):
            inputs = self._inputs(rows)
            parts = [
                self.task.answers(self.model.predict_logits(inputs[block]).astype(np.float64))
                for block in blocks_of_rows(len(inputs))
            ]
        nothing = self.task.answers(np.empty((0, self.model.sizes[-1])))
        return np.concatenate([nothing, *parts])

    def unchecked_probabilities(self, rows: Rows) -> FloatArray:
        """Return ``unchecked_answers`` of a network that has learned classes; see ``probabilities``."""
        self._check_classes()
        return self.unchecked_answers(rows)

    def _check_classes(self) -> None:
        if not self.task.class_names:
            what = "numbers" if self.task.learns == "numbers" else "several labels"
            raise InputError(
                f"probabilities: the network predicts {what}, {listed(self.preprocessing.target_names)}; "
                "answers returns them"
            )

    def predict(self, rows: Rows) -> "pandas.DataFrame":
        """Return what the network says of each row as a data frame.

        Its columns are ``class``, by name, and ``probability_<name>`` of each class, or ``predicted_<name>``
        of each target.
        """
        import pandas

        found = self.task.columns(self.answers(rows))
        index = rows.index if isinstance(rows, pandas.DataFrame) else None
        return pandas.DataFrame(found, index=index)

    def _inputs(self, rows: Rows) -> NDArray[np.float64]:
        if isinstance(rows, np.ndarray):
            return self.preprocessing.transform(rows)
        rows = _as_table(rows)
        if self.preprocessing.encoding:
            return self.preprocessing.transform_table(rows)
        numbers = TableEncoding(self.columns, (None,) * len(self.columns))
        return self.preprocessing.transform(numbers.encode(rows))


def rows_lost(answers: FloatArray) -> NDArray[np.bool_]:
    """Return the rows (n,) of answers (n, C) for which a network's numbers overflow."""
    return np.asarray(np.isnan(answers).any(axis=-1))


def check_answered(lost: NDArray[np.bool_], source: str, answer: str, first: int = 0) -> None:
    """Raise ``InputError``, whose message starts with ``source``, if any row is ``lost`` (n,).

    ``answer`` says what it lacks, see ``Task``; the row at place 0 is called ``first + 1``.
    """
    places = (np.flatnonzero(lost) + first).tolist()
    if places:
        verb = "has" if len(places) == 1 else "have"
        raise InputError(f"{source}: {numbered(places)} {verb} no {answer}: the network's numbers overflow")


def _as_table(rows: "pandas.DataFrame | Records") -> "pandas.DataFrame":
    import pandas

    if isinstance(rows, pandas.DataFrame):
        return rows
    if hasattr(rows, "__arrow_c_stream__"):
        import pyarrow

        table: pandas.DataFrame = pyarrow.table(rows).to_pandas()
        return table
    return pandas.DataFrame([rows] if isinstance(rows, Mapping) else list(rows))


def describe_model(dataset: Dataset, plugins: Sequence[str] = ()) -> ModelDescription:
    """Return the description that MLflow stores of a network for this dataset, with up to three rows."""
    encoding = dataset.encoding
    rows = dataset.features[~np.isnan(dataset.features).any(axis=1)][:_EXAMPLE_ROWS]
    if encoding is None:
        kinds, example = dict.fromkeys(dataset.feature_names, "double"), rows.tolist()
    else:
        kinds = encoding.input_types
        example = encoding.decode(rows)
    return ModelDescription(
        "micrograde.serving",
        [f"micrograde=={VERSION}", *plugins],
        kinds,
        dict(task_of(dataset).column_types),
        example,
    )


def write_network(
    folder: Path,
    model: MLP,
    config: TrainConfig,
    preprocessing: Preprocessing,
    *,
    threshold: Decided = None,
) -> None:
    """Write the network, a stack of one whose replica axis is dropped, and its preprocessing to files."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model_config = to_container(config)["model"]
    if plugins := used_plugins(config.model):
        model_config["plugins"] = plugins
    if threshold is not None:  # a version that knows none then refuses the model, and does not misread it
        model_config["threshold"] = threshold
    metadata = {"model": json.dumps(model_config)}  # one entry alone: of several the order is not fixed
    arrays = {name: np.ascontiguousarray(array[0]) for name, array in model.state().items()}
    save_file(arrays, folder / WEIGHTS, metadata)
    text = json.dumps(preprocessing.state(), ensure_ascii=False, indent=1)
    (folder / PREPROCESSING).write_text(text, encoding="utf-8")


def read_network(folder: Path, weights: str = WEIGHTS, prepared: str = PREPROCESSING) -> TrainedNetwork:
    """Read a network that ``write_network`` has written, by the names of its two files.

    Raises
    ------
    InputError
        If the files are missing or malformed; the message is one line.
    """
    try:
        for name in (weights, prepared):
            if os.path.exists(folder / name) and not os.path.isfile(folder / name):
                raise ValueError(f"{name} is no file")  # reading a named pipe would wait for ever
        arrays, config, threshold = _read_weights(folder / weights)
        state = read_json(folder / prepared, LONGEST_PREPROCESSING)
        preprocessing = Preprocessing.from_state(state)
        preprocessing.check()
        model = MLP.from_state(
            arrays, config.activation, config.normalizer, output_batch_norm=config.output_batch_norm
        )
        task = task_of(preprocessing, output=config.output).decided_at(threshold)
        inputs, outputs = len(preprocessing.means), task.output_size
        if (model.sizes[0], model.sizes[-1]) != (inputs, outputs):
            raise ValueError(f"{inputs} inputs and {outputs} outputs do not fit the network's {model.sizes}")
    except Exception as error:  # a broken or hostile file may raise anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{folder}: holds no micrograde model ({reason})") from None
    return TrainedNetwork(model, preprocessing, task.decided, config.output)


def _read_weights(path: Path) -> tuple[dict[str, NDArray[Any]], ModelConfig, Decided]:
    """Return the arrays by name, the config's model, and the threshold, or those of labels, if it has any."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    container = json.loads(metadata.get("model", "null"))
    plugins, threshold = (), None
    if isinstance(container, dict):
        plugins, threshold = container.pop("plugins", ()), container.pop("threshold", None)
    require_plugins(adapter_of(tuple[PluginVersion, ...]).validate_python(plugins), "the model")
    if isinstance(container, dict):
        container = complete_part(container, ModelConfig)  # written before there was a key
    config = adapter_of(ModelConfig).validate_python(container)
    if isinstance(threshold, list):
        return arrays, config, tuple(adapter_of(list[float]).validate_python(threshold, strict=True))
    return arrays, config, adapter_of(float | None).validate_python(threshold, strict=True)
