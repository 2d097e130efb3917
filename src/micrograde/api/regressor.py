"""The network as a scikit-learn regressor."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from micrograde.api.estimator_arguments import DERIVED, OF_LOSSES, complete, loss_values
from micrograde.api.estimator_base import NetworkEstimator, names_of_columns
from micrograde.models.trained_network import rows_lost
from micrograde.tasks import Task
from micrograde.tasks.regression import Regression


class MLPRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A multi-layer perceptron that predicts numbers: linear, batch norm, activation for each hidden size.

    Numbers are scaled to mean 0 and standard deviation 1 on the rows trained on; the loss is of scaled ones,
    predictions and ``score``, which is R squared, are in their own units. Parameters have the names and the
    defaults of a run's config, except that the defaults of batch norm and weight decay are chosen for small
    tables. A fit with ``random_state=7`` gives the same numbers as a run on the same rows with
    ``seed=7 data.seed=7 data.test_fraction=0`` and, without early stopping, ``data.validation_fraction=0``,
    if weight decay and, with batch norm, the batch size are the same.

    Parameters
    ----------
    {common}
    loss : {losses}
        What training makes small; see ``micrograde.nn.losses``.
    {hyperparameters}

    Attributes
    ----------
    n_features_in_, feature_names_in_
        D, and the names of the columns if X was a data frame with names.
    n_outputs_ : int
        K, how many numbers are predicted of each row.
    n_iter_ : int
        The number of epochs trained.
    history_ : pandas.DataFrame
        A row for each epoch, from 1, and a column for each metric: ``train/loss``, ``train/rmse``, with early
        stopping ``val/loss`` and ``val/rmse``, and ``gradient_norm/*``; of several numbers also
        ``train/rmse/<name>`` of each. See ``micrograde.training.EpochRecord``.
    model_ : micrograde.MLP
        The network; its inputs are ``preprocessing_.transform(X)``, its outputs scaled numbers.
    preprocessing_ : micrograde.data.Preprocessing
    seed_ : int
        The seed drawn from ``random_state``: given as ``random_state`` it repeats the fit.
    """

    of_task: ClassVar[type[Task]] = Regression
    derived: ClassVar[tuple[str, ...]] = (*DERIVED, *OF_LOSSES)

    def __init__(
        self, hidden_size: int | Sequence[int] = 32, *, loss: str = Regression.usual_loss, **common: Any
    ) -> None:
        super().__init__(hidden_size, **common)
        self.loss = loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
        with np.errstate(all="ignore"):  # scikit-learn's check sums values, which may overflow
            features, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
            targets = np.asarray(targets, np.float64)
        if not np.isfinite(targets).all():
            raise ValueError("y: holds infinite numbers; MLPRegressor needs finite ones")
        return features, targets

    def _learned(self, targets: NDArray[Any], y: ArrayLike, whose: str) -> dict[str, Any]:
        if (targets == targets[:1]).all():
            rows = "1 sample" if len(targets) == 1 else f"{len(targets)} samples"
            said = f"y: is the same in {rows}{whose}"
            raise ValueError(f"{said}; MLPRegressor needs two different numbers")
        numbers = targets.reshape(len(targets), -1)
        called = names_of_columns(y, numbers.shape[1])
        return {"labels": numbers, "class_names": (), "task": Regression.name, "target_names": called}

    def _keep(self, targets: NDArray[Any]) -> None:
        self.n_outputs_ = 1 if targets.ndim == 1 else targets.shape[1]
        self._flat = targets.ndim == 1

    def _own_config(self, targets: NDArray[Any]) -> dict[str, dict[str, Any]]:  # noqa: ARG002
        return {"loss": loss_values(self)}

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the numbers of each row: (N, D) features in, (N,) or (N, K) numbers out, as ``y`` was.

        Raises
        ------
        ValueError
            If X does not fit the network, or rows of it are so large that the network's numbers overflow.
        """
        logits = self._logits(X)
        task = self.of_task.of(self.preprocessing_)
        with np.errstate(all="ignore"):
            numbers = task.answers(logits)
        self._check(rows_lost(numbers))
        return np.asarray(numbers[:, 0] if self._flat else numbers, np.float64)


complete(MLPRegressor)
