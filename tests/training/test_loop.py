import numpy as np
from tests.narrowing import not_none, of_type

from micrograde.nn import MLP, one_hot
from micrograde.training import (
    Callback,
    Departure,
    EpochRecord,
    GradientNorms,
    Samples,
    StackOptimizer,
    Training,
    TrainingPlan,
    confusion_counts,
    evaluate,
    gradient_norms,
)
from micrograde.training.callbacks.early_stopping import BestWeights, EarlyStopping
from micrograde.training.optimizers.sgd import SGD


def samples(rows, seed, classes=3, dtype="float64"):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    centres = 3 * np.eye(classes, 4)
    features = (centres[labels] + random.normal(size=(rows, 4))).astype(dtype)
    return Samples(features, one_hot(labels, classes, dtype), labels)


class Setup:
    """A small run, made the same way every time."""

    def __init__(self, learning_rate=0.1, epochs=8, dtype="float64", early_stopping=None, momentum=0.0):
        self.model = MLP(4, 6, 3, initializer="xavier", generators=[np.random.default_rng(0)], dtype=dtype)
        self.optimizer = StackOptimizer([SGD(momentum=momentum)], self.model.parameters, self.model.gradients)
        self.training, self.validation = samples(40, 1, dtype=dtype), samples(20, 2, dtype=dtype)
        self.plan = TrainingPlan(epochs, 8, lambda steps: np.full((len(steps), 1), learning_rate))
        self.callbacks: list[Callback] = [GradientNorms()]
        if early_stopping:
            self.callbacks.append(BestWeights(self.model, early_stopping))

    def records(self):
        """The epochs' records; the departure that ends them is kept."""
        shuffling = [np.random.default_rng(7)]
        stack = Training(
            self.model,
            self.optimizer,
            self.plan,
            self.training,
            self.validation,
            shuffling,
            callbacks=self.callbacks,
        )
        *records, departure = stack.run()
        self.departure = of_type(Departure, departure)
        return records


def test_it_learns_and_two_runs_are_the_same_bit_for_bit():
    first, second = Setup(), Setup()
    records, again = first.records(), second.records()
    assert [record.epoch for record in records] == list(range(1, 9))
    assert records[-1].metrics["train/loss"] < 0.5 * records[0].metrics["train/loss"]
    assert records[-1].metrics["val/accuracy"] > 0.8
    assert [record.metrics for record in records] == [record.metrics for record in again]
    assert first.departure.model.parameters.tobytes() == second.departure.model.parameters.tobytes()
    assert (first.departure.replica, first.departure.epoch, first.departure.divergence) == (0, 8, None)


def test_metrics_are_what_they_are_called():
    setup = Setup(epochs=1)
    setup.plan = TrainingPlan(1, 40, lambda steps: np.full((len(steps), 1), 0.1))
    fresh = Setup().model
    (record,) = setup.records()
    loss = fresh.forward(setup.training.features, setup.training.targets)
    np.testing.assert_allclose(record.metrics["train/loss"], loss, rtol=1e-12)
    fresh.backward()
    total = np.linalg.norm(fresh.gradients)
    np.testing.assert_allclose(record.metrics["gradient_norm/total"], total, rtol=1e-12)
    expected = np.linalg.norm(fresh.layer2.grad_weights)
    np.testing.assert_allclose(record.metrics["gradient_norm/layer2.weights"], expected, rtol=1e-12)

    loss, accuracy = evaluate(setup.model, setup.validation)
    assert record.metrics["val/loss"] == loss
    assert record.metrics["val/accuracy"] == accuracy
    predicted = setup.model.predict_logits(setup.validation.features)[0].argmax(axis=1)
    counts = confusion_counts(setup.model, setup.validation)[0]
    for true in range(3):
        for guess in range(3):
            assert counts[true, guess] == np.sum((setup.validation.labels == true) & (predicted == guess))
    assert accuracy == np.trace(counts) / 20


def test_norms_of_large_float32_gradients_do_not_overflow():
    model = Setup(dtype="float32").model
    model.gradients[...] = 1e30
    norms = gradient_norms(model)
    np.testing.assert_allclose(norms["gradient_norm/layer2.biases"], 1e30 * np.sqrt(3), rtol=1e-6)


def test_early_stopping_ends_and_keeps_the_best_weights():
    setup = Setup(learning_rate=0.5, epochs=60, early_stopping=EarlyStopping("val/loss", patience=4))
    records = setup.records()
    losses = [float(record.metrics["val/loss"][0]) for record in records]
    best = int(np.argmin(losses))
    assert len(records) == best + 1 + 4 < 60
    loss, _ = evaluate(setup.departure.model, setup.validation)
    assert loss == losses[best]


def test_early_stopping_on_accuracy_takes_the_highest():
    setup = Setup(epochs=60, early_stopping=EarlyStopping("val/accuracy", patience=5))
    values = [float(record.metrics["val/accuracy"][0]) for record in setup.records()]
    assert evaluate(setup.departure.model, setup.validation)[1] == max(values)
    assert len(values) == int(np.argmax(values)) + 1 + 5


def test_divergence_names_the_step_and_the_parameter():
    setup = Setup(learning_rate=1e38, dtype="float32")
    assert setup.records() == []
    divergence = not_none(setup.departure.divergence)
    assert divergence.step == setup.optimizer.steps + 1 >= 2
    assert not np.isfinite(divergence.loss)
    model = setup.departure.model
    views = model.layout.views(model.parameters)
    broken = [name for name, view in views.items() if not np.isfinite(view).all()]
    assert divergence.parameter == (broken[-1] if broken else None)
    assert f"step {divergence.step}" in str(divergence)


def test_without_validation_there_are_no_validation_metrics():
    setup = Setup(epochs=1)
    setup.validation = None
    (record,) = setup.records()
    assert not any(name.startswith("val/") for name in record.metrics)


def test_learning_rates_are_asked_for_as_training_comes_to_them(monkeypatch):
    def falling(steps):
        asked.append(len(steps))
        return 0.5 / (1.0 + steps[:, np.newaxis])

    results = []
    for at_a_time in (1, 7, 4096):
        asked: list[int] = []
        setup = Setup()
        setup.plan = TrainingPlan(8, 8, falling)
        monkeypatch.setattr("micrograde.training.loop._STEPS_AT_A_TIME", at_a_time)
        results.append([record.metrics for record in setup.records()])
        assert max(asked) == max(5, at_a_time)
    assert results[0] == results[1] == results[2]


def test_any_number_of_epochs_can_be_planned():
    setup = Setup()
    setup.plan = TrainingPlan(10**30, 8, lambda steps: np.full((len(steps), 1), 0.1))
    stack = Training(
        setup.model, setup.optimizer, setup.plan, setup.training, None, [np.random.default_rng(7)]
    )
    assert of_type(EpochRecord, next(stack.run())).epoch == 1
