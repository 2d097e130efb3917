"""Predict the rows of a table with a recorded run's model, or say in one line what is wrong with it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from micrograde.core.errors import InputError
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.columns import MISSING_WORDS, Column, number_text
from micrograde.data.memory import within_memory
from micrograde.data.messages import counted, listed, numbered, quoted
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.roles import Encoded, FloatArray
from micrograde.data.table_files import read_table
from micrograde.data.units_row import without_units
from micrograde.models.trained_network import TrainedNetwork, check_answered, rows_lost
from micrograde.runs.known_labels import LabelSummary, summarize_labels
from micrograde.runs.known_numbers import NumberSummary, summarize_numbers
from micrograde.runs.plain_predicting import plain_predictions
from micrograde.runs.recorded_models import RecordedModel

if TYPE_CHECKING:
    import pandas as pd

_TAKEN = "predicted_"
"""What the names of predictions start with if the table has columns of their names."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of a model for a table of n rows.

    Attributes
    ----------
    table
        What the model says of each row, see ``TrainedNetwork.predict``, after the table's own columns if they
        are kept; where the table has such a column, their names start with ``predicted_``.
    shown
        The same without the features: the columns by which a reader recognizes a row.
    main_columns
        The columns of the table by which predictions are read first: the class, or the numbers.
    counts
        How many rows are predicted to be of each class, by its name; the most frequent first.
    accuracy
        Of the rows whose class is in the table, the share that was predicted correctly; None if there are
        no such rows.
    known
        How many rows have their class in the table.
    notes
        What was filled, or counted as something else, a line each.
    numbers
        Of a model that predicts numbers, what they are, and how far off; None if it predicts classes.
    labels
        Of one that has learned several labels, how right it is where they are known; None of others.
    """

    table: "pd.DataFrame"
    shown: "pd.DataFrame"
    main_columns: tuple[str, ...]
    counts: dict[str, int]
    accuracy: float | None
    known: int
    notes: tuple[str, ...] = ()
    numbers: NumberSummary | None = None
    labels: LabelSummary | None = None


def predict_table(model: RecordedModel, path: str, *, keep_columns: bool = True) -> Predictions:
    """Predict each row of the table at ``path``.

    Columns are found by name, and there may be others. Missing values are filled as in training; a category
    that training did not have counts as "other".

    Raises
    ------
    InputError
        If there is no such table, or a column is missing, or holds values of another kind than in training;
        the message names their rows.
    """
    network, source = model.network, f"data.path={path}"
    if network.preprocessing.encoding is not None and not isinstance(
        network.preprocessing.encoding, ColumnEncoding
    ):
        return Predictions(*plain_predictions(model, path, keep_columns=keep_columns))
    with within_memory(source):
        whole = read_table(path, _reading(model), targets=model.targets, source=source)
        raw = without_units(whole, source)
        first = whole.rows.num_rows - raw.rows.num_rows
        return _predictions(model, raw, source, first, keep_columns=keep_columns)


def _reading(model: RecordedModel) -> ReadingOptions:
    """Return how the table is read: it has a header if that of training had one."""
    return ReadingOptions(header=model.header)


def _predictions(
    model: RecordedModel, raw: RawTable, source: str, first: int, *, keep_columns: bool
) -> Predictions:
    """Return the predictions for a table's rows, before which its source has ``first`` rows of units."""
    import pandas as pd

    network = model.network
    if raw.rows.num_rows == 0:
        raise InputError(f"{source}: has columns but no rows")
    there = raw.rows.column_names
    if absent := [name for name in network.columns if name not in there]:
        raise InputError(f"{source}: has no column {listed(absent)}; it has {listed(there)}")
    columns = {name: Column.of_array(name, raw.column(name)) for name in network.columns}
    features, notes = _features(network, columns, source, first)
    try:
        answers = network.unchecked_answers(features)
    except InputError as error:  # whose message begins with "features"
        raise InputError(f"{source}: {str(error).partition(': ')[2]}") from None
    check_answered(rows_lost(answers), source, network.task.answer, first)
    found = pd.DataFrame(network.task.columns(answers))
    counts: dict[str, int] = {}
    accuracy, known, numbers, labels = None, 0, None, None
    if network.task.class_names:
        main = ["class"]
        counts = {str(name): int(count) for name, count in found["class"].value_counts().items()}
        accuracy, known, said = _accuracy(model, raw, found["class"], first)
    elif network.preprocessing.target_scaling is None:
        main = list(network.preprocessing.target_names)
        counts = {name: int(np.count_nonzero(found[name])) for name in main}
        truths = found[main].to_numpy(np.bool_)
        labels, said = summarize_labels(main, truths, raw, network.columns, first)
    else:
        main = list(network.task.column_types)
        numbers, said = summarize_numbers(network, answers, raw, first)
    table = _with_numbers(raw.as_frame(), network, features)
    if keep_columns and set(found.columns) & set(there):
        found, main = found.add_prefix(_TAKEN), [f"{_TAKEN}{name}" for name in main]
    others = [name for name in there if name not in columns]
    return Predictions(
        pd.concat([table, found], axis=1) if keep_columns else found,
        pd.concat([table[others], found], axis=1) if keep_columns else found,
        tuple(main),
        counts,
        accuracy,
        known,
        (*raw.notes, *notes, *said),
        numbers,
        labels,
    )


def _with_numbers(table: "pd.DataFrame", network: TrainedNetwork, features: FloatArray) -> "pd.DataFrame":
    """Return the table with numbers and truth values as such; its other columns stay as they are."""
    encoding = network.preprocessing.encoding
    if not isinstance(encoding, ColumnEncoding):
        return table
    places = np.cumsum([0, *encoding.widths])
    for name, role, place in zip(encoding.columns, encoding.roles, places, strict=False):
        values = role.read_values(features[:, place : place + len(role.features(name))])
        if values is not None:
            table[name] = values
    return table


def _features(
    network: TrainedNetwork, columns: dict[str, Column], source: str, first: int
) -> tuple[FloatArray, list[str]]:
    """Return the features of the rows (n, D), and lines about what was filled or counted as other."""
    encoding, fill = network.preprocessing.encoding, network.preprocessing.fill
    if encoding is None:  # arrays, whose features are numbers
        encoding = ColumnEncoding.of_numbers(network.columns)
    assert isinstance(encoding, ColumnEncoding)
    roles = dict(zip(encoding.columns, encoding.roles, strict=True))
    notes: list[str] = []
    missing: dict[str, int] = {}

    def note(name: str, encoded: Encoded) -> None:
        if encoded.unreadable is not None:
            where = numbered((np.flatnonzero(encoded.unreadable) + first).tolist())
            raise InputError(
                f"{source}: column {quoted(name)} holds no {roles[name].name} in {where}, "
                "as it did in training"
            )
        if encoded.missing is not None:
            missing[name] = int(encoded.missing.sum())
        if encoded.unknown is not None:
            places = np.flatnonzero(encoded.unknown)
            rows = "1 row holds a category" if len(places) == 1 else f"{len(places)} rows hold categories"
            notes.append(
                f"column {quoted(name)}: {rows} that training did not have, "
                f"the first in row {places[0] + 1 + first}; "
                f"{'it counts' if len(places) == 1 else 'they count'} as other"
            )

    features = encoding.encode_columns(columns, source, note)
    if missing:
        if fill is None:
            raise InputError(
                f"{source}: missing values in {counted(missing.items())}; the model was trained without any, "
                "and fills them only if it was trained with data.missing=fill"
            )
        notes.append(f"filled as in training: {counted(missing.items())}")
    return features, notes


def _accuracy(
    model: RecordedModel, raw: RawTable, found: "pd.Series[str]", first: int
) -> tuple[float | None, int, list[str]]:
    """Return ``accuracy`` and ``known`` of ``Predictions``, and lines about rows of unknown classes."""
    target = model.target
    if target is None or target not in raw.rows.column_names:
        return None, 0, []
    names = model.network.preprocessing.class_names
    column = Column.of_array(target, raw.column(target)).as_texts
    read = [_class_of(text, names) for text in column.distinct]
    known = column.spread(np.array([name is not None for name in read], np.bool_), False)
    meant = column.spread(np.array([name or "" for name in read], object), "")
    nothing = column.is_missing(frozenset(MISSING_WORDS - set(names)))
    foreign = ~known & ~nothing
    notes = []
    if foreign.any():
        place = int(foreign.argmax())
        text = column.distinct[column.codes[place]]  # type: ignore[index]
        rows = "1 row" if foreign.sum() == 1 else f"{int(foreign.sum())} rows"
        holds = f"{quoted(target)} holds {quoted(text)} in row {place + 1 + first}, none of the classes"
        notes.append(f"{holds} {listed(names, limit=5)}; {rows} of {len(column)} like that are not compared")
    if not known.any():
        return None, 0, notes
    return float((meant[known] == found.to_numpy()[known]).mean()), int(known.sum()), notes


def _class_of(text: str, names: tuple[str, ...]) -> str | None:
    """Return the class that a text of the target names; numbers may be written with a fraction of zeros."""
    plain = text.strip()
    if plain in names:
        return plain
    try:
        number = number_text(float(plain))
    except (ValueError, OverflowError):
        return None
    return number if number in names else None
