"""Numbers that a table already holds where they are predicted: how far off the predictions are of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.columns import MISSING_WORDS, Column
from micrograde.data.messages import quoted
from micrograde.data.number_texts import decimal_sign, evidence, style_of
from micrograde.data.raw_table import RawTable
from micrograde.data.roles.number import Number
from micrograde.metrics import METRICS
from micrograde.metrics.errors_of_numbers import MetricOfNumbers
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn.arrays import FloatArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class NumberSummary:
    """What a model says of n rows, and how far off it is where that is known.

    Attributes
    ----------
    predicted
        The least, the mean and the largest predicted number of each target, by its name.
    baselines
        What the baseline says of each row: the means of the targets in the training part.
    known
        How many rows have their numbers in the table.
    measured
        By the name of a metric, such as ``rmse``, or of several targets ``rmse/<target>``, its value of these
        rows, and that of the baseline. NaN if it is undefined.
    """

    predicted: Mapping[str, tuple[float, float, float]]
    baselines: Mapping[str, float]
    known: int = 0
    measured: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def summarize_numbers(
    network: TrainedNetwork, answers: FloatArray, raw: RawTable, first: int
) -> tuple[NumberSummary, list[str]]:
    """Return the summary of answers (n, K) for the rows of a table, and lines about rows without a number.

    Parameters
    ----------
    first
        How many rows of the source come before the table's.
    """
    names, scaling = network.preprocessing.target_names, network.preprocessing.target_scaling
    assert scaling is not None
    predicted = {
        name: (float(numbers.min()), float(numbers.mean()), float(numbers.max()))
        for name, numbers in zip(names, answers.T, strict=True)
    }
    summary = NumberSummary(predicted, dict(zip(names, scaling.means.tolist(), strict=True)))
    if not set(names) <= set(raw.rows.column_names) - set(network.columns):
        return summary, []
    decimal = _decimal_sign(network, raw)
    notes: list[str] = []
    columns = [_numbers_of(Column.of_array(name, raw.column(name)), decimal, first, notes) for name in names]
    labels = np.stack(columns, axis=1)
    known = ~np.isnan(labels).any(axis=1)
    if not known.any():
        return summary, notes
    labels, found = labels[known], answers[known]
    said = np.broadcast_to(scaling.means, labels.shape)
    measured: dict[str, tuple[float, float]] = {}
    always = network.task.metrics
    for name in (*always, *(name for name in METRICS if name not in always)):
        entry = METRICS[name]
        if not issubclass(entry, MetricOfNumbers):
            continue
        metric = entry(name=name)
        pair = tuple(metric.compute(each[np.newaxis], labels, each[np.newaxis])[0] for each in (found, said))
        measured[name] = (float(pair[0].mean()), float(pair[1].mean()))
        if len(names) > 1:
            values = zip(names, *(each.tolist() for each in pair), strict=True)
            measured |= {f"{name}/{target}": (value, baseline) for target, value, baseline in values}
    return NumberSummary(predicted, summary.baselines, int(known.sum()), measured), notes


def _decimal_sign(network: TrainedNetwork, raw: RawTable) -> str:
    """Return the decimal sign: the comma if it is that of a column of the training table, or of this one."""
    encoding = network.preprocessing.encoding
    roles = encoding.roles if isinstance(encoding, ColumnEncoding) else ()
    if any(isinstance(role, Number) and role.decimal == "," for role in roles):
        return ","
    columns = (Column.of_array(name, raw.column(name)) for name in raw.rows.column_names)
    separator = next((each.split("'")[1] for each in raw.found if each.startswith("separator '")), None)
    return decimal_sign((evidence(each.texts) for each in columns if each.texts is not None), separator)


def _numbers_of(column: Column, decimal: str, first: int, notes: list[str]) -> Numbers:
    """Return the numbers of a column (n,), NaN where none stands; add a line if something else does."""
    if column.numbers is not None:
        return column.numbers
    import pyarrow as pa

    assert column.texts is not None
    missing = column.are_missing(MISSING_WORDS)
    read = np.full(len(missing), np.nan)
    if not missing.all():
        read[~missing] = style_of(column.texts.filter(pa.array(~missing)), decimal)[1]
    read[~np.isfinite(read)] = np.nan
    foreign = column.spread(np.isnan(read) & ~missing, False)
    if foreign.any():
        place, count = int(foreign.argmax()), int(foreign.sum())
        assert column.codes is not None
        text = column.texts[int(column.codes[place])].as_py()
        rows = "1 row" if count == 1 else f"{count} rows"
        notes.append(
            f"{quoted(column.name)} holds {quoted(text)} in row {place + 1 + first}, which is no number; "
            f"{rows} of {len(column)} like that {'is' if count == 1 else 'are'} not compared"
        )
    found: Numbers = column.spread(read, np.nan)
    return found
