"""The network as a scikit-learn classifier."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from micrograde.api.estimator_arguments import complete
from micrograde.api.estimator_base import NetworkEstimator
from micrograde.nn import predicted_classes, softmax
from micrograde.nn.arrays import FloatArray
from micrograde.tasks import Task
from micrograde.tasks.classification import Classification


class MLPClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A multi-layer perceptron: linear, batch norm, activation for each hidden size, cross-entropy.

    Parameters have the names and the defaults of a run's config, except that the defaults of batch norm and
    weight decay are chosen for small tables. A fit with ``random_state=7`` gives the same numbers as a run on
    the same rows with ``seed=7 data.seed=7 data.test_fraction=0`` and, without early stopping,
    ``data.validation_fraction=0``, if weight decay and, with batch norm, the batch size are the same.

    Parameters
    ----------
    {common}
    stratify : bool
        Whether the validation part has each class in the proportion of all rows, and at least one row of it.
    class_weight : "balanced", mapping or None
        What rows count in the loss by their class: "balanced" for the inverse of how often a class is in the
        rows trained on, or weights by label, other classes counting 1; None for 1.
    label_smoothing : float
        The share of each target that all classes have together, evenly, from 0 to less than 1.
    {hyperparameters}

    Attributes
    ----------
    classes_ : (C,)
        The labels, sorted.
    n_features_in_, feature_names_in_
        D, and the names of the columns if X was a data frame with names.
    n_iter_ : int
        The number of epochs trained.
    history_ : pandas.DataFrame
        A row for each epoch, from 1, and a column for each metric: ``train/loss``, ``train/accuracy``,
        with early stopping ``val/loss`` and ``val/accuracy``, and ``gradient_norm/*``. Accuracies are
        fractions; see ``micrograde.training.EpochRecord``.
    model_ : micrograde.MLP
        The network; its inputs are ``preprocessing_.transform(X)``.
    preprocessing_ : micrograde.data.Preprocessing
    seed_ : int
        The seed drawn from ``random_state``: given as ``random_state`` it repeats the fit.
    """

    of_task: ClassVar[type[Task]] = Classification

    earlier: ClassVar[Mapping[str, Any]] = {"class_weight": None, "label_smoothing": 0.0}

    def __init__(
        self,
        hidden_size: int | Sequence[int] = 32,
        *,
        stratify: bool = True,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        label_smoothing: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(hidden_size, **common)
        self.stratify = stratify
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
        with np.errstate(all="ignore"):  # scikit-learn's check sums values, which may overflow
            features, targets = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(targets)
        return features, targets

    def _learned(
        self,
        targets: NDArray[Any],
        y: ArrayLike,  # noqa: ARG002 (the regressor's names are there)
        whose: str,
    ) -> dict[str, Any]:
        classes, labels = np.unique(targets, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y: holds 1 class, {classes.tolist()}{whose}; MLPClassifier needs two or more")
        return {"labels": labels.astype(np.int64), "class_names": tuple(map(str, classes))}

    def _keep(self, targets: NDArray[Any]) -> None:
        self.classes_ = np.unique(targets)

    def _own_config(self, targets: NDArray[Any]) -> dict[str, dict[str, Any]]:
        weights: Any = self.class_weight
        if isinstance(weights, Mapping):  # by the names of classes, which are labels as text
            names = {label: str(label) for label in np.unique(targets).tolist()}
            weights = {names.get(label, str(label)): weight for label, weight in weights.items()}
        return {
            "data": {"stratify": self.stratify},
            "training": {"class_weights": weights, "label_smoothing": self.label_smoothing},
        }

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each row: (N, D) features in, (N,) labels out.

        Raises
        ------
        ValueError
            If X does not fit the network, or rows of it are so large that the network's numbers overflow.
        """
        logits = self._checked_logits(X)  # raises before classes_ is used, if fit has not been called
        labels: NDArray[Any] = self.classes_[np.argmax(logits, axis=1)]
        return labels

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the probability of each class, in the order of ``classes_``: (N, D) features in, (N, C) out.

        Raises
        ------
        ValueError
            As ``predict`` does.
        """
        return softmax(self._checked_logits(X))

    def _checked_logits(self, X: ArrayLike) -> FloatArray:
        logits = self._logits(X)
        self._check(predicted_classes(logits) < 0)
        return logits


complete(MLPClassifier)
