import numpy as np
import pytest

from micrograde.training import SGD, Adam


def rates(*values):
    return np.array(values, np.float64)


def run(optimizer, gradients, learning_rate):
    """Steps with the given gradients (S, R, P); the parameters after them."""
    for gradient in gradients:
        optimizer.gradients[...] = gradient
        optimizer.step(learning_rate)
    return optimizer.parameters


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_follows_its_equations_for_each_replica(nesterov):
    random = np.random.default_rng(0)
    start, gradients = random.normal(size=(3, 4)), random.normal(size=(6, 3, 4))
    learning_rate, momentum, decay = rates(0.1, 0.2, 0.3), rates(0.9, 0.5, 0.0), rates(0.0, 0.1, 0.2)
    optimizer = SGD(start.copy(), np.zeros((3, 4)), momentum=momentum, weight_decay=decay, nesterov=nesterov)
    result = run(optimizer, gradients, learning_rate)
    for replica in range(3):
        w, v = start[replica].copy(), np.zeros(4)
        for gradient in gradients[:, replica]:
            g = gradient + decay[replica] * w
            v = momentum[replica] * v + g
            w = w - learning_rate[replica] * (g + momentum[replica] * v if nesterov else v)
        np.testing.assert_allclose(result[replica], w, rtol=1e-12)


def test_adam_follows_its_equations_for_each_replica():
    random = np.random.default_rng(1)
    start, gradients = random.normal(size=(2, 4)), random.normal(size=(6, 2, 4))
    learning_rate, beta1, beta2 = rates(0.1, 0.01), rates(0.9, 0.5), rates(0.999, 0.9)
    epsilon, decay = rates(1e-8, 1e-3), rates(0.0, 0.1)
    optimizer = Adam(
        start.copy(), np.zeros((2, 4)), beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay
    )
    result = run(optimizer, gradients, learning_rate)
    for replica in range(2):
        w, m, s = start[replica].copy(), np.zeros(4), np.zeros(4)
        for number, gradient in enumerate(gradients[:, replica], start=1):
            g = gradient + decay[replica] * w
            m = beta1[replica] * m + (1 - beta1[replica]) * g
            s = beta2[replica] * s + (1 - beta2[replica]) * g * g
            corrected = m / (1 - beta1[replica] ** number)
            root = np.sqrt(s / (1 - beta2[replica] ** number))
            w = w - learning_rate[replica] * corrected / (root + epsilon[replica])
        np.testing.assert_allclose(result[replica], w, rtol=1e-12)


def test_the_gradients_are_left_as_they_are():
    gradients = np.ones((1, 3))
    optimizer = SGD(np.ones((1, 3)), gradients, momentum=rates(0.9), weight_decay=rates(0.5), nesterov=True)
    optimizer.step(rates(0.1))
    np.testing.assert_array_equal(gradients, np.ones((1, 3)))
