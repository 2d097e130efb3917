"""What is said about a run follows from what was measured, and nothing is said of a healthy one."""

import numpy as np
import pytest

from micrograde.diagnostics import Measurements, find_findings
from micrograde.nn import make_activation
from micrograde.nn.activations.tanh import Tanh

EPOCHS = 20


def healthy(**changes):
    """A run of two layers in which nothing stands out, with these metrics changed."""
    history = {
        "train/loss": list(np.linspace(0.6, 0.5, EPOCHS)),
        "train/accuracy": [0.9] * EPOCHS,
        "val/loss": list(np.linspace(1.0, 0.6, EPOCHS)),
        "gradient_norm/layer1.weights": [0.2] * EPOCHS,
        "gradient_norm/layer1.biases": [0.1] * EPOCHS,
        "gradient_norm/layer2.weights": [0.3] * EPOCHS,
        "gradient_norm/layer2.biases": [0.1] * EPOCHS,
        "activation/layer1.saturated": [0.02] * EPOCHS,
        "update_ratio/layer1": [-3.0] * EPOCHS,
        "update_ratio/layer2": [-2.9] * EPOCHS,
    }
    return history | {name: list(values) for name, values in changes.items()}


def measured(history, *, initial_loss=2.4, activation="tanh", early_stopping=False):
    return Measurements(history, initial_loss, 10, 0.1, make_activation(activation), early_stopping)


def test_nothing_is_said_of_a_healthy_run():
    assert find_findings(measured(healthy())) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"activation/layer1.saturated": [0.5] * 19 + [0.43]},
            "layer 1: 43 % saturated from the start: initial scale too large",
        ),
        (
            {"activation/layer1.saturated": [0.01] * 19 + [0.43]},
            "layer 1: 43 % saturated, 1 % after epoch 1: its weights have grown",
        ),
        ({"gradient_norm/layer1.biases": [0.0] * EPOCHS}, "the biases of layer 1 never move: batch norm"),
        (
            {f"gradient_norm/layer{number}.biases": [0.0] * EPOCHS for number in (1, 2)},
            "the biases of layers 1 and 2 never move: batch norm cancels them",
        ),
        (
            {"gradient_norm/layer1.weights": [0.001] * EPOCHS},
            "gradients vanish: 300 times smaller in layer 1 than in layer 2",
        ),
        (
            {"gradient_norm/layer1.weights": [60.0] * EPOCHS},
            "gradients explode: 200 times larger in layer 1 than in layer 2",
        ),
        ({"update_ratio/layer2": [-1.0] * EPOCHS}, "each step changes the weights of layer 2 by 10 %;"),
        (
            {"update_ratio/layer1": [-6.0] * EPOCHS},
            "each step changes the weights of layer 1 by 1e-06 of their size;",
        ),
        (
            {"train/accuracy": [0.1] * EPOCHS},
            "training accuracy 0.10 is what always saying the most frequent",
        ),
        (
            {"val/loss": [1.0, 0.4] + [0.5] * 18},
            "overfitting: validation loss was lowest after epoch 2 (0.4) and ended at 0.5",
        ),
        (
            {"val/loss": [1.0] * 5 + [np.nan] * 15},
            "validation loss is not finite from epoch 6 on",
        ),
        (
            {"val/loss": [1.0, np.inf, 0.9, np.nan] + [0.8] * 16},
            "validation loss is not finite after 2 of 20 epochs, first after epoch 2",
        ),
        ({"val/loss": [np.nan] * 20}, "validation loss is not finite after any epoch"),
        (
            {"train/loss": np.geomspace(1, 0.01, EPOCHS)},
            "not done yet: the last 4 epochs took 62 % off the training loss",
        ),
    ],
)
def test_what_stands_out_is_said_in_words(changes, said):
    (sentence,) = find_findings(measured(healthy(**changes)))
    assert sentence.startswith(said)


def test_a_loss_that_starts_high_is_told_even_of_a_run_that_never_ended_an_epoch():
    assert find_findings(measured({}, initial_loss=5.1)) == [
        "loss starts at 5.10, log(10) = 2.30 expected: the initial scale is too large"
    ]


def test_relu_units_are_dead():
    history = healthy(**{"activation/layer1.saturated": [0.3] * EPOCHS})
    (sentence,) = find_findings(measured(history, activation="relu"))
    assert sentence == "layer 1: 30 % of its units are dead, 0 for every row of a batch"


def test_whoever_stops_early_is_not_told_to():
    history = healthy(**{"val/loss": [1.0, 0.4] + [0.5] * 18})
    assert find_findings(measured(history, early_stopping=True)) == []


def test_of_numbers_that_are_not_finite_nothing_is_said():
    odd = [float("nan"), float("inf")] * (EPOCHS // 2)
    everything = dict.fromkeys(healthy(), odd)
    assert find_findings(measured(everything, initial_loss=float("nan"))) == []


@pytest.mark.parametrize(
    ("losses", "metric", "said"),
    [
        (
            [np.nan] * EPOCHS,
            "val/loss",
            "any epoch; early stopping had nothing to go by, and the last weights are kept",
        ),
        (
            [0.5] * 3 + [np.inf] * 17,
            "val/loss",
            "from epoch 4 on; early stopping kept the best weights of the epochs in",
        ),
        ([np.nan] * EPOCHS, "val/accuracy", "validation loss is not finite after any epoch"),
    ],
)
def test_what_early_stopping_made_of_a_loss_that_is_not_finite_is_said(losses, metric, said):
    history = healthy(**{"val/loss": losses})
    found = Measurements(history, 2.4, 10, 0.1, Tanh(), early_stopping=True, stopping_metric=metric)
    (sentence,) = find_findings(found)
    assert said in sentence
    assert ("early stopping" in sentence) == (metric == "val/loss")


def test_a_column_that_tells_the_class_is_a_finding_even_without_an_epoch():
    for history in (healthy(), {}):
        found = find_findings(Measurements(history, 2.4, 10, 0.1, Tanh(), telling_columns=("a b", "b")))
        assert [each for each in found if "alone tells" in each] == [
            "column 'a b' alone tells the class of every row; if it is known only afterwards, leave it out: "
            "'data.drop=[a b]'",
            "column 'b' alone tells the class of every row; if it is known only afterwards, leave it out: "
            "'data.drop=[b]'",
        ]


def test_rows_of_no_class_are_said():
    found = Measurements(healthy(), 2.4, 10, 0.1, Tanh(), rows_of_no_class={"test": (2, 30)})
    (sentence,) = find_findings(found)
    assert sentence.startswith("the network's numbers overflow for 2 of 30 test rows: they are of no class")
