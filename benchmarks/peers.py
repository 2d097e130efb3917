"""The peers, each written the way its users write it; see engines.py for what a round is."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import LEARNING_RATE, Case
from benchmarks.engines import Round
from micrograde.nn import one_hot

Layers = list[dict[str, Any]]
"""JAX's state: of each layer its arrays by name."""


def notebook(case: Case, models: int, threads: int) -> Callable[[], Round]:
    """The notebook's own classes, in float32."""
    from benchmarks.notebook import MLP

    features, labels = case.data()
    targets = one_hot(labels, case.classes, np.float32)

    def prepare() -> Round:
        model = MLP(case.inputs, case.hidden, case.classes)
        linear, norms = (model.layer1, model.layer2), (model.batchnorm1, model.batchnorm2)
        for layer, weights in zip(linear, case.weights(0), strict=True):
            layer.weights, layer.biases = weights, layer.biases.astype(np.float32)
        for norm in norms:
            norm.gamma, norm.beta = norm.gamma.astype(np.float32), norm.beta.astype(np.float32)
        random = np.random.default_rng(0)

        def run() -> float:
            for _ in range(case.epochs_of(1)):
                total, hits, order = 0.0, 0, random.permutation(case.rows)
                for start in range(0, case.rows, case.batch):
                    rows = order[start : start + case.batch]
                    total += float(model.forward(features[rows], targets[rows])) * len(rows)
                    hits += int((model.loss.predictions.argmax(axis=1) == labels[rows]).sum())
                    model.backward()
                    for layer in linear:
                        layer.weights -= LEARNING_RATE * layer.grad_weights
                        layer.biases -= LEARNING_RATE * layer.grad_biases
                    for norm in norms:
                        norm.gamma -= LEARNING_RATE * norm.grad_gamma
                        norm.beta -= LEARNING_RATE * norm.grad_beta
            return total / case.rows

        return run

    return prepare


def pytorch(case: Case, models: int, threads: int, *, compiled: bool) -> Callable[[], Round]:
    """One model, eager or compiled; loss and accuracy of every batch, gradient norms once an epoch."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    features, labels = (torch.tensor(each) for each in case.data())
    layers = [nn.Linear(case.inputs, case.hidden), nn.BatchNorm1d(case.hidden), nn.Tanh()]
    layers += [nn.Linear(case.hidden, case.classes), nn.BatchNorm1d(case.classes)]
    model: nn.Module = nn.Sequential(*layers)
    start_state = {name: value.clone() for name, value in model.state_dict().items()}
    for name, weights in zip(("0.weight", "3.weight"), case.weights(0), strict=True):
        start_state[name] = torch.tensor(weights.T.copy())
    for name in ("0.bias", "3.bias"):
        start_state[name].zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    loss_of = nn.CrossEntropyLoss()
    forward = torch.compile(model) if compiled else model

    def run() -> float:
        for _ in range(case.epochs_of(1)):
            total, hits, order = 0.0, 0, torch.randperm(case.rows)
            for start in range(0, case.rows, case.batch):
                rows = order[start : start + case.batch]
                optimizer.zero_grad()
                out = forward(features[rows])
                loss = loss_of(out, labels[rows])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
                hits += (out.argmax(1) == labels[rows]).sum().item()
            for parameter in model.parameters():
                parameter.grad.norm().item()
        return total / case.rows

    def prepare() -> Round:
        model.load_state_dict(start_state)
        return run

    return prepare


def jax(case: Case, models: int, threads: int) -> Callable[[], Round]:
    """All steps of a round in one compiled `scan`; several models through `vmap`."""
    import jax as jx
    import jax.numpy as jnp

    features, labels = (jnp.asarray(each) for each in case.data())

    def start(seed: int) -> Layers:
        layers = []
        for weights in case.weights(seed):
            zeros, ones = np.zeros(weights.shape[1], np.float32), np.ones(weights.shape[1], np.float32)
            layers.append({"weights": weights, "biases": zeros, "gamma": ones, "beta": zeros,
                           "running_mean": zeros, "running_var": ones})  # fmt: skip
        return layers

    def loss_of(learned: Layers, batch: jnp.ndarray, target: jnp.ndarray) -> tuple[Any, Any]:
        out, moments = batch, []
        for number, layer in enumerate(learned):
            out = out @ layer["weights"] + layer["biases"]
            mean, var = out.mean(0), out.var(0)
            moments.append((mean, var * case.batch / (case.batch - 1)))
            out = layer["gamma"] * (out - mean) / jnp.sqrt(var + 1e-5) + layer["beta"]
            out = jnp.tanh(out) if number == 0 else out
        picked = jnp.take_along_axis(jx.nn.log_softmax(out), target[:, None], 1)
        return -picked.mean(), ((out.argmax(1) == target).sum(), moments)

    def train(layers: Layers, order: jnp.ndarray) -> Any:
        def step(layers: Layers, rows: jnp.ndarray) -> tuple[Layers, Any]:
            (loss, (hits, moments)), slopes = jx.value_and_grad(loss_of, has_aux=True)(
                layers, features[rows], labels[rows]
            )
            moved = []
            for layer, slope, (mean, var) in zip(layers, slopes, moments, strict=True):
                learned = {
                    name: layer[name] - LEARNING_RATE * slope[name]
                    for name in ("weights", "biases", "gamma", "beta")
                }
                learned["running_mean"] = 0.9 * layer["running_mean"] + 0.1 * mean
                learned["running_var"] = 0.9 * layer["running_var"] + 0.1 * var
                moved.append(learned)
            return moved, (loss, hits)

        return jx.lax.scan(step, layers, order)

    compiled = jx.jit(train) if models == 1 else jx.jit(jx.vmap(train))

    def orders(seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        epochs = [random.permutation(case.rows) for _ in range(case.epochs_of(models))]
        return np.concatenate(epochs).reshape(-1, case.batch)

    def prepare() -> Round:
        if models == 1:
            state, order = jx.tree.map(jnp.asarray, start(0)), jnp.asarray(orders(0))
        else:
            state = jx.tree.map(lambda *each: jnp.stack(each), *(start(seed) for seed in range(models)))
            order = jnp.asarray(np.stack([orders(seed) for seed in range(models)]))

        def run() -> float:
            _, (losses, _) = jx.block_until_ready(compiled(state, order))
            last = losses if models == 1 else losses[0]
            return float(last[-case.steps :].mean())

        return run

    return prepare


def scikit_learn(case: Case, models: int, threads: int) -> Callable[[], Round]:
    """`MLPClassifier.partial_fit`, an epoch a call; it has no batch norm, and gives no accuracy."""
    from sklearn.neural_network import MLPClassifier

    features, labels = case.data()

    def prepare() -> Round:
        model = MLPClassifier(
            (case.hidden,), activation="tanh", solver="sgd", momentum=0.0, alpha=0.0, batch_size=case.batch,
            learning_rate_init=LEARNING_RATE, random_state=0,
        )  # fmt: skip
        model.partial_fit(features, labels, classes=np.arange(case.classes))

        def run() -> float:
            for _ in range(case.epochs_of(1)):
                model.partial_fit(features, labels)
            return math.nan  # another network: without batch norm

        return run

    return prepare
