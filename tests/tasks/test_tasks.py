"""Which task data are for is found by itself, and all that learns and reads asks the task."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.data import Dataset
from micrograde.models.onnx_export import export_onnx
from micrograde.models.trained_network import describe_model, read_network, write_network
from micrograde.nn import Loss, predicted_classes
from micrograde.nn.classes import logistic
from micrograde.nn.losses.mse import MeanSquaredError
from micrograde.runs.building import build_model, build_plan, prepare_dataset
from micrograde.tasks import TASKS, Task, task_of
from micrograde.tasks.classification import ByOneLogit, Classification
from micrograde.training import Departure, EpochRecord, StackOptimizer, Training
from micrograde.training.optimizers.sgd import SGD


@dataclass(frozen=True, kw_only=True)
class LogCosh(Loss):
    """The logarithm of the hyperbolic cosine of the error."""

    name: Literal["log_cosh"] = "log_cosh"
    learns: ClassVar = "numbers"

    def value(self, logits, targets):
        return (np.logaddexp(logits - targets, targets - logits) - np.log(2).astype(logits.dtype)).sum(
            axis=-1
        )

    def gradient(self, logits, targets):
        return np.tanh(logits - targets)


class Numbers(Task):
    """A number for each row, which is the network's only output."""

    name: ClassVar[str] = "numbers"
    metrics: ClassVar[tuple[str, ...]] = ()
    learns: ClassVar = "numbers"
    output_size = 1

    def __init__(self, loss=None):
        super().__init__(loss or LogCosh())

    @classmethod
    def of(cls, data, loss=None):  # noqa: ARG003
        return cls(loss)

    def targets(self, labels, dtype):
        return labels.astype(dtype)

    def labels(self, targets):
        return targets

    def predicted(self, logits, *, finite=False):  # noqa: ARG002
        return logits

    def baselines(self, training, labels):  # noqa: ARG002
        return {}

    def answers(self, logits):
        return logits

    column_types: ClassVar = {"number": "double"}

    def columns(self, answers):
        return {"number": answers[:, 0]}


def described(**kinds):
    return SimpleNamespace(**{"task": "classification", "class_names": (), "target_names": (), **kinds})


def test_data_with_classes_are_for_classification():
    task = task_of(described(class_names=("no", "yes")))
    assert isinstance(task, Classification)
    assert task.class_names == ("no", "yes")


def test_data_for_an_unknown_task_are_a_line_that_lists_the_tasks():
    with pytest.raises(
        InputError, match=r"^task must be one of classification, multilabel, regression, got 'dreams'$"
    ):
        task_of(described(task="dreams"))


def test_a_loss_that_is_for_another_task_is_a_line_that_lists_those_that_fit():
    message = "^loss=mse: is none for classification; choose cross_entropy, or leave it out$"
    with pytest.raises(InputError, match=message):
        task_of(described(class_names=("no", "yes")), MeanSquaredError())


def test_another_task_learns_and_reads_by_its_own_targets_size_loss_and_columns(monkeypatch, tmp_path):
    monkeypatch.setitem(TASKS._entries, "numbers", Numbers)
    random = np.random.default_rng(0)
    features = random.standard_normal((60, 3))
    labels = np.rint(features @ [4.0, -8.0, 2.0])[:, np.newaxis]
    names = ("a", "b", "c")
    dataset = Dataset("numbers", features, labels, (), names, task="numbers", target_names=("number",))
    config = parse_train_config(
        {
            "data": {"name": "npz", "path": "numbers", "stratify": False},
            "model": {"hidden_size": [], "batch_norm": False},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": {"num_epochs": 30, "batch_size": 8},
            "tracking": {"name": "disabled"},
        }
    )
    data = prepare_dataset(dataset, config.data, "float32")
    assert data.training.targets.shape == (len(data.training), 1)
    model = build_model([config.model], data, "float32", [random])
    assert model.sizes == (3, 1)
    assert model.loss.function == LogCosh()
    plan = build_plan([config], len(data.training), data.task)
    optimizer = StackOptimizer([SGD()], model.parameters, model.gradients)
    plan = type(plan)(plan.num_epochs, plan.batch_size, plan.learning_rates, task=plan.task, metrics=())
    training = Training(model, optimizer, plan, data.training, data.validation, [random])
    events = list(training.run())
    losses = [event.metrics["val/loss"][0] for event in events if isinstance(event, EpochRecord)]
    assert losses[-1] < losses[0] / 10
    (departure,) = (event for event in events if isinstance(event, Departure))

    write_network(tmp_path, departure.model, config, data.preprocessing)
    network = read_network(tmp_path)
    predicted = network.predict(features)
    assert list(predicted.columns) == ["number"] == list(describe_model(dataset).outputs)
    assert np.abs(predicted["number"] - labels[:, 0]).mean() < 0.5
    with pytest.raises(InputError, match="a network for numbers cannot be exported: the task has no rule"):
        export_onnx(network)


halves = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-20, 1e-17, 40.0, -800.0, 1e308, np.nan, np.inf, -np.inf]
)
TWO = Classification(("no", "yes"))


@given(
    arrays(
        np.float64, st.tuples(st.integers(1, 3), st.integers(1, 6), st.just(2)), elements=halves | st.floats()
    )
)
def test_a_threshold_of_a_half_is_none_and_a_stack_is_its_replicas(logits):
    assert TWO.decided_at(0.5).threshold is None
    assert TWO.decided_at(None).threshold is None
    with np.errstate(all="ignore"):
        usual = TWO.predicted(logits)
        np.testing.assert_array_equal(usual, predicted_classes(logits))
        # All scores but those of rows of no class are on the same side of 0.5 as the class.
        scores = TWO.scores(logits)
        np.testing.assert_array_equal(np.where(usual < 0, -1, scores > 0.5), usual)
        for threshold in (1e-12, 0.3, 0.75, 1 - 1e-12):
            task = TWO.decided_at(threshold)
            found = task.predicted(logits)
            np.testing.assert_array_equal(found < 0, usual < 0)
            known = found >= 0
            np.testing.assert_array_equal(found[known], (scores > threshold)[known])
            # The names that users read are by the probabilities that stand beside them.
            answers = task.answers(logits[0])
            named = task.columns(answers)["class"][known[0]]
            np.testing.assert_array_equal(named, np.array(["no", "yes"])[found[0][known[0]]])
            for replica, alone in zip(found, logits, strict=True):
                np.testing.assert_array_equal(replica, task.predicted(alone))


def test_logits_of_float32_are_read_by_their_probabilities_in_float64():
    logits = np.array([[0, 17.3], [0, 17.5]], np.float32)  # both are 1 in float32
    threshold = float(TWO.scores(logits)[0])
    assert TWO.decided_at(threshold).predicted(logits).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("names", "threshold", "message"),
    [
        (("a", "b", "c"), 0.3, "for two classes, and not for 3"),
        ((), 0.3, "for two classes, and not for 0"),
        (("a", "b"), 1.0, "a threshold of 1.0 is not between 0 and 1"),
        (("a", "b"), float("nan"), "a threshold of nan is not between"),
    ],
)
def test_a_threshold_is_between_0_and_1_and_for_two_classes(names, threshold, message):
    with pytest.raises(ValueError, match=message):
        Classification(names).decided_at(threshold)


def test_another_task_has_no_threshold_unless_it_says_so():
    assert Numbers().decided_at(None).threshold is None
    with pytest.raises(ValueError, match="numbers is not decided by a threshold"):
        Numbers().decided_at(0.3)
    with pytest.raises(ValueError, match="numbers is not decided by a threshold"):
        Numbers().scores(np.zeros((3, 1)))


@given(
    arrays(
        np.float64, st.tuples(st.integers(1, 3), st.integers(1, 6), st.just(1)), elements=halves | st.floats()
    ),
    st.sampled_from([None, 1e-12, 0.3, 0.75]),
)
def test_one_logit_is_read_as_two_of_which_the_first_is_0(logits, threshold):
    one = task_of(described(class_names=("no", "yes")), output="sigmoid").decided_at(threshold)
    assert isinstance(one, ByOneLogit)
    assert (one.output_size, one.loss.name) == (1, "binary_cross_entropy")
    finite = np.isfinite(logits[..., 0])
    two = one.for_metrics(logits)
    np.testing.assert_array_equal(two[finite][:, 1], logits[finite][:, 0])
    np.testing.assert_array_equal(two[finite][:, 0], 0)
    with np.errstate(all="ignore"):
        found, answers = one.predicted(logits), one.answers(logits)
        np.testing.assert_array_equal(found, TWO.decided_at(threshold).predicted(two))
        np.testing.assert_array_equal(found < 0, ~finite)
        np.testing.assert_array_equal(np.isnan(answers).all(axis=-1), ~finite)
        np.testing.assert_allclose(answers[finite][:, 1], logistic(logits)[finite][:, 0], rtol=1e-14)
        if threshold is None:
            np.testing.assert_array_equal(found[finite], logits[finite][:, 0] > 0)
        for replica, alone in zip(found, logits, strict=True):
            np.testing.assert_array_equal(replica, one.predicted(alone))


def test_targets_of_one_logit_are_the_class_numbers():
    labels, one = np.array([0, 1, 1, 0]), ByOneLogit(("no", "yes"))
    targets = one.targets(labels, "float32")
    assert targets.dtype == np.float32
    assert targets.tolist() == [[0], [1], [1], [0]]
    np.testing.assert_array_equal(one.labels(targets), labels)
