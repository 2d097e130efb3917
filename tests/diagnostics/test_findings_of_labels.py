"""What is said about a run of several labels, and what is not."""

import numpy as np
import pytest

from micrograde.diagnostics import Measurements, find_findings
from micrograde.diagnostics.kept_model import KeptModel, PredictedNumbers
from micrograde.nn import make_activation

EPOCHS = 20
NAMES = ("red", "round", "ripe")


def part(seed, rows=300, *, share=(0.5, 0.3, 0.4), known=(3.0, 3.0, 3.0), add=(0.0, 0.0, 0.0)):
    """Rows whose logits are ``known`` times what is true, plus noise and ``add``."""
    random = np.random.default_rng(seed)
    true = (random.uniform(size=(rows, 3)) < share).astype(float)
    logits = np.array(known) * (2 * true - 1) + random.normal(size=true.shape) + add
    return PredictedNumbers(true, logits, np.logaddexp(0, logits).mean(axis=1), np.zeros((rows, 1)))


def found(training=None, validation=None, thresholds=()):
    numbers = {"training": training or part(0), "validation": validation or part(1)}
    measured = Measurements(
        {"train/loss": [0.3] * EPOCHS, "val/loss": [0.3] * EPOCHS},
        0.5,
        0,
        float("nan"),
        make_activation("tanh"),
        task="multilabel",
        rows={name: len(each.targets) for name, each in numbers.items()},
        of_kept_model=KeptModel(numbers=numbers, label_thresholds=thresholds),
        config={"optimizer.learning_rate": 0.1, "training.num_epochs": EPOCHS},
        target_names=NAMES,
        loss_of_mean=0.69,
        batch_size=32,
        steps=200,
    )
    return find_findings(measured)


def test_nothing_is_said_of_labels_that_are_learned():
    assert found() == []
    assert found(thresholds=(0.3, 0.5, 0.7)) == []


def test_a_label_that_is_never_said_is_named_with_its_rows():
    rare = {"share": (0.5, 0.3, 0.03), "known": (3, 3, 0.5), "add": (0, 0, -6)}
    training = part(0, **rare)
    (said,) = found(training, part(1, **rare))
    count = int(training.targets[:, 2].sum())
    assert said == (
        f"a label is never predicted: ripe ({count} of 300), with the training rows that have it: probably few "
        "rows have it, and a half is seldom reached; try training.threshold=f1"
    )
    (said,) = found(training, part(1, **rare), (0.5, 0.5, 0.999))
    assert said.endswith("perhaps their thresholds are the cause")
    assert found(training, part(1, **rare), (0.5, 0.5, 0.001)) == []
    often = {"known": (3, 3, 0), "add": (0, 0, -6)}
    (said,) = found(part(0, **often), part(1, **often))
    assert said.endswith("perhaps training was too short; try training.num_epochs=160")


def test_a_label_of_which_nothing_is_known_is_told_beside_the_most_frequent():
    nothing = {"known": (3, 0, 3), "add": (0, -0.8, 0)}
    validation = part(1, **nothing)
    (said,) = found(part(0, **nothing), validation)
    true, guess = validation.targets[:, 1] > 0.5, validation.predicted[:, 1] > 0
    wrong, always = f"{np.mean(true != guess):.4g}", f"{true.mean():.4g}"
    assert said.startswith(
        f"validation error of label 'round' {wrong}, always saying what is most frequent gives {always}; "
    )
    assert "probably nothing was learned" in said


@pytest.mark.parametrize("seed", range(20))
def test_labels_that_are_learned_a_little_are_not_told_to_be_unknown(seed):
    little = {"known": (0.8, 0.8, 0.8)}
    assert not [
        each for each in found(part(seed, **little), part(seed + 100, **little)) if "error of label" in each
    ]
