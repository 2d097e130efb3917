"""The network as a scikit-learn classifier."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from micrograde.api.estimator_arguments import complete
from micrograde.api.estimator_base import NetworkEstimator, names_of_columns
from micrograde.nn.arrays import FloatArray
from micrograde.tasks import Output, Task, task_of
from micrograde.tasks.classification import Classification
from micrograde.tasks.multilabel import Multilabel


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
    output : {"softmax", "sigmoid"}
        How the network says classes: by a logit for each, or of two classes by one logit, whose logistic
        function is the probability of the second. Several labels (N, K) have a logit each in any case.
    {hyperparameters}

    Attributes
    ----------
    classes_ : (C,)
        The labels, sorted; of several labels (N, K) their numbers, from 0 to K - 1.
    n_outputs_ : int
        The size of the network's last layer, as scikit-learn's own classifier has it.
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

    earlier: ClassVar[Mapping[str, Any]] = {
        "class_weight": None,
        "label_smoothing": 0.0,
        "output": "softmax",
    }

    def __init__(
        self,
        hidden_size: int | Sequence[int] = 32,
        *,
        stratify: bool = True,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        label_smoothing: float = 0.0,
        output: Output = "softmax",
        **common: Any,
    ) -> None:
        super().__init__(hidden_size, **common)
        self.stratify = stratify
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.output = output

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = tags.classifier_tags.multi_class = self.output == "softmax"
        return tags

    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
        shape: Sequence[int] = np.shape(y) if isinstance(y, list | tuple) else getattr(y, "shape", ())
        several = len(shape) == 2 and shape[1] > 1
        with np.errstate(all="ignore"):  # scikit-learn's check sums values, which may overflow
            features, targets = validate_data(self, X, y, dtype=np.float64, multi_output=several)
        check_classification_targets(targets)
        if not several:
            return features, targets
        targets = targets.toarray() if issparse(targets) else targets
        if not np.isin(targets, (0, 1)).all():
            raise ValueError("y: has several columns, which then have to hold 0 and 1 alone, a label each")
        return features, targets.astype(np.int64)

    def _task_of(self, targets: NDArray[Any]) -> type[Task]:
        return Classification if targets.ndim == 1 else Multilabel

    def _learned(
        self,
        targets: NDArray[Any],
        y: ArrayLike,
        whose: str,
    ) -> dict[str, Any]:
        if targets.ndim == 2:
            names = names_of_columns(y, targets.shape[1])
            return {"labels": targets, "class_names": (), "task": Multilabel.name, "target_names": names}
        classes, labels = np.unique(targets, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y: holds 1 class, {classes.tolist()}{whose}; MLPClassifier needs two or more")
        if self.output == "sigmoid" and len(classes) > 2:  # scikit-learn's check wants these words
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass. "
                f'output="sigmoid" is for two classes, and y holds {len(classes)}'
            )
        return {"labels": labels.astype(np.int64), "class_names": tuple(map(str, classes))}

    def _keep(self, targets: NDArray[Any]) -> None:
        several = targets.ndim == 2
        self.classes_ = np.arange(targets.shape[1]) if several else np.unique(targets)
        self.n_outputs_ = len(self.classes_) if several or self.output == "softmax" else 1

    def _own_config(self, targets: NDArray[Any]) -> dict[str, dict[str, Any]]:
        weights: Any = self.class_weight
        if isinstance(weights, Mapping):  # by the names of classes, which are labels as text
            names = {label: str(label) for label in np.unique(targets).tolist()}
            weights = {names.get(label, str(label)): weight for label, weight in weights.items()}
        return {
            "data": {"stratify": self.stratify},
            "model": {"output": self.output},
            "training": {"class_weights": weights, "label_smoothing": self.label_smoothing},
        }

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each row: (N, D) features in, (N,) labels out.

        Of a network that has learned several labels, 1 for each that is more probable than not, (N, K).

        Raises
        ------
        ValueError
            If X does not fit the network, or rows of it are so large that the network's numbers overflow.
        """
        task, _, predicted = self._read(X)  # raises before classes_ is used, if fit has not been called
        if task.name == Multilabel.name:
            return predicted
        labels: NDArray[Any] = self.classes_[predicted]
        return labels

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the probability of each class, in the order of ``classes_``: (N, D) features in, (N, C) out.

        Of a network that has learned several labels, that of each label, (N, K).

        Raises
        ------
        ValueError
            As ``predict`` does.
        """
        task, logits, _ = self._read(X)
        return task.answers(logits)

    def _read(self, X: ArrayLike) -> tuple[Task, FloatArray, NDArray[Any]]:
        """Return what was learned, the logits of the rows, and what they are predicted to be."""
        logits = self._logits(X)
        one = self.preprocessing_.class_names and logits.shape[1] == 1
        task = task_of(self.preprocessing_, output="sigmoid" if one else "softmax")
        predicted = task.predicted(logits)
        self._check(np.asarray((predicted < 0).reshape(len(logits), -1).any(axis=1)))
        return task, logits, predicted


complete(MLPClassifier)
