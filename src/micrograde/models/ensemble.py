"""Several trained networks that answer as one: the mean of their probabilities, or of their numbers.

- ``ensemble.json``: the runs that trained them, and what is known of their table
- ``member-000.safetensors``, ``member-000.json``, ...: weights and preprocessing of each, as of one
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from micrograde.config.adapters import adapter_of
from micrograde.core.errors import InputError
from micrograde.core.json_files import read_json
from micrograde.core.version import VERSION
from micrograde.metrics.thresholds import EVEN
from micrograde.models.trained_network import (
    PREPROCESSING,
    WEIGHTS,
    Rows,
    TrainedNetwork,
    read_network,
)
from micrograde.nn.arrays import FloatArray
from micrograde.store import ModelDescription
from micrograde.tasks import Decided

MANIFEST = "ensemble.json"
MOST_MEMBERS = 1000
_LONGEST = 1_000_000  # bytes of the manifest


@dataclass(frozen=True)
class EnsembleFacts:
    """What is known of an ensemble beside its networks.

    Attributes
    ----------
    runs
        The ids of the runs that trained its members.
    targets, header
        The columns that they learned, and whether the first row of the table held names; see
        ``RecordedModel``.
    """

    runs: tuple[str, ...]
    targets: tuple[str, ...] = ()
    header: bool | int | None = None


@dataclass(frozen=True)
class Ensemble(TrainedNetwork):
    """Networks that have learned the same from the same columns.

    ``model`` and ``preprocessing`` are those of the first member, which all agree with in columns, classes
    and targets; each prepares rows by its own means and scales.
    """

    members: tuple[TrainedNetwork, ...] = ()
    facts: EnsembleFacts = EnsembleFacts(())

    def unchecked_answers(self, rows: Rows) -> FloatArray:
        """Return the mean of the members' answers, (n, C); NaN where one has none."""
        return np.asarray(np.mean([member.unchecked_answers(rows) for member in self.members], axis=0))


def make_ensemble(members: Sequence[TrainedNetwork], facts: EnsembleFacts) -> Ensemble:
    """Return the ensemble of some networks.

    Its threshold is the mean of theirs, of several labels of each; a member that has none counts as a half.

    Raises
    ------
    InputError
        If they do not answer the same question of the same columns; the message is one line.
    """
    first = members[0]
    for other in members[1:]:
        if what := _difference(first, other):
            raise InputError(f"an ensemble needs runs that agree, and these differ in {what}")
    decided = _mean_threshold(members)
    return Ensemble(first.model, first.preprocessing, decided, first.output, tuple(members), facts)


def _mean_threshold(members: Sequence[TrainedNetwork]) -> Decided:
    """Return the mean of the members' thresholds, label by label; None if none has any."""
    given = [EVEN if member.threshold is None else member.threshold for member in members]
    labels = [len(each) for each in given if isinstance(each, tuple)]
    mean = np.mean([np.broadcast_to(each, labels[:1]) for each in given], axis=0).tolist()
    return members[0].task.decided_at(tuple(mean) if labels else mean).decided if mean != EVEN else None


def _difference(one: TrainedNetwork, other: TrainedNetwork) -> str:
    """Return in what two networks cannot be averaged; empty if they can."""
    mine, theirs = one.preprocessing, other.preprocessing
    names = {
        "classes": (mine.class_names, theirs.class_names),
        "targets": (mine.target_names, theirs.target_names),
    }
    for what, (here, there) in names.items():
        if tuple(here) != tuple(there):
            return what
    if one.columns != other.columns or tuple(mine.feature_names) != tuple(theirs.feature_names):
        return "columns or categories"
    states = [None if each.encoding is None else each.encoding.state() for each in (mine, theirs)]
    if states[0] != states[1]:
        return "the categories that they know, as their splits do"
    if (mine.fill is None) != (theirs.fill is None):
        return "whether missing values are filled"
    if one.task.learns != other.task.learns:
        return "what they learned"
    return ""


def write_ensemble(folder: Path, sources: Sequence[Path], facts: EnsembleFacts) -> Ensemble:
    """Copy networks, from the folders that ``write_network`` has written them to, into one folder.

    Raises
    ------
    InputError
        If one cannot be read, they do not agree, or there are too many.
    """
    if len(sources) > MOST_MEMBERS:
        raise InputError(f"an ensemble has at most {MOST_MEMBERS} runs, and these are {len(sources)}")
    ensemble = make_ensemble([read_network(source) for source in sources], facts)
    folder.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(sources):
        for name, own in zip((WEIGHTS, PREPROCESSING), _names(number), strict=True):
            (folder / own).write_bytes((source / name).read_bytes())
    content = {"runs": facts.runs, "targets": facts.targets, "header": facts.header}
    (folder / MANIFEST).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return ensemble


def read_model(folder: Path) -> TrainedNetwork:
    """Read what is in a model's folder: a network, or an ensemble of some.

    Raises
    ------
    InputError
        If the files are missing or malformed; the message is one line.
    """
    if not os.path.lexists(folder / MANIFEST):
        return read_network(folder)
    try:
        facts = adapter_of(EnsembleFacts).validate_python(read_json(folder / MANIFEST, _LONGEST))
        if not 0 < len(facts.runs) <= MOST_MEMBERS:
            raise ValueError(f"{MANIFEST} names {len(facts.runs)} runs")
    except Exception as error:  # a broken or hostile file may raise anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{folder}: holds no micrograde model ({reason})") from None
    return make_ensemble([read_network(folder, *_names(number)) for number in range(len(facts.runs))], facts)


def describe_ensemble(ensemble: Ensemble, example: Sequence[Sequence[Any]]) -> ModelDescription:
    """Return the description that MLflow stores of it, with some rows to try it with."""
    encoding = ensemble.preprocessing.encoding
    kinds = dict.fromkeys(ensemble.columns, "double") if encoding is None else encoding.input_types
    requirements = [f"micrograde=={VERSION}"]
    return ModelDescription(
        "micrograde.serving", requirements, kinds, dict(ensemble.task.column_types), example
    )


def _names(number: int) -> tuple[str, str]:
    """Return the names of a member's files: its weights, its preprocessing."""
    return f"member-{number:03}.safetensors", f"member-{number:03}.json"
