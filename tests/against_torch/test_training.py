"""A network of ours and the same in PyTorch, step by step, number for number."""

import numpy as np
import pytest
import torch

from micrograde.nn import MLP, one_hot
from micrograde.training import OPTIMIZERS, StackOptimizer, learning_rate_factors
from micrograde.training.schedules.exponential import Exponential
from micrograde.training.schedules.one_cycle import OneCycle

_THEIRS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
torch.set_num_threads(1)  # small arrays: threads would only wait for each other
_NAMES = {"learning_rate": "lr", "epsilon": "eps"}


def theirs_of(entry, parameters):
    """PyTorch's optimizer with the same hyperparameters."""
    given = {key: value for key, value in vars(entry).items() if key not in ("name", "beta1", "beta2")}
    options = {_NAMES.get(key, key): value for key, value in given.items()}
    if hasattr(entry, "beta1"):
        options["betas"] = (entry.beta1, entry.beta2)
    return getattr(torch.optim, _THEIRS[entry.name])(parameters, **options)


def both(batch_norm):
    random = np.random.default_rng(0)
    ours = MLP(5, 7, 3, initializer="xavier", batch_norm=batch_norm, generators=[random], loss_epsilon=0.0)
    layers = [torch.nn.Linear(5, 7).double(), torch.nn.Tanh(), torch.nn.Linear(7, 3).double()]
    for layer, mine in ((layers[0], ours.layer1), (layers[2], ours.layer2)):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(mine.weights[0].T))
            layer.bias.zero_()
    if batch_norm:
        layers = [layers[0], torch.nn.BatchNorm1d(7), layers[1], layers[2], torch.nn.BatchNorm1d(3)]
    return ours, torch.nn.Sequential(*layers).double()


def check(entry, *, batch_norm=False, schedule=None, scheduler=None, by_epoch=False, steps=300, epoch=30):
    """Train both; compare the losses, and the logits of rows that neither has seen, to 1e-8."""
    ours, net = both(batch_norm)
    mine, theirs = (
        StackOptimizer([entry], ours.parameters, ours.gradients),
        theirs_of(entry, net.parameters()),
    )
    rates = np.full(steps, entry.learning_rate)
    if schedule:
        plan = {"num_epochs": steps // epoch, "steps_per_epoch": epoch}
        rates = entry.learning_rate * learning_rate_factors(schedule, np.arange(steps), **plan)
    scheduler = scheduler and scheduler(theirs)
    random = np.random.default_rng(1)
    for number in range(steps):
        x = random.standard_normal((1, 16, 5))
        labels = (x @ np.arange(15).reshape(5, 3) % 7).argmax(-1)
        loss = ours.forward(x, one_hot(labels, 3))
        ours.backward()
        np.testing.assert_allclose(rates[number], theirs.param_groups[0]["lr"], rtol=1e-12)
        mine.step(rates[[number]])
        expected = torch.nn.functional.cross_entropy(net(torch.tensor(x[0])), torch.tensor(labels[0]))
        theirs.zero_grad()
        expected.backward()
        theirs.step()
        if scheduler and (not by_epoch or (number + 1) % epoch == 0) and number + 1 < steps:
            scheduler.step()
        np.testing.assert_allclose(loss[0], expected.item(), rtol=1e-8)
    net.eval()
    x = random.standard_normal((40, 5))
    logits = net(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours.predict_logits(x)[0], logits, rtol=1e-8, atol=1e-8)
    if batch_norm:
        np.testing.assert_allclose(ours.batchnorm1.running_mean[0], net[1].running_mean, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(ours.batchnorm2.running_var[0], net[4].running_var, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sgd", {}),
        ("sgd", {"momentum": 0.9, "weight_decay": 0.01}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("adam", {}),
        ("adam", {"weight_decay": 0.01}),
        ("adamw", {}),
        ("adamw", {"weight_decay": 0.3, "beta1": 0.8}),
        ("rmsprop", {}),
        ("rmsprop", {"weight_decay": 0.01, "momentum": 0.5}),
        ("rmsprop", {"centered": True}),
        ("rmsprop", {"centered": True, "momentum": 0.5, "alpha": 0.9}),
    ],
)
def test_three_hundred_steps_agree(name, options):
    check(OPTIMIZERS[name](**{"learning_rate": 0.01, **options}))


# The biases before batch norm have no gradient but rounding, which the other optimizers and, with decay, Adam
# would blow up to full steps in a direction that is chance.
@pytest.mark.parametrize(("name", "options"), [("sgd", {"momentum": 0.9, "weight_decay": 0.01}), ("sgd", {})])
def test_with_batch_norm_they_agree_too(name, options):
    check(OPTIMIZERS[name](learning_rate=0.1, **options), batch_norm=True, steps=30)


def test_exponential_is_exponential_lr_stepped_once_an_epoch():
    check(
        OPTIMIZERS["sgd"](learning_rate=0.1),
        schedule=Exponential(factor=0.9),
        scheduler=lambda theirs: torch.optim.lr_scheduler.ExponentialLR(theirs, 0.9),
        by_epoch=True,
    )


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_one_cycle_is_one_cycle_lr(share):
    check(
        OPTIMIZERS["adamw"](learning_rate=0.05),
        schedule=OneCycle(pct_start=share),
        scheduler=lambda theirs: torch.optim.lr_scheduler.OneCycleLR(
            theirs, 0.05, total_steps=300, pct_start=share, cycle_momentum=False
        ),
    )
