"""Classify the rows of a table with a recorded run's model. `--help` lists the keys."""

from pathlib import Path

from micrograde.analysis import check_output, print_table, write_table
from micrograde.cli.command_line import Config, entry_point
from micrograde.config.commands import PredictConfig
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.metrics.thresholds import threshold_text
from micrograde.runs.predicting import Predictions, predict_table
from micrograde.runs.recorded_models import RecordedModel, find_model

_CLASSES = 20  # classes that are listed, at most


@entry_point(config_name="predict")
def main(composed: Config) -> None:
    """Classify; print the first rows or write all, then a summary."""
    config = parse_command(PredictConfig, composed)
    output = Path(config.output) if config.output else None
    if output:
        check_output(output)
        if output.exists() and output.resolve() == Path(config.data.path).expanduser().resolve():
            raise InputError(f"output={output}: is the table itself, which would be lost")
    model = find_model(config.run_id, config.tracking)
    with working("classifying", "stderr"):
        found = predict_table(model, config.data.path, keep_columns=config.keep_columns)
    if output:
        write_table(found.table, output)
    else:
        rows = min(config.limit, len(found.shown))
        title = f"the first {rows} of {len(found.shown)} rows"
        print_table(
            found.shown.head(rows), title, important=[found.class_column], whole="output=predictions.csv"
        )
    say("\n".join(map(printable, summary(model, found))))
    if output:
        say(f"written     {output}, {len(found.table)} rows")


def summary(model: RecordedModel, found: Predictions) -> list[str]:
    """Return lines with the model, the number of rows of each class, and the accuracy if it is known."""
    counts = [f"{name} ({count})" for name, count in found.counts.items()]
    more = f" and {len(counts) - _CLASSES} more" if len(counts) > _CLASSES else ""
    lines = [f"model       of run {model.run.about.run_id} ({model.run.about.run_name})"]
    lines += [f"note        {note}" for note in model.notes]
    lines += [f"note        {note}" for note in found.notes]
    if (threshold := model.network.threshold) is not None:
        positive = model.network.preprocessing.class_names[1]
        lines.append(f"threshold   {threshold_text(threshold)} for {positive}")
    lines.append(f"classes     {', '.join(counts[:_CLASSES])}{more}")
    if found.accuracy is not None:
        lines.append(f"accuracy    {found.accuracy:.4f} of {found.known} rows, by column {model.target}")
    return lines
