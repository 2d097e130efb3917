"""What the loss makes of a row's class: its weight, and how sure the network is to be of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class LearnedClasses:
    """Class weights and label smoothing of R replicas, as the targets and the weight of a row of each class.

    As in PyTorch's ``CrossEntropyLoss(weight=..., label_smoothing=...)``, and also where both are given: with
    class weights u, a row of class y has the loss ``-sum(u * targets * log(p))`` with the smoothed targets
    ``(1 - e) * onehot(y) + e / C``, and the sum over the rows is divided by that of their u_y. A row's loss
    is then its factor, ``sum(u * targets)``, times the loss with targets that sum to 1 (C9).

    Attributes
    ----------
    targets
        (R, C, K): what the network is to learn of a row of each class, in float64, in which rows sum to 1.
    factors
        (R, C): what a row's loss is multiplied by.
    weights
        (R, C): what is added to the divisor for it.
    weighted
        Whether there are class weights; without them factors and weights are 1, and nothing is multiplied.
    """

    targets: FloatArray
    factors: FloatArray
    weights: FloatArray
    weighted: bool

    @classmethod
    def of(
        cls, targets: FloatArray, class_weights: FloatArray | None, smoothing: Sequence[float]
    ) -> "LearnedClasses | None":
        """Return what replicas learn of classes; None if it is the classes as they are.

        Parameters
        ----------
        targets
            (C, K): those of each class. If they are one-hot, (C, C), class weights are as above; of fewer
            outputs, such as a single logit for two classes, they weigh rows alone.
        class_weights
            (C,), or those of each replica (R, C): the weights of the classes; None for 1.
        smoothing
            Each replica's share e of a row's target that all classes have together, evenly, from 0 to less
            than 1.
        """
        shares = np.asarray(smoothing, np.float64)[:, np.newaxis, np.newaxis]
        if class_weights is None and not shares.any():
            return None
        plain = np.asarray(targets, np.float64)
        smoothed = (1 - shares) * plain + shares / len(plain)
        factors = np.ones(smoothed.shape[:2])
        weights = np.ones_like(factors)
        if class_weights is not None:
            factors = weights = weights * class_weights
            if plain.shape[0] == plain.shape[1]:
                smoothed = smoothed * class_weights[..., np.newaxis, :]
                factors = smoothed.sum(axis=-1)
                none = factors[..., np.newaxis] == 0  # its rows count nothing, whatever their targets
                smoothed = np.where(none, plain, smoothed / np.where(none, 1, factors[..., np.newaxis]))
        return cls(smoothed, factors, weights, class_weights is not None)

    def keep_replicas(self, rows: IntArray) -> "LearnedClasses":
        """Return what the replicas in these rows of the stack learn."""
        return replace(
            self, targets=self.targets[rows], factors=self.factors[rows], weights=self.weights[rows]
        )

    def targets_of(self, labels: IntArray, dtype: DTypeLike) -> FloatArray:
        """Return the targets (R, n, K) of rows with these class numbers, (n,) or (R, n)."""
        return self.all_targets(dtype)[self.places(labels)]

    def all_targets(self, dtype: DTypeLike) -> FloatArray:
        """Return the targets of all replicas' classes, (R * C, K)."""
        return self.targets.reshape(-1, self.targets.shape[-1]).astype(dtype)

    def places(self, labels: IntArray) -> IntArray:
        """Return which row of ``all_targets`` each row has, (R, n)."""
        replicas, classes = self.factors.shape
        places: IntArray = labels + classes * np.arange(replicas)[:, np.newaxis]
        return places

    def row_weights(self, labels: IntArray, weights: FloatArray | None) -> FloatArray | None:
        """Return what each row of a part counts, scaled so that the mean of weight and loss is the loss.

        Parameters
        ----------
        labels
            The class numbers of all rows of the part, (N,) or (R, N).
        weights
            Their own weights, (N,); None for 1.

        Returns
        -------
        (R, N), or ``weights`` if there are no class weights.
        """
        if not self.weighted:
            return weights
        places = self.places(labels)
        factors, divisors = self.factors.ravel()[places], self.weights.ravel()[places]
        if weights is not None:
            factors, divisors = factors * weights, divisors * weights
        with np.errstate(invalid="ignore"):  # a part whose rows all count 0 has no loss
            scaled: FloatArray = factors / divisors.mean(axis=-1, keepdims=True)
        return scaled


def balanced_weights(labels: IntArray, classes: int, weights: FloatArray | None = None) -> FloatArray:
    """Return ``rows / (classes * rows of the class)`` for each class, (C,), as scikit-learn's "balanced".

    Only classes that have rows are counted; one without weighs 1. With weights (N,) of the rows, these are
    added up in place of counting.
    """
    counts = np.bincount(labels, weights, minlength=classes).astype(np.float64)
    there = np.count_nonzero(counts)
    balanced: FloatArray = np.divide(counts.sum(), there * counts, out=np.ones(classes), where=counts > 0)
    return balanced
