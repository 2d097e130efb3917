"""Weights of rows and classes, and label smoothing, beside PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.against_torch import counterparts

from micrograde.nn import LOSSES, MLP, one_hot, softmax
from micrograde.nn.losses import make_loss
from micrograde.training import LearnedClasses, Samples, StackOptimizer, Training, TrainingPlan
from micrograde.training.loop import EpochRecord
from micrograde.training.optimizers.sgd import SGD


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weighted_loss_is_the_mean_of_pytorchs_losses_of_rows_to_1e_12(loss):
    random = np.random.default_rng(1)
    logits, targets = random.standard_normal((2, 16, 3)), softmax(random.standard_normal((2, 16, 3)))
    weights = random.uniform(0, 3, (2, 16))
    ours = make_loss(loss).layer(np.float64)
    values = ours.forward(logits, targets, weights)
    criterion = counterparts.LOSSES[loss](torch)
    for row in range(2):
        given_logits = torch.tensor(logits[row], requires_grad=True)
        # PyTorch weighs no rows: each row by itself, through the entry's own counterpart
        losses = torch.stack(
            [criterion(given_logits[n : n + 1], torch.tensor(targets[row, n : n + 1])) for n in range(16)]
        )
        of_rows = torch.tensor(weights[row])
        theirs = (of_rows * losses).sum() / of_rows.sum()
        theirs.backward()
        np.testing.assert_allclose(values[row], theirs.item(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.backward()[row], given_logits.grad.numpy(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.evaluate(logits, targets, weights)[row], theirs.item(), rtol=1e-12)


def test_the_loss_of_three_rows_with_class_weights_is_the_number_that_pytorch_prints():
    logits = np.array([[0.4, -0.6, 1.1], [-0.2, 0.9, 0.3], [0.7, 0.1, -1.3]])
    labels, weights = np.array([1, 1, 0]), np.array([3, 0.5, 2])
    classes = LearnedClasses.of(np.eye(3), weights, [0.0])
    samples = Samples(np.zeros((3, 1)), np.eye(3)[labels], labels).learned(classes)
    ours = make_loss("cross_entropy").layer(np.float64)
    np.testing.assert_allclose(
        ours.forward(logits, samples.targets, samples.weights, 3), 0.7472599818779873, rtol=1e-15
    )
    np.testing.assert_allclose(
        ours.forward(logits, np.eye(3)[labels], weights[labels]), 0.7472599818779873, rtol=1e-15
    )


@given(
    class_weights=st.none() | st.lists(st.floats(0.01, 100), min_size=4, max_size=4),
    smoothing=st.lists(st.just(0.0) | st.floats(0.001, 0.99), min_size=2, max_size=2),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_class_weights_and_label_smoothing_together_are_those_of_pytorch_to_1e_12(
    class_weights, smoothing, seed
):
    random = np.random.default_rng(seed)
    labels, logits = random.integers(0, 4, 20), 3 * random.standard_normal((2, 20, 4))
    weights = None if class_weights is None else np.array(class_weights)
    classes = LearnedClasses.of(np.eye(4), weights, smoothing)
    ours = make_loss("cross_entropy").layer(np.float64)
    if classes is None:
        found = ours.forward(logits, np.eye(4)[labels])
    else:
        found = ours.forward(
            logits, classes.targets_of(labels, np.float64), classes.row_weights(labels, None), 20
        )
    gradients = ours.backward()
    for replica in range(2):
        criterion = torch.nn.CrossEntropyLoss(
            weight=None if weights is None else torch.tensor(weights), label_smoothing=smoothing[replica]
        )
        theirs = torch.tensor(logits[replica], requires_grad=True)
        loss = criterion(theirs, torch.tensor(labels))
        loss.backward()
        np.testing.assert_allclose(found[replica], loss.item(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(gradients[replica], theirs.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_three_hundred_steps_with_class_weights_and_smoothing_agree_with_pytorch_on_rows_that_neither_saw():
    random = np.random.default_rng(2)
    centres = random.standard_normal((3, 5))
    labels = random.choice(3, 120, p=[0.7, 0.2, 0.1])
    x = centres[labels] + random.standard_normal((120, 5))
    weights, smoothing = np.array([0.5, 2.0, 3.0]), 0.1
    model = MLP(
        5,
        7,
        3,
        batch_norm=False,
        initializer="xavier",
        generators=[np.random.default_rng(3)],
        loss_epsilon=0.0,
    )
    net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3)).double()
    with torch.no_grad():
        for number, place in ((1, 0), (2, 2)):
            net[place].weight[:] = torch.tensor(getattr(model, f"layer{number}").weights[0].T)
            net[place].bias[:] = torch.tensor(getattr(model, f"layer{number}").biases[0].reshape(-1))
    classes = LearnedClasses.of(np.eye(3), weights, [smoothing])
    samples = Samples(x, one_hot(labels, 3), labels)
    plan = TrainingPlan(300, 120, lambda steps: np.full((len(steps), 1), 0.3))
    optimizer = StackOptimizer([SGD()], model.parameters, model.gradients)
    training = Training(model, optimizer, plan, samples, samples, [random], classes=classes)
    records = [each for each in training.run() if isinstance(each, EpochRecord)]
    criterion = torch.nn.CrossEntropyLoss(torch.tensor(weights), label_smoothing=smoothing)
    theirs = torch.optim.SGD(net.parameters(), lr=0.3)
    for record in records:
        theirs.zero_grad()
        loss = criterion(net(torch.tensor(x)), torch.tensor(labels))
        loss.backward()
        theirs.step()
        np.testing.assert_allclose(record.metrics["train/loss"], loss.item(), rtol=1e-8)
        evaluated = criterion(net(torch.tensor(x)), torch.tensor(labels)).item()
        np.testing.assert_allclose(record.metrics["val/loss"], evaluated, rtol=1e-8)
    held_out = centres[random.integers(0, 3, 50)] + random.standard_normal((50, 5))
    expected = net(torch.tensor(held_out)).detach().numpy()
    np.testing.assert_allclose(model.predict_logits(held_out)[0], expected, rtol=1e-8, atol=1e-8)
