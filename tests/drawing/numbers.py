"""Runs of which only the numbers that are predicted for the rows are known, for pictures of them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.data import Preprocessing
from micrograde.data.target_scaling import TargetScaling
from micrograde.diagnostics import Estimates, Importances
from micrograde.drawing import RunContents
from micrograde.tasks.regression import Regression
from micrograde.training import Samples

Numbers = NDArray[np.float64]


def run_of_numbers(
    parts: dict[str, tuple[Numbers, Numbers, Numbers]],
    names: tuple[str, ...] = ("price",),
    *,
    columns: int = 0,
    **more: Any,
) -> RunContents:
    """A run of these parts, each (labels (n, K), predicted (n, K), features (n, D)); features stand as they are.

    The first ``columns`` features are known as the most important ones.
    """
    labels, _, features = parts.get("train", next(iter(parts.values())))
    scaling = TargetScaling.fit(labels)
    width = features.shape[1]
    feature_names = tuple(f"x{number}" for number in range(width))
    shape = np.zeros(width), np.ones(width), feature_names, ()
    preprocessing = Preprocessing(None, *shape, None, "regression", names, scaling)
    task = Regression(names, scaling)
    samples = {
        part: Samples(seen, scaling.scaled(true, np.float64), true) for part, (true, _, seen) in parts.items()
    }
    estimates = Estimates(*np.ones((3, columns)))
    places = tuple(slice(number, number + 1) for number in range(columns))
    known = Importances("val", 9, 9, "rmse", 1.0, 1.0, feature_names[:columns], places, estimates, estimates)
    nothing: Any = None  # what these pictures do not look at
    measured: Any = SimpleNamespace(history={"train/loss": [1.0]})
    dataset: Any = SimpleNamespace(class_names=(), target_names=names, image_shape=None)
    given: dict[str, Any] = {
        "title": "a run",
        "measurements": measured,
        "model": nothing,
        "trajectory": nothing,
        "dataset": dataset,
        "preprocessing": preprocessing,
        "training": samples.get("train") or nothing,
        "validation": samples.get("val"),
        "test": samples.get("test"),
        "confusion": None,
        "batch": nothing,
        "batch_size": 1,
        "task": task,
        "logits": {part: scaling.scaled(said, np.float64) for part, (_, said, _) in parts.items()},
        "rows": {
            part: 1000 * place + np.arange(1, len(each) + 1)
            for place, (part, each) in enumerate(samples.items())
        },
        "importances": known if columns else None,
    }
    return RunContents(**{**given, **more})


def noisy_line(
    rows: int, seed: int, *, noise: float = 1.0, targets: int = 1
) -> tuple[Numbers, Numbers, Numbers]:
    """Labels, the best predictions, and two features of some rows of a line."""
    random = np.random.default_rng(seed)
    features = random.uniform(-3, 3, (rows, 2))
    line = np.stack(
        [10.0**number * (features[:, 0] + 2 * features[:, 1]) for number in range(targets)], axis=1
    )
    return line + noise * line.std(axis=0) / 3 * random.normal(size=line.shape), line, features
