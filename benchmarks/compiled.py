"""A digits-like training step as one compiled loop (numba), to show what is left on the table.

Each replica trains for whole epochs before the next one starts, so that all of its arrays stay in the
innermost cache; every pass over the batch is fused with its neighbours. tanh is the rational approximation
that XLA and Eigen use, since a compiler cannot vectorize the C library's.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

# Numba's own threads: with OpenMP's OpenBLAS warns, and large products on two threads disturb each other.
numba.config.THREADING_LAYER = "workqueue"

Array = NDArray[Any]
_fast = numba.njit(fastmath=True, inline="always")


@_fast
def _tanh(x: np.float32) -> np.float32:
    """Eigen's rational approximation, to a few units in the last place of float32."""
    x = min(max(x, np.float32(-7.90531)), np.float32(7.90531))
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    for c in (2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08, 1.48572235717979e-05,
              6.37261928875436e-04, 4.89352455891786e-03):  # fmt: skip
        p = p * s + np.float32(c)
    q = np.float32(1.19825839466702e-06)
    for c in (1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03):
        q = q * s + np.float32(c)
    return x * p / q


@_fast
def _normalize(z: Array, gamma: Array, mean: Array, factor: Array, inverse_std: Array) -> None:
    """Batch norm in training: z becomes centered, and the factor that normalizes and scales it is filled."""
    rows, units = z.shape
    mean[:] = 0
    for n in range(rows):
        for h in range(units):
            mean[h] += z[n, h]
    for h in range(units):
        mean[h] /= rows
        inverse_std[h] = 0
    for n in range(rows):
        for h in range(units):
            z[n, h] -= mean[h]
            inverse_std[h] += z[n, h] * z[n, h]
    for h in range(units):
        inverse_std[h] = 1 / np.sqrt(inverse_std[h] / rows + np.float32(1e-5))
        factor[h] = gamma[h] * inverse_std[h]


@_fast
def _normalize_backward(
    g: Array, z: Array, factor: Array, inverse_std: Array, grad_gamma: Array, grad_beta: Array
) -> None:
    """Equations (B7)-(B9) in place of g; z is centered."""
    rows, units = z.shape
    grad_gamma[:] = 0
    grad_beta[:] = 0
    for n in range(rows):
        for h in range(units):
            grad_beta[h] += g[n, h]
            grad_gamma[h] += g[n, h] * z[n, h]
    for h in range(units):
        grad_gamma[h] *= inverse_std[h]
    for n in range(rows):
        for h in range(units):
            g[n, h] = factor[h] * (
                g[n, h] - grad_beta[h] / rows - z[n, h] * inverse_std[h] * grad_gamma[h] / rows
            )


@numba.njit(fastmath=True, parallel=True)
def _train(
    first: Array,
    second: Array,
    features: Array,
    labels: Array,
    orders: Array,
    batch: int,
    rate: float,
    losses: Array,
) -> None:
    models, inputs, hidden = first.shape
    classes = second.shape[2]
    f = np.float32
    for r in numba.prange(models):
        w1, w2 = first[r].copy(), second[r].copy()
        g1, g2 = np.empty_like(w1), np.empty_like(w2)
        gamma1, beta1, gamma2, beta2 = (
            np.ones(hidden, f),
            np.zeros(hidden, f),
            np.ones(classes, f),
            np.zeros(classes, f),
        )
        gg1, gb1, gg2, gb2 = (
            np.empty(hidden, f),
            np.empty(hidden, f),
            np.empty(classes, f),
            np.empty(classes, f),
        )
        mean1, factor1, inverse1 = np.empty(hidden, f), np.empty(hidden, f), np.empty(hidden, f)
        mean2, factor2, inverse2 = np.empty(classes, f), np.empty(classes, f), np.empty(classes, f)
        x, z1, a1, d1 = (
            np.empty((batch, inputs), f),
            np.empty((batch, hidden), f),
            np.empty((batch, hidden), f),
            np.empty((batch, hidden), f),
        )
        z2, d2 = np.empty((batch, classes), f), np.empty((batch, classes), f)
        scale = f(rate)
        for e in range(orders.shape[0]):
            total, steps = 0.0, orders.shape[1] // batch
            for s in range(steps):
                chosen = orders[e, s * batch : (s + 1) * batch]
                for n in range(batch):
                    for d in range(inputs):
                        x[n, d] = features[chosen[n], d]
                np.dot(x, w1, z1)
                _normalize(z1, gamma1, mean1, factor1, inverse1)
                for n in range(batch):
                    for h in range(hidden):
                        a1[n, h] = _tanh(z1[n, h] * factor1[h] + beta1[h])
                np.dot(a1, w2, z2)
                _normalize(z2, gamma2, mean2, factor2, inverse2)
                for n in range(batch):
                    largest = f(-np.inf)
                    for c in range(classes):
                        d2[n, c] = z2[n, c] * factor2[c] + beta2[c]
                        largest = max(largest, d2[n, c])
                    label, exponentials = labels[chosen[n]], f(0)
                    total -= d2[n, label] - largest
                    for c in range(classes):
                        d2[n, c] = np.exp(d2[n, c] - largest)
                        exponentials += d2[n, c]
                    total += np.log(exponentials)
                    for c in range(classes):
                        d2[n, c] /= exponentials * batch
                    d2[n, label] -= f(1) / batch
                _normalize_backward(d2, z2, factor2, inverse2, gg2, gb2)
                np.dot(a1.T, d2, g2)
                np.dot(d2, w2.T, d1)
                for n in range(batch):
                    for h in range(hidden):
                        d1[n, h] *= 1 - a1[n, h] * a1[n, h]
                _normalize_backward(d1, z1, factor1, inverse1, gg1, gb1)
                np.dot(x.T, d1, g1)
                for d in range(inputs):
                    for h in range(hidden):
                        w1[d, h] -= scale * g1[d, h]
                for h in range(hidden):
                    for c in range(classes):
                        w2[h, c] -= scale * g2[h, c]
                    gamma1[h] -= scale * gg1[h]
                    beta1[h] -= scale * gb1[h]
                for c in range(classes):
                    gamma2[c] -= scale * gg2[c]
                    beta2[c] -= scale * gb2[c]
            losses[r] = total / (steps * batch)


def train_epochs(
    first: Array,
    second: Array,
    features: Array,
    labels: Array,
    orders: Array,
    batch: int,
    rate: float,
    threads: int,
) -> Array:
    """The mean loss of the last epoch for each replica; (R, D, H) and (R, H, C) are left as they are."""
    numba.set_num_threads(threads)
    losses = np.zeros(len(first))
    _train(first, second, features, labels, orders, batch, rate, losses)
    return losses
