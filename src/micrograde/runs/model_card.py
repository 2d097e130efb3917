"""``model/model_card.md``: what a person wants to know of the model that a run keeps, beside the model.

It lies with the model wherever that goes: among the run's files, in MLflow's logged and registered models, on
a server. It is written at the end of a run from what has been measured anyway.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from micrograde.config.schema import TrainConfig, as_params
from micrograde.core.markdown import as_markdown, fenced, table
from micrograde.core.redaction import without_password
from micrograde.core.version import VERSION
from micrograde.data.messages import listed, quoted
from micrograde.data.roles import ROLES
from micrograde.data.roles.category import Category
from micrograde.data.table_summary import ColumnSummary
from micrograde.diagnostics import Importances
from micrograde.diagnostics.permutation_importance import REPEATS
from micrograde.metrics import KEPT, METRICS, formatted
from micrograde.metrics.class_names import recorded_class_names
from micrograde.metrics.thresholds import threshold_text, thresholds_text
from micrograde.nn import MLP
from micrograde.runs.building import PreparedData
from micrograde.store.mlmodel import CARD, RUN_ID
from micrograde.tasks import Task

_ROWS = 50  # of a table of columns or classes
_IMPORTANCES = 10
_PARTS = {"train": "training", "val": "validation", "test": "test"}
_ABOUT_ROWS = ("table", "rows", "missing", "filled")  # of what is said about a table


@dataclass(frozen=True)
class CardContents:
    """What a card tells.

    Attributes
    ----------
    name
        The run's name.
    kept
        The metrics of the model, by their names in the records: ``kept/val/loss``.
    kept_epoch, epochs
        The epoch whose weights it has, and how many the run trained.
    findings
        Sentences about what stands out.
    importances
        What shuffling each column costs; None if it was not measured.
    """

    name: str
    config: TrainConfig
    data: PreparedData
    model: MLP
    task: Task
    kept: Mapping[str, float]
    kept_epoch: int
    epochs: int
    findings: Sequence[str]
    importances: Importances | None


def write_model_card(folder: Path, contents: CardContents) -> None:
    """Write the card into the model's folder."""
    (folder / CARD).write_text(model_card(contents), encoding="utf-8")


def model_card(contents: CardContents) -> str:
    """Return the card as Markdown, in which no text of the data or of the user is markup."""
    sections = {
        "": _beginning(contents),
        "Data": _data(contents),
        "Columns": _columns(contents.data),
        "Classes": _classes(contents),
        "Metrics": _metrics(contents),
        "Findings": _findings(contents),
        "What the columns do": _importances(contents.importances),
        "How to use it": _usage(contents),
        "Recipe": _recipe(contents),
    }
    lines: list[str] = []
    for title, section in sections.items():
        found = list(section)
        if found and title:
            lines += ["", f"## {title}", ""]
        lines += found
    return "\n".join(lines) + "\n"


def _beginning(contents: CardContents) -> Iterator[str]:
    data, model, training = contents.data, contents.model, contents.config.training
    yield f"# Model card: {as_markdown(without_password(contents.name))}"
    yield ""
    targets = contents.config.data.target_columns
    by = f": the column {_name(targets[0])}" if targets else ""
    if data.dataset.class_names:
        classes = f"{len(data.dataset.class_names)} classes"
        yield f"A neural network that tells to which of {classes} a row of {_source(contents)} belongs{by}."
    else:
        names = as_markdown(listed(data.dataset.target_names))
        yield f"A neural network that predicts {names} of a row of {_source(contents)}."
    yield (
        f"It was trained by micrograde {VERSION} in the run `{RUN_ID}`, and has the weights of epoch "
        f"{contents.kept_epoch} of {contents.epochs}."
    )
    hidden = f"; {as_markdown(contents.config.model.activation.name)} in hidden layers" * (
        len(model.sizes) > 2
    )
    norm = f"; {model.normalization.label}" if model.normalization else ""
    yield (
        f"Its layers have {', '.join(map(str, model.sizes))} units{hidden}{norm}; "
        f"{model.layout.size} parameters in {training.dtype}."
    )


def _data(contents: CardContents) -> Iterator[str]:
    data, dataset = contents.data, contents.data.dataset
    yield f"- source: {_source(contents)}"
    for key, path in contents.config.data.paths().items():
        yield f"- {key}: {as_markdown(without_password(path))}"
    yield f"- SHA-256 of the content: `{dataset.digest}`"
    for word, sentence in dataset.summary.sentences() if dataset.summary else ():
        if word in _ABOUT_ROWS:
            yield f"- {word}: {as_markdown(sentence)}"
    sizes = [f"{_PARTS[name]} {len(samples)} rows" for name, samples in data.parts().items()]
    yield f"- parts: {', '.join(sizes)}"
    yield f"- split: {_split(contents)}"
    for note in data.notes:
        yield f"- note: {as_markdown(note)}"


def _split(contents: CardContents) -> str:
    """Return how rows have come into the parts."""
    data, dataset, keys = contents.data, contents.data.dataset, contents.config.data
    if fold := keys.held_out:
        dealt = "by time" if dataset.times is not None else f"drawn at random (data.seed={keys.seed})"
        return (
            f"the test part is fold {fold.number} of {fold.count} in repeat {fold.repeat}; folds are {dealt}"
        )
    own = {"validation": bool(dataset.validation_rows), "test": bool(dataset.test_rows)}
    there_are = {"validation": data.validation is not None, "test": data.test is not None}
    drawn = [name for name in own if there_are[name] and not own[name]]
    said = [f"the {name} part is the source's own" for name in own if own[name]]
    if drawn:
        parts = f"the {' and the '.join(drawn)} part"
        if dataset.times is not None:
            said.append(f"{parts} by time, the newest rows")
        else:
            rows = "whole groups" if dataset.groups is not None else "rows"
            said.append(f"{rows} of {parts} drawn at random (data.seed={keys.seed})")
            if keys.stratify and dataset.class_names:
                said.append("each class in about the same share in all drawn parts (data.stratify=true)")
    said += [f"no {name} part" for name in own if not there_are[name]]
    return "; ".join(said)


def _columns(data: PreparedData) -> Iterator[str]:
    summary = data.dataset.summary
    if summary is None:
        names = [name for name, _ in data.preprocessing.columns()]
        yield f"{len(names)}: {as_markdown(listed(names))}."
        return
    used = [each for each in summary.columns if each.role in ROLES and ROLES[each.role].used]
    others = [each for each in summary.columns if each not in used]
    yield "The model reads the columns that become features, by name, and ignores all others."
    yield ""
    rows = ([_name(each.name), *_about_column(each)] for each in islice([*used, *others], _ROWS))
    yield from table(["column", "role", "features", "missing", "about"], rows, numbers=False)
    if (more := len(summary.columns) - _ROWS) > 0:
        yield ""
        yield f"and {more} more, which stand in data/columns.csv of the run."


def _about_column(column: ColumnSummary) -> list[str]:
    features = str(column.features) if column.features else "-"
    missing = str(column.missing + column.unreadable)
    said = f"categories: {column.said}" if column.role == Category.name else column.said
    return [as_markdown(column.role), features, missing, as_markdown(said)]


def _classes(contents: CardContents) -> Iterator[str]:
    data, names = contents.data, contents.data.dataset.class_names
    if not names:
        return
    parts = data.parts()
    counts = [np.bincount(part.labels, minlength=len(names)).tolist() for part in parts.values()]
    judged = next(name for name in ("test", "val", "train") if name in parts)
    measured = {
        f"{metric} ({_PARTS[judged]})": [
            contents.kept.get(f"{KEPT}{judged}/{metric}/{name}") for name in recorded_class_names(names)
        ]
        for metric in METRICS
        if METRICS[metric].per_class
    }
    measured = {
        title: values for title, values in measured.items() if any(each is not None for each in values)
    }
    rows = (
        [
            _name(name),
            *(str(count[place]) for count in counts),
            *(_value("", values[place]) for values in measured.values()),
        ]
        for place, name in enumerate(islice(names, _ROWS))
    )
    yield from table(["class", *(f"rows ({_PARTS[name]})" for name in parts), *measured], rows)
    if len(names) > _ROWS:
        yield ""
        yield f"and {len(names) - _ROWS} more."


def _metrics(contents: CardContents) -> Iterator[str]:
    kept, parts, task = contents.kept, contents.data.parts(), contents.task
    there_are = (name.removeprefix(KEPT).partition("/")[2] for name in kept)
    judged = [each for metric in task.metrics for each in (metric, f"baseline_{metric}")]
    names = dict.fromkeys((*judged, "loss", *(name for name in there_are if name and "/" not in name)))
    rows = [
        [name.replace("_", " "), *(_value(name, kept.get(f"{KEPT}{part}/{name}")) for part in parts)]
        for name in names
        if any(f"{KEPT}{part}/{name}" in kept for part in parts)
    ]
    yield "Of this model, in evaluation mode, on every row of each part:"
    yield ""
    yield from table(["", *(_PARTS[name] for name in parts)], rows)
    yield ""
    if task.class_names:
        counts = np.bincount(contents.data.training.labels)
        said = _name(task.class_names[int(counts.argmax())])
        several = (counts == counts.max()).sum() > 1
        which = "one of the most frequent classes" if several else "the most frequent class"
        said = f"{said} reaches, {which} of the training part"
    else:
        said = "what is most frequent of each label in the training part reaches"
        if task.learns == "numbers":
            yield f"The loss, {task.loss.name}, is of numbers as the network learns them, which are scaled."
            said = "the training part's mean reaches"
    yield (
        f"The baseline is what always saying {said}. It learns nothing of the columns, so that a model has "
        "to be better."
    )


def _findings(contents: CardContents) -> Iterator[str]:
    yield from (f"- {as_markdown(each)}" for each in contents.findings)
    if not contents.findings:
        yield "None: no rule found anything that stands out in what was measured."


def _importances(found: Importances | None) -> Iterator[str]:
    if found is None:
        return
    of = "" if found.rows == found.of_rows else f"of {found.of_rows} "
    rows = f"{found.rows} {of}rows of the {_PARTS[found.part]} part"
    yield (
        f"What it costs to shuffle the values of one column among {rows}: the mean over {REPEATS} orders, "
        "and its 95 % interval. Columns that tell the same may each seem to matter little."
    )
    yield ""
    cost, rise, metric = found.cost, found.loss_rise, found.metric
    cells = (
        [
            _name(column),
            formatted(metric, cost.mean[place], ".4f"),
            f"{formatted(metric, cost.low[place], '.4f')} to {formatted(metric, cost.high[place], '.4f')}",
            f"{rise.mean[place]:.4f}",
            f"{rise.low[place]:.4f} to {rise.high[place]:.4f}",
        ]
        for place, column in enumerate(islice(found.columns, _IMPORTANCES))
    )
    yield from table(
        ["column", f"{metric} {found.worsens} by", "interval", "loss rises by", "interval"], cells
    )
    if len(found.columns) > _IMPORTANCES:
        yield ""
        yield f"and {len(found.columns) - _IMPORTANCES} more, which stand in importances.csv of the run."


def _usage(contents: CardContents) -> Iterator[str]:
    if (threshold := contents.task.threshold) is not None:
        first, second = map(_name, contents.task.class_names)
        yield (
            f"It says {second} where its probability is above {threshold_text(threshold)}, else {first}, and "
            "the probability of both."
        )
    elif contents.task.class_names:
        yield "It says the class whose probability is greatest, and the probability of each class."
    else:
        yield f"It says {as_markdown(listed(contents.task.column_types))} of each row."
        if contents.task.thresholds:
            said = thresholds_text(contents.task.thresholds, contents.task.part_names)
            yield ""
            yield as_markdown(f"A row has a label where its probability is above its threshold: {said}.")
    yield ""
    yield "In the project that recorded the run:"
    yield ""
    yield from fenced([f"micrograde predict run_id={RUN_ID} data.path=new.csv"], "console")
    yield ""
    yield "In Python, by the path of the folder in which this file lies, or the run's address in its store:"
    yield ""
    lines = [
        "import mlflow",
        "",
        'model = mlflow.pyfunc.load_model("path/to/model")  # or "runs:/' + f'{RUN_ID}/model"',
        "model.predict(model.input_example)",
    ]
    yield from fenced(lines, "python")
    needed = ", ".join(
        as_markdown(f"{each}") for each in (f"micrograde=={VERSION}", *contents.config.plugins)
    )
    yield ""
    yield f"It needs {needed}. Loading it by MLflow runs Python; take it only from whom you trust."


def _recipe(contents: CardContents) -> Iterator[str]:
    yield (
        f"Of version {contents.config.recipe_version}; `micrograde replay run_id={RUN_ID}` trains it again "
        "and compares the numbers. Where it was recorded is left out."
    )
    yield ""
    params = as_params(contents.config)
    yield from fenced(
        (f"{key}={value}" for key, value in params.items() if not key.startswith("tracking.")), "text"
    )


def _source(contents: CardContents) -> str:
    summary = contents.data.dataset.summary
    name = f"data={contents.config.data.name}"
    return f"{_name(summary.source)} ({name})" if summary else name


def _name(text: str) -> str:
    return as_markdown(quoted(text))


def _value(metric: str, value: float | None) -> str:
    if value is None:
        return "-"
    return "undefined" if math.isnan(value) else formatted(metric, value, ".4f")
