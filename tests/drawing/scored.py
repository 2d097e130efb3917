"""Runs of which only what the network says of the rows is known, for pictures of predictions."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from micrograde.data import Dataset
from micrograde.drawing import RunContents
from micrograde.nn import one_hot
from micrograde.tasks import task_of
from micrograde.training import Samples


def scored_run(parts: Any, class_names: Any, *, title: str = "a run", **options: Any) -> RunContents:
    """A run of these parts, given as name: (logits (n, C), labels (n,)), or with features (n, D) behind."""
    samples = {}
    for part, (_, labels, *features) in parts.items():
        array = features[0] if features else np.zeros((len(labels), 2))
        samples[part] = Samples(array, one_hot(labels, len(class_names)), np.asarray(labels))
    columns = next(iter(samples.values())).features.shape[1]
    dataset = Dataset(
        "csv", np.zeros((2, columns)), np.array([0, 1]), tuple(class_names),
        tuple(f"x{number}" for number in range(columns)), **options,
    )  # fmt: skip
    nothing: Any = None  # what these pictures do not look at
    measured: Any = SimpleNamespace(history={"train/loss": [1.0]})
    scaled: Any = SimpleNamespace(means=np.full(columns, 3.0), scales=np.full(columns, 2.0))
    return RunContents(
        title=title,
        measurements=measured,
        model=nothing,
        trajectory=nothing,
        dataset=dataset,
        preprocessing=scaled,
        training=samples.get("train") or nothing,
        validation=samples.get("val"),
        test=samples.get("test"),
        confusion=None,
        batch=nothing,
        batch_size=1,
        task=task_of(dataset),
        logits={part: np.asarray(logits) for part, (logits, *_) in parts.items()},
        rows={part: 100 * place + np.arange(1, len(each) + 1) for place, (part, each) in enumerate(samples.items())},
    )  # fmt: skip


def random_logits(labels, classes, *, strength=1.0, seed=0, decimals=1):
    """Logits that know something of the labels, with ties."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(labels), classes))
    logits[np.arange(len(labels)), labels] += strength
    return logits.round(decimals).astype(np.float32)
