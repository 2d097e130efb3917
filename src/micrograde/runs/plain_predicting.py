"""Predictions of models of recipe versions 1 and 2, whose tables had numbers and one-hot texts only."""

import re
from typing import TYPE_CHECKING

from micrograde.core.errors import InputError
from micrograde.data import read_rows
from micrograde.data.encoding import TableEncoding, are_truths
from micrograde.data.messages import counted, listed, quoted
from micrograde.models.trained_network import TrainedNetwork
from micrograde.runs.recorded_models import RecordedModel

if TYPE_CHECKING:
    import pandas as pd


def plain_predictions(
    model: RecordedModel, path: str, *, keep_columns: bool = True
) -> "tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...], dict[str, int], float | None, int]":
    """Return the fields of ``Predictions`` for the CSV or Parquet table at ``path``.

    The models predict classes. Columns are found by name, and there may be others. In a CSV file, only the
    columns that held numbers or truth values in training are converted; all others are kept as text, exactly
    as they stand.

    Raises
    ------
    InputError
        If there is no such table, or a column is missing, holds something else than in training, or has the
        name of one of the predictions.
    """
    import pandas as pd

    network, source = model.network, f"data.path={path}"
    table = read_rows(path, _understood(model), model.target, model.network.preprocessing.class_names)
    _check_columns(table, network, source, keep_columns=keep_columns)
    try:
        found = network.predict(table)
    except InputError as error:  # whose message begins with "table" or "features"
        raise InputError(f"{source}: {str(error).partition(': ')[2]}") from None
    features = set(network.columns)
    others = [name for name in table.columns if name not in features]
    accuracy, known = _accuracy(table, model.target, found["class"])
    return (
        pd.concat([table, found], axis=1) if keep_columns else found,
        pd.concat([table[others], found], axis=1) if keep_columns else found,
        ("class",),
        {str(name): int(count) for name, count in found["class"].value_counts().items()},
        accuracy,
        known,
    )


def _numeric(network: TrainedNetwork) -> list[str]:
    """Return the names of the columns that hold numbers."""
    encoding = network.preprocessing.encoding
    if not isinstance(encoding, TableEncoding):
        return list(network.columns)
    pairs = zip(encoding.columns, encoding.categories, strict=True)
    return [column for column, categories in pairs if categories is None]


def _understood(model: RecordedModel) -> set[str]:
    """Return the names of the columns that a CSV reader converted to numbers or truth values in training."""
    network = model.network
    columns, encoding = set(_numeric(network)), network.preprocessing.encoding
    if isinstance(encoding, TableEncoding):
        pairs = zip(encoding.columns, encoding.categories, strict=True)
        columns |= {column for column, categories in pairs if categories and are_truths(categories)}
    names = network.preprocessing.class_names
    if model.target and (are_truths(names) or all(_is_plain_integer(name) for name in names)):
        columns.add(model.target)
    return columns


def _is_plain_integer(name: str) -> bool:
    """Return whether a class is an integer in its only spelling, and small enough to be exact in float64."""
    return re.fullmatch(r"0|-?[1-9]\d{0,15}", name) is not None and abs(int(name)) <= 2**53


def _check_columns(
    table: "pd.DataFrame", network: TrainedNetwork, source: str, *, keep_columns: bool
) -> None:
    """Raise ``InputError`` for what is wrong with the table, naming columns and rows."""
    import pandas as pd

    there, needed = set(table.columns), network.columns
    if absent := [name for name in needed if name not in there]:
        raise InputError(f"{source}: has no column {listed(absent)}; it has {listed(table.columns)}")
    if keep_columns and (taken := [name for name in network.task.column_types if name in there]):
        raise InputError(
            f"{source}: has a column {quoted(taken[0])}, and so have the predictions; "
            "rename it, or leave the table's own columns out with keep_columns=false"
        )
    numeric = _numeric(network)
    for name, dtype in table[numeric].dtypes.items():
        if dtype.kind in "iufb":
            continue
        column = table[name]
        wrong = column.notna()
        if dtype.kind not in "mM":  # times, which pandas would convert to nanoseconds
            wrong &= pd.to_numeric(column, errors="coerce").isna()
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{source}: column {quoted(name)} holds {quoted(column.iloc[row])} in row {row + 1}; "
                "it must hold numbers, as in training"
            )
    missing = table[numeric].isna().sum()
    if network.preprocessing.fill is None and missing.any():
        counts = zip(numeric, missing.tolist(), strict=True)
        raise InputError(
            f"{source}: missing values in {counted(counts)}; the model was trained without any, "
            "and fills them only if it was trained with data.missing=mean"
        )


def _accuracy(table: "pd.DataFrame", target: str | None, found: "pd.Series[str]") -> tuple[float | None, int]:
    """Return ``accuracy`` and ``known`` of ``Predictions``."""
    if target not in table.columns:
        return None, 0
    told = table[target].notna()
    names = table.loc[told, target].map(_class_name)
    if names.empty:
        return None, 0
    return float((names == found[told]).mean()), len(names)


def _class_name(value: object) -> str:
    """Return the name of a class; pandas turns integers into floats in a column with missing values."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
