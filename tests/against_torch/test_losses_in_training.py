"""Every loss trains a network as PyTorch's counterpart does: 300 steps, then rows that neither has seen."""

import numpy as np
import pytest
import torch
from tests.against_torch.counterparts import LOSSES as THEIRS

from micrograde.nn import LOSSES, MLP, one_hot
from micrograde.training import StackOptimizer
from micrograde.training.optimizers.sgd import SGD

torch.set_num_threads(1)  # small arrays: threads would only wait for each other


def targets_of(learns, x, outputs):
    """What is to be learned of rows (N, 5), as our losses and as PyTorch's take it."""
    numbers = np.tanh(x @ np.linspace(-1, 1, 5 * outputs).reshape(5, outputs))
    if learns == "classes":
        labels = numbers.argmax(axis=-1)
        return one_hot(labels, outputs), torch.tensor(labels)
    ours = (numbers > 0).astype(np.float64) if learns == "truths" else 3 * numbers
    return ours, torch.tensor(ours)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", list(LOSSES))
def test_three_hundred_steps_agree(name, outputs):
    entry, theirs = LOSSES[name](), THEIRS[name](torch)
    if entry.learns == "classes" and outputs == 1:
        outputs = 2
    random = np.random.default_rng(0)
    ours = MLP(5, 7, outputs, initializer="xavier", batch_norm=False, generators=[random], loss=entry)
    net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, outputs)).double()
    for layer, mine in ((net[0], ours.layer1), (net[2], ours.layer2)):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(mine.weights[0].T))
            layer.bias.zero_()
    optimizer = StackOptimizer([SGD(momentum=0.9)], ours.parameters, ours.gradients)
    theirs_too = torch.optim.SGD(net.parameters(), 0.03, momentum=0.9)
    losses = []
    for _ in range(300):
        x = random.standard_normal((16, 5))
        mine, wanted = targets_of(entry.learns, x, outputs)
        loss = ours.forward(x[np.newaxis], mine[np.newaxis])
        ours.backward()
        optimizer.step(np.array([0.03]))
        expected = theirs(net(torch.tensor(x)), wanted)
        theirs_too.zero_grad()
        expected.backward()
        theirs_too.step()
        np.testing.assert_allclose(loss[0], expected.item(), rtol=1e-8)
        losses.append(loss[0])
    x = random.standard_normal((100, 5))
    mine, wanted = targets_of(entry.learns, x, outputs)
    logits = net(torch.tensor(x))
    np.testing.assert_allclose(ours.predict_logits(x)[0], logits.detach().numpy(), rtol=1e-8, atol=1e-8)
    held_out = ours.loss.evaluate(ours.predict_logits(x), mine)
    np.testing.assert_allclose(held_out[0], theirs(logits, wanted).item(), rtol=1e-8)
    assert held_out[0] < 0.8 * losses[0]
