"""A network of ours and the same in PyTorch, step by step, number for number."""

import numpy as np
import pytest
import torch

from micrograde.nn import MLP, one_hot
from micrograde.training import SGD, Adam


def both(optimizer, **options):
    random = np.random.default_rng(0)
    ours = MLP(5, 7, 3, initializer="xavier", generators=[random], loss_epsilon=0.0)
    net = torch.nn.Sequential(
        torch.nn.Linear(5, 7),
        torch.nn.BatchNorm1d(7),
        torch.nn.Tanh(),
        torch.nn.Linear(7, 3),
        torch.nn.BatchNorm1d(3),
    ).double()
    with torch.no_grad():
        for layer, linear in ((net[0], ours.layer1), (net[3], ours.layer2)):
            layer.weight.copy_(torch.tensor(linear.weights[0].T))
            layer.bias.zero_()
    mine: SGD | Adam
    if optimizer == "sgd":
        momentum, decay, nesterov = options["momentum"], options["weight_decay"], options["nesterov"]
        mine = SGD(
            ours.parameters,
            ours.gradients,
            momentum=np.array([momentum]),
            weight_decay=np.array([decay]),
            nesterov=nesterov,
        )
        theirs = torch.optim.SGD(
            net.parameters(), lr=0.1, momentum=momentum, weight_decay=decay, nesterov=nesterov
        )
    else:
        decay = options["weight_decay"]
        columns = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": decay}
        mine = Adam(ours.parameters, ours.gradients, **{key: np.array([v]) for key, v in columns.items()})
        theirs = torch.optim.Adam(net.parameters(), lr=0.1, weight_decay=decay)
    return ours, mine, net, theirs


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("sgd", {"momentum": 0.0, "weight_decay": 0.0, "nesterov": False}),
        ("sgd", {"momentum": 0.9, "weight_decay": 0.01, "nesterov": False}),
        ("sgd", {"momentum": 0.9, "weight_decay": 0.0, "nesterov": True}),
        # Without decay: the biases before batch norm have no gradient but rounding, and decay would let Adam
        # blow that up to full steps in a direction that is chance.
        ("adam", {"weight_decay": 0.0}),
    ],
)
def test_thirty_steps_agree(optimizer, options):
    ours, mine, net, theirs = both(optimizer, **options)
    random = np.random.default_rng(1)
    for _ in range(30):
        x, labels = random.standard_normal((1, 16, 5)), random.integers(0, 3, (1, 16))
        loss = ours.forward(x, one_hot(labels, 3))
        ours.backward()
        mine.step(np.array([0.1]))
        expected = torch.nn.functional.cross_entropy(net(torch.tensor(x[0])), torch.tensor(labels[0]))
        theirs.zero_grad()
        expected.backward()
        theirs.step()
        np.testing.assert_allclose(loss[0], expected.item(), rtol=1e-9)
    np.testing.assert_allclose(ours.layer1.weights[0], net[0].weight.detach().numpy().T, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.batchnorm1.running_mean[0], net[1].running_mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.batchnorm2.running_var[0], net[4].running_var, rtol=1e-7)
    net.eval()
    x = random.standard_normal((4, 5))
    np.testing.assert_allclose(
        ours.predict_logits(x)[0], net(torch.tensor(x)).detach().numpy(), rtol=1e-6, atol=1e-8
    )
