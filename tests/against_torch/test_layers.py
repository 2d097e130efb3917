"""Each activation, loss and initializer beside PyTorch's: gradients, and 300 steps of training."""

import numpy as np
import pytest
import torch
from tests.against_torch import counterparts

from micrograde.nn import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    MLP,
    NORMALIZATIONS,
    initial_weights,
    one_hot,
    softmax,
)
from micrograde.nn.losses import make_loss


def both(activation, normalization):
    """Return a network of ours, a stack of one, and the same in PyTorch, in float64."""
    ours = MLP(
        5, (7, 6), 3,
        activation=activation, batch_norm=False, normalization=normalization, initializer="xavier",
        generators=[np.random.default_rng(0)], loss_epsilon=0.0,
    )  # fmt: skip
    layers = []
    for number, (inputs, outputs) in enumerate(zip(ours.sizes, ours.sizes[1:], strict=False), start=1):
        layers.append(torch.nn.Linear(inputs, outputs))
        if normalization:
            layers.append(counterparts.NORMALIZATIONS[normalization](torch, outputs))
        else:
            layers.append(torch.nn.Identity())
        if number < 3:
            layers.append(counterparts.ACTIVATIONS[activation](torch))
    net = torch.nn.Sequential(*layers).double()
    copy_parameters(ours, net)
    return ours, net


def copy_parameters(ours, net):
    """Give PyTorch's network the parameters of ours, bit for bit."""
    with torch.no_grad():
        for number in range(1, 4):
            linear = ours.layers[f"layer{number}"]
            net[3 * number - 3].weight.copy_(torch.tensor(linear.weights[0].T.copy()))
            net[3 * number - 3].bias.copy_(torch.tensor(linear.biases[0]))


@pytest.mark.parametrize("normalization", [None, *NORMALIZATIONS])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_agree_to_1e_12(activation, normalization):
    random = np.random.default_rng(1)
    ours, net = both(activation, normalization)
    for _ in range(20):
        ours.parameters[...] += 0.3 * random.standard_normal(ours.parameters.shape)
        for name, layer in ours.layers.items():
            if normalization and name.startswith(NORMALIZATIONS[normalization].layer_name):
                layer.gamma[...], layer.beta[...] = 1, 0
        copy_parameters(ours, net)
        x, labels = random.standard_normal((16, 5)) * 2, random.integers(0, 3, 16)
        ours.forward(x, one_hot(labels, 3))
        ours.backward(input_gradient=True)
        given = torch.tensor(x, requires_grad=True)
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(given), torch.tensor(labels)).backward()
        pairs = [(ours.grad_input[0], given.grad.numpy())]
        for number in range(1, 4):
            linear = net[3 * number - 3]
            pairs.append((ours.layers[f"layer{number}"].grad_weights[0], linear.weight.grad.numpy().T))
            pairs.append((ours.layers[f"layer{number}"].grad_biases[0], linear.bias.grad.numpy()))
        whole = np.sqrt(sum(np.sum(theirs**2) for _, theirs in pairs))
        for mine, theirs in pairs:
            assert np.linalg.norm(mine - theirs) <= 1e-12 * whole


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_after_300_steps_held_out_rows_agree_to_1e_8(activation):
    random = np.random.default_rng(1)
    ours, net = both(activation, None)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    centres = random.standard_normal((3, 5))
    for _ in range(300):
        labels = random.integers(0, 3, 16)
        x = centres[labels] + random.standard_normal((16, 5))
        ours.forward(x, one_hot(labels, 3))
        ours.backward()
        ours.parameters -= 0.1 * ours.gradients
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(labels)).backward()
        optimizer.step()
    held_out = centres[random.integers(0, 3, 50)] + random.standard_normal((50, 5))
    expected = net.eval()(torch.tensor(held_out)).detach().numpy()
    np.testing.assert_allclose(ours.predict_logits(held_out)[0], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("spread", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_and_its_gradient_agree_to_1e_12(loss, spread):
    random = np.random.default_rng(1)
    logits, targets = spread * random.standard_normal((2, 16, 3)), softmax(random.standard_normal((2, 16, 3)))
    targets[:, :8] = one_hot(random.integers(0, 3, (2, 8)), 3)
    ours = make_loss(loss).layer(np.float64)
    values = ours.forward(logits, targets)
    for row in range(2):
        given = torch.tensor(logits[row], requires_grad=True)
        theirs = counterparts.LOSSES[loss](torch)(given, torch.tensor(targets[row]))
        theirs.backward()
        np.testing.assert_allclose(values[row], theirs.item(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.backward()[row], given.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_initial_weights_have_the_moments_of_pytorch(initializer):
    torch.manual_seed(0)
    theirs = counterparts.INITIALIZERS[initializer](torch, torch.empty(200, 300, dtype=torch.float64)).numpy()
    mine = initial_weights(initializer, 300, 200, np.random.default_rng(0))
    assert abs(mine.mean()) < 5 * theirs.std() / 60000**0.5
    np.testing.assert_allclose(mine.std(), theirs.std(), rtol=0.02)
    np.testing.assert_allclose(np.abs(mine).mean(), np.abs(theirs).mean(), rtol=0.02)
