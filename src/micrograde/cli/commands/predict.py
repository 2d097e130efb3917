"""Predict the rows of a table with a recorded run's model. `--help` lists the keys."""

from pathlib import Path

from micrograde.analysis import check_output, print_table, write_table
from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import PredictConfig
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError
from micrograde.core.plain_numbers import plain_number
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.metrics import formatted
from micrograde.metrics.thresholds import threshold_text, thresholds_text
from micrograde.runs.known_labels import LabelSummary
from micrograde.runs.known_numbers import NumberSummary
from micrograde.runs.predicting import Predictions, predict_table
from micrograde.runs.recorded_models import RecordedModel, find_model

_CLASSES, _TARGETS = 20, 5  # that are listed, at most


@entry_point(config_name="predict")
def main(composed: Config) -> None:
    """Predict; print the first rows or write all, then a summary."""
    config = parse_command(PredictConfig, composed)
    output = Path(config.output) if config.output else None
    if output:
        check_output(output)
        if output.exists() and output.resolve() == Path(config.data.path).expanduser().resolve():
            raise InputError(f"output={output}: is the table itself, which would be lost")
    model = find_model(config.run_id, config.tracking, ensembles=True)
    with working("predicting", "stderr"):
        found = predict_table(model, config.data.path, keep_columns=config.keep_columns)
    if output:
        write_table(found.table, output)
    else:
        rows, numbers = min(config.limit, len(found.shown)), found.main_columns if found.numbers else ()
        shown = found.shown.head(rows)
        shown = shown.assign(**{name: [plain_number(value, 6) for value in shown[name]] for name in numbers})
        title = f"the first {rows} of {len(found.shown)} rows"
        main = list(found.main_columns)
        print_table(shown, title, important=main, numbers=numbers, whole="output=predictions.csv")
    say("\n".join(map(printable, summary(model, found))))
    if output:
        say(f"written     {output}, {len(found.table)} rows")


def summary(model: RecordedModel, found: Predictions) -> list[str]:
    """Return lines with the model, what it says of the rows, and how right that is if it is known."""
    lines = [f"model       of run {model.run.about.run_id} ({model.run.about.run_name})"]
    lines += [f"note        {note}" for note in model.notes]
    lines += [f"note        {note}" for note in found.notes]
    if found.numbers is not None:
        return lines + _of_numbers(found.numbers, len(found.table))
    task = model.network.task
    if task.threshold is not None:
        lines.append(f"threshold   {threshold_text(task.threshold)} for {task.class_names[1]}")
    if task.thresholds:
        lines.append(f"threshold   {thresholds_text(task.thresholds, task.part_names)}")
    counts = [f"{name} ({count})" for name, count in found.counts.items()]
    more = f" and {len(counts) - _CLASSES} more" if len(counts) > _CLASSES else ""
    word = "classes" if model.network.preprocessing.class_names else "yes"
    lines.append(f"{word:<11} {', '.join(counts[:_CLASSES])}{more}")
    if found.labels is not None and found.labels.known:
        lines += _of_labels(found.labels)
    if found.accuracy is not None:
        lines.append(f"accuracy    {found.accuracy:.4f} of {found.known} rows, by column {model.target}")
    return lines


def _of_labels(labels: LabelSummary) -> list[str]:
    """Return lines with the share of rows of which each label, and all of them, are said rightly."""
    each = [f"{name} {share:.4f}" for name, share in labels.accuracy.items()]
    more = f" and {len(each) - _CLASSES} more" if len(each) > _CLASSES else ""
    return [
        f"accuracy    {', '.join(each[:_CLASSES])}{more}; of {labels.known} rows, by their columns",
        f"together    {labels.together:.4f} of {labels.known} rows have all labels right",
    ]


def _of_numbers(numbers: NumberSummary, rows: int) -> list[str]:
    """Return lines with the range of what is predicted, and how far off it is of the numbers in the table."""
    targets = list(numbers.predicted)
    many = len(targets) > _TARGETS
    more = f" and {len(targets) - _TARGETS} more" if many else ""
    of_rows = "1 row" if rows == 1 else f"{rows} rows"
    lines = [
        f"predicted   {target}: from {plain_number(least, 6)} to "
        f"{plain_number(largest, 6)}, mean {plain_number(mean, 6)}, in {of_rows}"
        for target, (least, mean, largest) in list(numbers.predicted.items())[:_TARGETS]
    ]
    if many:
        lines.append(f"           {more}")
    if not numbers.known:
        return lines
    constants = ", ".join(plain_number(numbers.baselines[target], 6) for target in targets[:_TARGETS])
    columns = "column" if len(targets) == 1 else "columns"
    lines.append(
        f"compared    {numbers.known} of {of_rows}, by {columns} {', '.join(targets[:_TARGETS])}{more}; "
        f"the baseline always says {constants}{more}, as the training part does in the mean"
    )
    for name, (value, baseline) in numbers.measured.items():
        if not (many and "/" in name):
            lines.append(f"{name:<11} {_measured(name, value)}, the baseline {_measured(name, baseline)}")
    return lines


def _measured(name: str, value: float) -> str:
    text = formatted(name, value, ".4g")
    return text.removeprefix("-") if float(text) == 0 else text
