"""What is said about a run follows from what was measured, and nothing is said of a healthy one."""

from dataclasses import replace

import numpy as np
import pytest

from micrograde.diagnostics import FINDINGS, Measurements, find_findings
from micrograde.diagnostics.kept_model import KeptModel, look_at_kept_model
from micrograde.nn import MLP, make_activation, one_hot
from micrograde.training import Samples, confusion_counts, evaluate

EPOCHS = 20
CONFIG = {
    "optimizer.learning_rate": 0.1,
    "training.num_epochs": EPOCHS,
    "model.initial_scale": 1.0,
    "training.dtype": "float32",
}
RIGHT = np.array([[90, 10], [10, 90]])


def healthy(**changes):
    """A run of two layers in which nothing stands out, with these metrics changed."""
    history = {
        "train/loss": list(np.linspace(0.52, 0.5, EPOCHS)),
        "train/accuracy": [0.9] * EPOCHS,
        "val/loss": list(np.linspace(1.0, 0.6, EPOCHS)),
        "gradient_norm/layer1.weights": [0.2] * EPOCHS,
        "gradient_norm/layer1.biases": [0.0] * EPOCHS,  # batch norm cancels them: the design, no finding
        "gradient_norm/layer2.weights": [0.3] * EPOCHS,
        "gradient_norm/layer2.biases": [0.1] * EPOCHS,
        "activation/layer1.saturated": [0.9] * EPOCHS,  # of a batch; the kept model is judged
        "update_ratio/layer1": [-3.0] * EPOCHS,
        "update_ratio/layer2": [-2.9] * EPOCHS,
    }
    return history | {name: list(values) for name, values in changes.items()}


def kept_model(training=RIGHT, validation=RIGHT, *, saturated=(0.05,), batches=None, evaluated=None):
    confusion = {"training": np.array(training), "validation": np.array(validation)}
    return KeptModel(confusion, saturated, batches, evaluated)


def measured(history=None, *, activation="tanh", kept=None, loss=0.3, config=(), **more):
    kept = kept or kept_model()
    return Measurements(
        healthy() if history is None else history,
        more.pop("initial_loss", 2.4),
        more.pop("classes", 10),
        0.1,
        make_activation(activation),
        class_counts={part: counts.sum(axis=1) for part, counts in kept.confusion.items()},
        rows={part: int(counts.sum()) for part, counts in kept.confusion.items()},
        kept={"kept/train/loss": loss, "kept/val/loss": loss},
        of_kept_model=kept,
        config={**CONFIG, **dict(config)},
        **{"batch_size": 32, "steps": 1000, **more},
    )


def the_one(found):
    (sentence,) = find_findings(found)
    return sentence


def test_nothing_is_said_of_a_healthy_run():
    assert find_findings(measured()) == []
    assert find_findings(measured(normalization="batch norm")) == []


@pytest.mark.parametrize(
    ("changes", "said", "advice"),
    [
        (
            {"gradient_norm/layer1.weights": [0.001] * EPOCHS},
            "gradients vanish: 300 times smaller in layer 1 than in layer 2: probably ",
            "model.batch_norm=true",
        ),
        (
            {"gradient_norm/layer1.weights": [60.0] * EPOCHS},
            "gradients explode: 200 times larger in layer 1 than in layer 2: probably ",
            "model.batch_norm=true",
        ),
        (
            {"update_ratio/layer2": [-1.0] * EPOCHS},
            "each step changes the weights of layer 2 by 10 %, about 0.3 % is usual: probably ",
            "optimizer.learning_rate=0.003",
        ),
        (
            {"update_ratio/layer1": [-6.0] * EPOCHS, "update_ratio/layer2": [-5.5] * EPOCHS},
            "each step changes the weights of layers 1 and 2 by 3e-06 of their size, ",
            "optimizer.learning_rate=100",
        ),
        (
            {"train/loss": [90.0] + [0.5] * 19},
            "the training loss jumped from 2.4 to 90: probably the learning rate is too large",
            "optimizer.learning_rate=0.002",
        ),
        (
            {"val/loss": [1.0, 0.4] + [0.8] * 18},
            "overfitting: validation loss was lowest after epoch 2 (0.4) and ended at 0.8: probably ",
            "training.early_stopping.enabled=true",
        ),
        (
            {"val/loss": [1.0] * 5 + [np.nan] * 15},
            "validation loss is not finite from epoch 6 on: probably ",
            "training.dtype=float64",
        ),
        (
            {"val/loss": [1.0, np.inf, 0.9, np.nan] + [0.8] * 16},
            "validation loss is not finite after 2 of 20 epochs, first after epoch 2: probably ",
            "training.dtype=float64",
        ),
        (
            {"val/loss": [np.nan] * 20},
            "validation loss is not finite after any epoch: probably ",
            "training.dtype=float64",
        ),
        (
            {"train/loss": np.linspace(2, 0.9, EPOCHS), "val/loss": np.linspace(2.1, 1, EPOCHS)},
            "not done yet: the last 4 epochs took 19 % off the validation loss, to 1: probably ",
            "training.num_epochs=40",
        ),
    ],
)
def test_what_stands_out_is_said_in_words(changes, said, advice):
    sentence = the_one(measured(healthy(**changes)))
    assert sentence.startswith(said)
    assert sentence.partition("; try ")[2] == advice


def test_a_loss_that_starts_high_is_told_even_of_a_run_that_never_ended_an_epoch():
    sentence = the_one(measured({}, initial_loss=5.1, config={"model.initial_scale": 5.0}))
    assert sentence == (
        "loss starts at 5.10, log(10) = 2.30 expected: probably the initial scale is too large; "
        "try model.initial_scale=1"
    )


def test_a_loss_that_starts_high_is_no_matter_of_the_scale_where_the_logits_are_normalized():
    normalized = {"normalization": "batch norm", "logits_normalized": True}
    assert find_findings(measured({}, initial_loss=5.1, **normalized)) == []
    assert find_findings(measured({}, initial_loss=5.1, normalization="batch norm"))  # the last layer is not


def test_large_features_are_the_cause_where_they_are_not_standardized():
    sentence = the_one(measured({}, initial_loss=5.1, config={"data.standardize": False}))
    assert sentence.endswith("probably features are large; try data.standardize=true")


def test_saturation_is_from_the_start_or_the_weights_have_grown():
    kept = kept_model(saturated=(0.9, 0.1))
    from_start = the_one(measured(kept=kept, saturated_at_start=(0.7, 0.1)))
    assert from_start.startswith("layer 1: 90 % saturated, 70 % before training: probably the initial scale")
    for more in ({"saturated_at_start": (0.1, 0.1)}, {"normalization": "batch norm"}):
        grown = the_one(measured(kept=kept, **more))
        assert (
            grown
            == "layer 1: 90 % saturated: probably its weights have grown; try optimizer.weight_decay=0.01"
        )


def test_what_is_said_of_the_learning_rate_is_never_both():
    history = healthy(**{f"update_ratio/layer{number}": [-1.0] * 16 + [-6.0] * 4 for number in (1, 2)})
    found = find_findings(measured(history, kept=kept_model(saturated=(0.9, 0.1))))
    assert [each.partition("; try ")[2] for each in found] == ["optimizer.learning_rate=0.003"] * 2


def test_relu_units_are_dead():
    sentence = the_one(measured(activation="relu", kept=kept_model(saturated=(0.3,))))
    assert sentence.startswith("layer 1: 30 % of its units are dead, 0 for every training row: probably")


@pytest.mark.parametrize("more", [{"early_stopping": True}, {"config": {"training.keep": "best"}}])
def test_whoever_keeps_the_best_weights_is_not_told_to(more):
    history = healthy(**{"val/loss": [1.0, 0.4] + [0.8] * 18})
    assert find_findings(measured(history, **more)) == []


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
    found = measured(healthy(**{"val/loss": losses}), early_stopping=True, stopping_metric=metric)
    sentence = the_one(found)
    assert said in sentence
    assert ("early stopping" in sentence) == (metric == "val/loss")


def test_a_column_that_tells_the_class_is_a_finding_even_without_an_epoch():
    none: dict[str, list[float]] = {}
    for history in (healthy(), none):
        found = find_findings(measured(history, telling_columns=("a b", "b")))
        assert [each for each in found if "alone tells" in each] == [
            "column 'a b' alone tells the class of every row: perhaps it is known only afterwards; "
            "try 'data.drop=[a b]'",
            "column 'b' alone tells the class of every row: perhaps it is known only afterwards; "
            "try 'data.drop=[b]'",
        ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_no_class_are_said(dtype):
    sentence = the_one(measured(rows_of_no_class={"test": (2, 30)}, config={"training.dtype": dtype}))
    assert sentence.startswith("the network's numbers overflow for 2 of 30 test rows: they are of no class")
    assert sentence.endswith("; try training.dtype=float64") == (dtype == "float32")


# --- the baseline ----------------------------------------------------------------------------------------


def test_a_perfect_model_of_unequal_classes_has_learned():
    perfect = [[1880, 0], [0, 20]]
    assert find_findings(measured(kept=kept_model(perfect, [[99, 0], [0, 1]]), loss=0.001)) == []
    assert find_findings(measured(kept=kept_model(perfect, [[100, 0], [0, 0]]), loss=0.001)) == []


def baseline(counts, loss, **more):
    found = find_findings(measured(kept=kept_model(counts, counts), loss=loss, classes=2, **more))
    return [each for each in found if "always saying the most frequent class" in each]


def test_a_model_that_says_one_class_is_told_beside_the_baseline():
    (sentence,) = baseline([[94, 0], [6, 0]], 0.23)
    assert sentence.startswith(
        "validation accuracy 0.94, always saying the most frequent class gives 0.94; balanced accuracy 0.5, "
        "chance gives 0.5; loss 0.23, saying the classes' shares gives 0.227: probably nothing was learned"
    )
    (sentence,) = baseline([[94, 0], [6, 0]], 0.1)  # its probabilities know something
    assert sentence.endswith("certainly the predicted classes are no better than the most frequent one")


def test_a_model_below_the_majority_is_told_though_it_has_learned():
    (sentence,) = baseline([[80, 14], [1, 5]], 0.2)
    assert "validation accuracy 0.85, always saying the most frequent class gives 0.94" in sentence
    assert "nothing was learned" not in sentence


def test_a_threshold_may_be_meant_to_find_more_of_the_rarer_class():
    counts = [[60, 34], [0, 6]]  # an accuracy of 0.66, where the baseline has 0.94
    kept = kept_model(counts, counts)
    (sentence,) = find_findings(measured(kept=kept, loss=0.1, classes=2))
    assert "certainly the predicted classes are no better" in sentence
    decided = replace(kept, threshold=0.02)
    assert find_findings(measured(kept=decided, loss=0.1, classes=2)) == []
    chance = replace(kept_model([[47, 47], [3, 3]], [[47, 47], [3, 3]]), threshold=0.02)
    (sentence,) = find_findings(measured(kept=chance, loss=0.23, classes=2))
    assert "probably nothing was learned" in sentence


def test_a_class_that_is_never_predicted_may_be_due_to_the_threshold():
    kept = replace(kept_model([[0, 94], [0, 6]], [[0, 94], [0, 6]]), threshold=0.001)
    found = find_findings(measured(kept=kept, loss=0.1, classes=2, class_names=("no", "yes")))
    assert "a class is never predicted: no (94)" in found[-1]
    assert found[-1].endswith(": perhaps the threshold 0.001 is the cause")


def test_equal_classes_and_chance():
    assert baseline([[52, 48], [47, 53]], 0.72)  # 0.525 is above the baseline, and by chance
    assert not baseline([[80, 20], [20, 80]], 0.9)  # too sure of itself, and learned


def test_what_was_learned_by_heart_alone_is_no_matter_of_the_learning_rate():
    kept = kept_model([[100, 0], [0, 100]], [[26, 24], [25, 25]])
    (sentence,) = find_findings(measured(kept=kept, loss=1.5))
    assert "nothing was learned but the training rows (balanced accuracy 1)" in sentence
    assert "; try" not in sentence


def test_classes_that_are_never_predicted_are_named_with_their_rows():
    counts = np.diag([50, 40, 0, 0, 30]) + np.eye(5, k=-2, dtype=int) * [3, 2, 0, 0, 0]
    kept = kept_model(counts, counts)
    (sentence,) = find_findings(measured(kept=kept, class_names=tuple("abcde")))
    assert sentence.startswith("2 of 5 classes are never predicted: c (3), d (2), with the number of")
    assert sentence.endswith("perhaps training was too short; try training.num_epochs=160")


# --- rows and modes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shared", "said"), [(60, True), (10, False)])
def test_many_rows_in_two_parts_are_said(shared, said):
    found = find_findings(measured(shared_rows={"validation": shared}))
    assert bool(found) == said
    if said:
        assert found[0].startswith("30 % of the validation rows stand in two parts: perhaps they are copies")


@pytest.mark.parametrize(
    ("batches", "evaluated", "more", "advice"),
    [
        ((0.2, 0.95), (1.5, 0.6), {"steps": 10}, "training.num_epochs=240"),
        ((0.2, 0.95), (1.5, 0.6), {}, "optimizer.learning_rate=0.01"),
        ((0.9, 0.6), (0.2, 0.95), {"batch_size": 2}, "training.batch_size=32"),
        ((0.25, 0.93), (0.3, 0.95), {}, None),
    ],
)
def test_a_model_of_two_minds_is_told(batches, evaluated, more, advice):
    kept = kept_model(batches=batches, evaluated=evaluated)
    found = find_findings(measured(kept=kept, normalization="batch norm", **more))
    assert [each.partition("; try ")[2] for each in found] == ([] if advice is None else [advice])


def test_every_finding_says_how_sure_it_is():
    assert "cancelled_biases" not in FINDINGS
    kept = kept_model([[94, 0], [6, 0]], [[94, 0], [6, 0]], saturated=(0.9,))
    history = healthy(
        **{"update_ratio/layer1": [-1.0] * EPOCHS, "gradient_norm/layer1.weights": [60] * EPOCHS}
    )
    found = find_findings(
        measured(history, kept=kept, shared_rows={"validation": 60}, initial_loss=9.0, loss=0.5, classes=2)
    )
    assert len(found) == 7
    assert all(
        sum(f": {sure} " in each for sure in ("certainly", "probably", "perhaps")) == 1 for each in found
    )


def test_the_kept_model_is_looked_at_without_being_changed():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 50)
    part = Samples(random.normal(size=(50, 3)) + labels[:, None], one_hot(labels, 2), labels)
    model = MLP(3, (4,), 2, generators=[np.random.default_rng(1)])
    model.statistics[...] = random.uniform(0.5, 4, model.statistics.shape)
    before = model.state()
    kept = look_at_kept_model(model, {"training": part, "validation": None}, 50)
    assert all(np.array_equal(array, before[name]) for name, array in model.state().items())
    assert kept.confusion.keys() == {"training"}
    np.testing.assert_array_equal(kept.confusion["training"], confusion_counts(model, part)[0])
    loss, accuracy = evaluate(model, part)
    assert kept.evaluated == pytest.approx((float(loss[0]), float(accuracy[0])))
    (whole,) = model.alone(0).forward(part.features[None], part.targets[None])
    assert kept.batch_by_batch is not None
    assert kept.batch_by_batch[0] == pytest.approx(whole)
    outputs = np.tanh(
        model.layers["batchnorm1"].evaluate(model.layers["layer1"].evaluate(part.features[None]))
    )
    assert list(kept.saturated) == pytest.approx([np.mean(np.abs(outputs) > 0.97)])


# --- what is rare, what explodes, what is still falling ----------------------------------------------------


def test_classes_that_are_rare_and_never_predicted_are_given_weight():
    counts = [[190, 0], [10, 0]]
    config = {"training.class_weights": None}
    found = find_findings(measured(kept=kept_model(counts, counts), loss=0.1, classes=2, config=config))
    assert found[-1].endswith("probably too rare to count; try training.class_weights=balanced")
    weighted = {"training.class_weights": "balanced"}
    found = find_findings(measured(kept=kept_model(counts, counts), loss=0.1, classes=2, config=weighted))
    assert found[-1].endswith("perhaps training was too short; try training.num_epochs=160")


def test_a_gradient_explodes_where_it_is_largest_and_when_it_is_largest():
    norms = {
        "gradient_norm/layer2.weights": [900.0] + [1e-6] * 19,
        "gradient_norm/layer3.weights": [3.0] * 20,
    }
    assert the_one(measured(healthy(**norms))).startswith(
        "gradients explode: 300 times larger in layer 2 than in layer 3: probably"
    )


@pytest.mark.parametrize(("dead", "said"), [(0.3, True), (0.1, False)])
def test_a_small_jump_beside_dead_units_is_a_jump(dead, said):
    history = healthy(**{"train/loss": [3.0] + [0.5] * 19})
    found = find_findings(measured(history, activation="relu", kept=kept_model(saturated=(dead,))))
    assert any("the training loss jumped from 2.4 to 3" in each for each in found) == said


@pytest.mark.parametrize(
    ("momentum", "steps", "advice"),
    [
        (0.002, 10, "'model.normalization={name:batch_norm,momentum:0.1}' training.num_epochs=240"),
        (0.002, 1000, "'model.normalization={name:batch_norm,momentum:0.1}'"),
        (0.1, 40, "training.num_epochs=60"),
    ],
)
def test_running_statistics_that_have_not_caught_up_get_momentum_or_steps(momentum, steps, advice):
    kept = kept_model(batches=(0.2, 0.95), evaluated=(1.5, 0.6))
    config = {"model.normalization.momentum": momentum}
    sentence = the_one(measured(kept=kept, normalization="batch norm", steps=steps, config=config))
    assert f"have not caught up in {steps} steps" in sentence
    assert sentence.partition("; try ")[2] == advice


@pytest.mark.parametrize("part", ["train/loss", "val/loss"])
def test_it_is_done_where_one_of_the_losses_is_level(part):
    falling = {"train/loss": np.linspace(2, 0.9, EPOCHS), "val/loss": np.linspace(2.1, 1, EPOCHS)}
    assert find_findings(measured(healthy(**falling)))
    level = falling | {part: [0.9] * EPOCHS}
    assert find_findings(measured(healthy(**level))) == []
