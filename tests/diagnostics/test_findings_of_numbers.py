"""What is said about a run that predicts numbers, and what is not."""

import re

import numpy as np
import pytest

from micrograde.diagnostics import Measurements, find_findings
from micrograde.diagnostics.kept_model import KeptModel, PredictedNumbers, look_at_kept_model
from micrograde.diagnostics.residual_patterns import residual_pattern
from micrograde.nn import MLP, make_activation
from micrograde.tasks.regression import Regression
from micrograde.training import Samples

EPOCHS = 20
CONFIG = {
    "optimizer.learning_rate": 0.1,
    "training.num_epochs": EPOCHS,
    "model.hidden_size": [16],
    "loss.name": "huber",
}


def part(seed, rows=200, *, targets=1, add=None, said=None):
    """Rows of a line that is known but for noise; ``add(features)`` is unknown, ``said(line)`` what is known."""
    random = np.random.default_rng(seed)
    features = random.uniform(-2, 2, (rows, 3))
    line = (features @ np.array([[0.6, 0.4, 0.0]] * targets).T).reshape(rows, targets)
    true = line + 0.2 * random.normal(size=line.shape) + (0 if add is None else add(features)[:, None])
    predicted = line if said is None else said(line)
    return PredictedNumbers(true, predicted, np.square(true - predicted).mean(axis=1), features)


def measured(
    training=None, validation=None, *, names=("price",), config=(), modes=(None, None), scale=100.0, **more
):
    numbers = {"training": training or part(0), "validation": validation or part(1)}
    return Measurements(
        more.pop("history", {"train/loss": [0.3] * EPOCHS, "val/loss": [0.3] * EPOCHS}),
        0.5,
        0,
        float("nan"),
        make_activation("tanh"),
        task="regression",
        rows={name: len(each.losses) for name, each in numbers.items()},
        of_kept_model=KeptModel({}, (), modes[0], modes[1], None, numbers),
        config={**CONFIG, **dict(config)},
        target_names=names,
        target_scales=tuple(scale for _ in names),
        loss_of_mean=0.5,
        columns=tuple((f"x{number}", slice(number, number + 1)) for number in range(3)),
        **{"batch_size": 32, "steps": 1000, **more},
    )


def the_one(found):
    (sentence,) = find_findings(found)
    return sentence


def test_nothing_is_said_of_numbers_that_are_predicted_well():
    assert find_findings(measured()) == []
    assert find_findings(measured(part(0, targets=2), part(1, targets=2), names=("price", "size"))) == []


@pytest.mark.parametrize(
    ("loss", "advice"),
    [
        (
            "mse",
            "grows with the error; with optimizer.learning_rate=0.02 they are smaller, too; try loss=huber",
        ),
        ("huber", "probably the steps are too large; try optimizer.learning_rate=0.02"),
    ],
)
def test_a_run_that_diverges_says_what_to_type(loss, advice):
    for history in ({}, {"train/loss": [0.3, np.inf]}):
        said = the_one(measured(config={"loss.name": loss}, diverged_at=26, history=history))
        assert said.startswith("the loss was not finite at step 26: probably the steps are too large")
        assert said.endswith(advice)


def test_predictions_no_better_than_the_mean_are_told_beside_it():
    nothing = {"said": lambda line: 0.001 * line}
    training, validation = part(0, **nothing), part(1, **nothing)
    said, *_ = [each for each in find_findings(measured(training, validation)) if "always saying" in each]
    rmse = 100 * np.sqrt(np.mean(validation.residuals**2))
    baseline = 100 * np.sqrt(np.mean(validation.targets**2))
    assert said.startswith(
        f"validation rmse {rmse:.4g}, always saying the training part's mean gives {baseline:.4g}"
    )
    assert "nearly the same is predicted for each row: probably nothing was learned" in said
    assert said.endswith("try training.num_epochs=80") == (measured().steps <= 500)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 3e5])
def test_numbers_of_any_unit_are_read_as_such(scale):
    nothing, waves = (
        {"said": lambda line: 0.001 * line},
        {"add": lambda features: np.cos(2.5 * features[:, 1])},
    )
    found = {
        "always saying": measured(part(0, **nothing), part(1, **nothing), scale=scale),
        "mean residual": measured(part(0, 600, **waves), part(1, 300, **waves), scale=scale),
    }
    for words, each in found.items():
        (said,) = (sentence for sentence in find_findings(each) if words in sentence)
        assert "e+" not in said
        numbers = [float(number) for number in re.findall(r"-?[0-9][0-9.]*(?:e-[0-9]+)?", said)]
        assert any(0.1 * scale < number < 2 * scale for number in numbers)


@pytest.mark.parametrize("huge", [12_345.6, 7.31e8])
def test_huge_losses_are_read_as_numbers(huge):
    modes = (0.3, float("nan")), (huge, float("nan"))
    risen = {"train/loss": [0.3] * EPOCHS, "val/loss": np.geomspace(0.3, huge, EPOCHS)}
    found = find_findings(measured(modes=modes, history=risen, normalization="batch norm"))
    assert [each.partition(":")[0] for each in found if f"{huge:.0f}" in each]
    assert len(found) > 1
    assert not [each for each in found if "e+" in each]


def test_of_several_numbers_the_one_that_is_not_learned_is_named():
    random = np.random.default_rng(5)

    def two(seed):
        good = part(seed)
        noise = random.normal(size=good.targets.shape)
        both = np.concatenate([good.targets, noise], axis=1)
        predicted = np.concatenate([good.predicted, random.normal(size=noise.shape)], axis=1)
        return PredictedNumbers(both, predicted, good.losses, good.features)

    said = the_one(measured(two(0), two(1), names=("price", "size")))
    assert said.startswith("validation rmse of 'size' ")
    assert "probably nothing was learned" in said


def test_numbers_that_are_learned_by_heart_are_said_to_be():
    random = np.random.default_rng(3)
    features, true = random.normal(size=(200, 3)), random.normal(size=(200, 1))
    by_heart = PredictedNumbers(true, 0.7 * true, np.square(0.3 * true)[:, 0], features)
    new, guess = random.normal(size=(200, 1)), random.normal(size=(200, 1))
    unknown = PredictedNumbers(new, guess, np.square(new - guess)[:, 0], features)
    said = the_one(measured(by_heart, unknown))
    assert said.endswith(
        "nothing was learned but the training rows (R² 0.91): the columns may say nothing of the target"
    )


def test_what_the_network_does_not_know_of_a_column_is_found_and_worth_something():
    waves = {"add": lambda features: np.cos(2.5 * features[:, 1])}
    training, validation = part(0, 600, **waves), part(1, 300, **waves)
    said = the_one(measured(training, validation, history={"train/loss": [0.3] * 9, "val/loss": [0.3] * 9}))
    assert "in 10 groups of training rows by column 'x1' the mean residual of 'price' is between" in said
    assert said.endswith("probably the network is too small; try model.hidden_size=[32,32]")
    rmse = 100 * np.sqrt(np.mean(validation.residuals**2))
    assert f", and not {rmse:.4g}: " in said
    stopped = {"train/loss": [0.3] * 9, "val/loss": [0.3] * 9}
    said = the_one(measured(training, validation, config={"model.hidden_size": 40}, history=stopped))
    assert said.endswith("try model.hidden_size=[80,80]")
    said = the_one(measured(training, validation, normalization="batch norm", history=stopped))
    assert said.endswith("try model.batch_norm=false")
    late = {"kept/epoch": 20.0}
    said = the_one(measured(training, validation, kept=late))
    assert said.endswith("probably training was too short; try training.num_epochs=80")
    noisy = {f"update_ratio/layer{layer}": [-1.5] * EPOCHS for layer in (1, 2)}
    both = {"train/loss": [0.3] * EPOCHS, "val/loss": [0.3] * EPOCHS}
    found = find_findings(measured(training, validation, kept=late, history=both | noisy))
    assert found[-1].endswith("too large for the network to settle; try optimizer.learning_rate=0.01")


def test_a_pattern_that_the_validation_part_does_not_have_is_none():
    training = part(0, 600, add=lambda features: np.cos(2.5 * features[:, 1]))
    assert find_findings(measured(training, part(1, 300))) == []


@pytest.mark.parametrize(
    ("loss", "advice"),
    [("mse", "the squared error counts them most; try loss=huber"), ("huber", "greatest_losses.svg")],
)
def test_a_few_rows_that_carry_the_loss_are_told(loss, advice):
    training = part(0, 300)
    training.losses[[7, 70]] = training.losses.sum()
    said = the_one(measured(training, config={"loss.name": loss}))
    assert said.startswith("3 rows carry 69 % of the loss of 300 training rows: perhaps")
    assert said.endswith(advice)
    training.losses[...] /= 1000  # of the whole, nothing
    assert find_findings(measured(training)) == []


@pytest.mark.parametrize(("evaluated", "told"), [(0.45, True), (0.35, False), (0.05, False)])
def test_a_model_that_is_worse_in_evaluation_mode_is_told(evaluated, told):
    modes = (0.3, np.nan), (evaluated, np.nan)
    found = find_findings(measured(modes=modes, steps=10, normalization="batch norm"))
    assert len(found) == told
    if told:
        assert found[0].startswith(
            "the kept model has loss 0.45 on training rows, in training mode 0.3: probably"
        )


def test_rows_without_a_number_are_said():
    said = the_one(measured(rows_of_no_class={"test": (3, 40)}))
    assert said.startswith(
        "the network's numbers overflow for 3 of 40 test rows: no number is predicted for them"
    )


def test_what_overflows_is_no_pattern():
    broken = part(1)
    broken.predicted[0] = np.inf
    assert find_findings(measured(broken, broken)) == []


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_kept_model_is_looked_at_in_both_modes(batch_norm):
    random = np.random.default_rng(0)
    features, numbers = random.normal(size=(90, 3)), random.normal(size=(90, 2))
    task = Regression(("a", "b"))
    rows = Samples(features, task.targets(numbers, np.float64), numbers)
    model = MLP(
        3, (4,), 2, generators=[np.random.default_rng(1)], batch_norm=batch_norm, output_batch_norm=False,
        loss=task.loss,
    )  # fmt: skip
    before = model.parameters.copy(), model.statistics.copy()
    found = look_at_kept_model(model, {"training": rows, "validation": None}, 30, task)
    assert (found.batch_by_batch is not None) == (found.evaluated is not None) == batch_norm
    (of_part,) = found.numbers.values()
    expected = task.loss.value(model.predict_logits(features)[0], rows.targets)
    np.testing.assert_allclose(np.sort(of_part.losses), np.sort(expected), rtol=1e-12)
    if found.evaluated:
        assert found.evaluated[0] == pytest.approx(expected.mean())
    assert not found.confusion
    np.testing.assert_array_equal(before[0], model.parameters)
    np.testing.assert_array_equal(before[1], model.statistics)


def test_chance_makes_a_pattern_as_often_as_it_says():
    random = np.random.default_rng(0)
    chances = []
    for _ in range(400):
        found = residual_pattern(random.normal(size=300), random.standard_t(4, 300))
        assert found
        chances.append(found.chance)
    assert np.mean(np.array(chances) < 0.05) < 0.09
    assert np.mean(np.array(chances) < 0.5) > 0.25


def test_groups_are_of_equally_many_rows_and_equal_numbers_stay_together():
    against = np.repeat([1.0, 2.0, 3.0], [100, 150, 50])
    residuals = np.where(against == 2, 1.0, -1.0) + 0.1 * np.random.default_rng(0).normal(size=300)
    found = residual_pattern(against, residuals)
    assert found
    np.testing.assert_allclose(found.centres, [1, 2, 3])
    np.testing.assert_allclose(found.means + found.overall, [-1, 1, -1], atol=0.05)
    np.testing.assert_allclose(found.corrections(np.array([2.0, 0.0, 9.0])), found.means[[1, 0, 2]])
    assert found.is_one_of(1000)
    assert residual_pattern(np.ones(300), residuals) is None
    assert residual_pattern(against[:20], residuals[:20]) is None
