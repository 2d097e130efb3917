"""Gradient clipping as PyTorch's clip_grad_value_ and clip_grad_norm_, over 300 steps."""

import numpy as np
import pytest
import torch

from micrograde.nn import MLP, one_hot
from micrograde.training import StackOptimizer
from micrograde.training.callbacks.clip import GradientClipping
from micrograde.training.optimizers.sgd import SGD


@pytest.mark.parametrize(("norm", "value"), [(0.05, None), (None, 0.01), (0.05, 0.02)])
def test_three_hundred_steps_agree(norm: float | None, value: float | None) -> None:
    random = np.random.default_rng(0)
    ours = MLP(
        5,
        7,
        3,
        batch_norm=False,
        activation="tanh",
        initializer="xavier",
        generators=[random],
        loss_epsilon=0.0,
    )
    net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3)).double()
    with torch.no_grad():
        for layer, mine in ((net[0], ours.layer1), (net[2], ours.layer2)):
            layer.weight.copy_(torch.tensor(mine.weights[0].T))
            layer.bias.zero_()
    optimizer = StackOptimizer([SGD(momentum=0.9)], ours.parameters, ours.gradients)
    theirs = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    clipping = GradientClipping(*(None if limit is None else np.array([limit]) for limit in (norm, value)))
    clipped = 0
    for _ in range(300):
        x, labels = random.standard_normal((1, 16, 5)), random.integers(0, 3, (1, 16))
        ours.forward(x, one_hot(labels, 3))
        ours.backward()
        before = ours.gradients.copy()
        clipping.on_gradients(ours)
        clipped += not np.array_equal(before, ours.gradients)
        optimizer.step(np.array([0.1]))
        theirs.zero_grad()
        torch.nn.functional.cross_entropy(net(torch.tensor(x[0])), torch.tensor(labels[0])).backward()
        if value is not None:
            torch.nn.utils.clip_grad_value_(net.parameters(), value)
        if norm is not None:
            torch.nn.utils.clip_grad_norm_(net.parameters(), norm)
        theirs.step()
    assert clipped > 100
    held_out = random.standard_normal((40, 5))
    np.testing.assert_allclose(
        ours.predict_logits(held_out)[0], net(torch.tensor(held_out)).detach().numpy(), rtol=1e-8, atol=1e-8
    )
