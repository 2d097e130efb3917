"""What the network's scikit-learn estimators have in common, for pipelines and grid searches.

``fit`` trains with the same code as a run, on arrays instead of a named data set and with parameters instead
of a config; nothing is recorded. The schema of runs checks the parameters.
"""

import re
import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from micrograde.api.estimator_arguments import (
    DERIVED,
    values_of,
    values_of_callbacks,
    with_arguments,
)
from micrograde.config.parsing import parse_train_config
from micrograde.config.recipe_versions import VERSION_KEY
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.data import Dataset
from micrograde.data.sets.npz import NpzArrays
from micrograde.metrics import name_of_entry, names_a_value
from micrograde.models.trained_network import check_answered
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, blocks_of_rows
from micrograde.runs.building import (
    PreparedData,
    RandomStreams,
    build_callbacks,
    build_model,
    build_optimizer,
    build_plan,
    check_batches,
    learned_classes,
    prepare_dataset,
    stack_size,
    task_to_learn,
)
from micrograde.runs.measured import check_watched
from micrograde.runs.progress import Watch
from micrograde.tasks import Task
from micrograde.training import Departure, EpochRecord, Training

SOURCE = "X"  # what error lines call the data
# To be divided by N. Found on digits, wine and breast_cancer, with other seeds than benchmarks/estimator.py
# has. Adam divides the decay, as part of the gradients, by their size, and does best with less.
_WEIGHT_DECAY = {"sgd": 4.0, "adam": 2.0}  # other optimizers keep their own default


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A multi-layer perceptron of scikit-learn's kind; a subclass says what it learns.

    Its signature and docstring are completed by ``estimator_arguments.complete``, with the parameters below.

    Parameters
    ----------
    hidden_size : int or sequence of int
        One size, or one for each hidden layer; an empty sequence means softmax regression.
    activation : {activations} or mapping
        The function that follows each hidden layer; with hyperparameters a mapping, as in
        ``{"name": "leaky_relu", "negative_slope": 0.2}``.
    batch_norm : bool
        Whether each hidden layer's linear map is followed by batch norm. The same number of batches
        is then made as equal in size as possible: an epoch would otherwise end with a step that uses the
        statistics of a few rows. If that still leaves a batch of one row, which has no statistics, it joins
        the one before.
    output_batch_norm : bool
        Whether, with batch norm, the last linear layer is followed by it, too.
    initializer : {initializers} or mapping
        The distribution of the initial weights.
    initial_scale : float
        A factor on the initial weights.
    optimizer : {optimizers}
    learning_rate : float or None
        None is the optimizer's default, 0.2 for sgd and 0.01 for the others of micrograde.
    momentum, nesterov : float, bool
        Used by the optimizers that have them; others, such as adam, ignore them.
    weight_decay : float or None
        The factor on half the sum of the squared parameters, which is added to the loss. None is 4 / N for
        sgd and 2 / N for adam, where N is the number of rows trained on, or the sum of their weights, so that
        it has less influence the more rows there are. With batch norm, which cancels the scale of the
        weights, None is 0 for sgd and adam. For another optimizer None is its own default.
    schedule : {schedules}
        How the learning rate changes while the network is trained.
    num_epochs : int
        The number of passes over all rows; with early stopping the largest number.
    batch_size : int or None
        Rows per step; None, or more than there are, means all rows.
    early_stopping : bool
        Stop when the loss on a validation part has not improved for ``patience`` epochs, and keep the weights
        of the epoch with the lowest.
    validation_fraction : float
        The fraction of the rows in the validation part, which are not trained on. Without early stopping
        there is no such part.
    patience : int
        Epochs without improvement before early stopping.
    standardize : bool
        Whether each feature is shifted and scaled to mean 0 and standard deviation 1 in the rows trained on.
    dtype : {"float32", "float64"}
        The dtype of the network's arrays.
    random_state : int, RandomState or None
        The seed of the initial weights, of shuffling and of the validation part. An int gives the same
        numbers each time.
    """

    of_task: ClassVar[type[Task]]
    """What it learns."""

    derived: ClassVar[tuple[str, ...]] = DERIVED
    """The arguments that it does not name itself."""

    earlier: ClassVar[Mapping[str, Any]] = {}
    """The values that arguments of a subclass have in pickles from before there were these."""

    def __init__(
        self,
        hidden_size: int | Sequence[int] = 32,
        *,
        activation: str | Mapping[str, Any] = "tanh",
        batch_norm: bool = False,
        output_batch_norm: bool = False,
        initializer: str | Mapping[str, Any] = "xavier",
        initial_scale: float = 1.0,
        optimizer: str = "sgd",
        learning_rate: float | None = None,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        schedule: str = "constant",
        num_epochs: int = 50,
        batch_size: int | None = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        standardize: bool = True,
        dtype: Literal["float32", "float64"] = "float32",
        random_state: int | np.random.RandomState | None = None,
        **hyperparameters: Any,
    ) -> None:
        self.hidden_size = hidden_size
        self.activation = activation
        self.batch_norm = batch_norm
        self.output_batch_norm = output_batch_norm
        self.initializer = initializer
        self.initial_scale = initial_scale
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.num_epochs = num_epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardize = standardize
        self.dtype = dtype
        self.random_state = random_state
        for name in self.derived:
            setattr(self, name, hyperparameters.pop(name, None))
        for name in hyperparameters:
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument {name!r}")

    # Not an argument by name: scikit-learn checks of those that have one that weights are repeated rows to
    # 1e-7, which no estimator is that trains on batches, or in float32. This lets it be routed all the same.
    __metadata_request__fit = {"sample_weight": None}  # noqa: RUF012 (scikit-learn reads it)

    def fit(self, X: ArrayLike, y: ArrayLike, **weights: ArrayLike | None) -> Self:
        """Train a new network.

        Parameters
        ----------
        X
            (N, D) numbers, an array or a data frame; not sparse, and without missing values.
        y
            What is to be learned: (N,) labels of two or more classes (numbers, strings, booleans), or of a
            classifier (N, K) 0 and 1, of which a row has any number; or numbers (N,) or (N, K).
        weights
            ``sample_weight=``, (N,), what each row counts in the loss and in ``standardize``: a weight of 2
            is the row twice, and 0 leaves it out. With ``batch_size=None`` the fit is that of repeated rows.

        Raises
        ------
        ValueError
            If X, y or a parameter is wrong; the message has a line for each parameter.
        RunFailedError
            If training diverged: the loss became infinite or NaN.
        """
        for name in weights:
            if name != "sample_weight":
                raise TypeError(f"{type(self).__name__}.fit() got an unexpected keyword argument {name!r}")
        return self._fit(X, y, weights.get("sample_weight"))

    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        watch: Watch | None = None,
    ) -> Self:
        """Train a new network, followed by ``watch``."""
        features, targets = self._validated(X, y)
        weights, whose = None, ""
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, features, dtype=np.float64, ensure_non_negative=True
            )
            counting = weights > 0
            if not counting.any():
                raise ValueError("sample_weight: every row weighs 0; one needs a weight above that")
            features, targets, weights = features[counting], targets[counting], weights[counting]
            whose = " in the rows whose sample_weight is not 0"
        names = getattr(self, "feature_names_in_", [f"x{column}" for column in range(self.n_features_in_)])
        seed = self._seed()
        try:
            learned = self._learned(targets, y, whose)
            dataset = Dataset(
                SOURCE, features, feature_names=tuple(map(str, names)), weights=weights, **learned
            )
            config = self._config(seed, targets)
            data = prepare_dataset(dataset, config.data, config.training.dtype, config.model.output)
            of_training = None if weights is None else weights[data.rows["train"] - 1]
            config = self._fitted_to(config, len(data.training), of_training)
            check_batches(config, len(data.training))
            stack_size(config, data, 1, 1)  # whether it fits into memory
            learned_classes([config], [data])
            check_watched(config, data)
        except InputError as error:
            raise InputError(_in_our_names(str(error))) from None
        records, departure = _train(config, data, watch)
        kind = type(self).__name__
        if departure.divergence:
            raise RunFailedError(f"{kind} diverged: {departure.divergence}; lower the learning rate")
        _warn_of_validation(records, kind)
        self._keep(targets)
        self.seed_, self.preprocessing_ = seed, data.preprocessing
        state = {name: array[0] for name, array in departure.model.state().items()}  # without replicas
        self.model_ = MLP.from_state(
            state,
            config.model.activation,
            config.model.normalizer,
            output_batch_norm=config.model.output_batch_norm,
        )
        self.n_iter_ = departure.epoch
        self.history_ = pd.DataFrame(
            [_values(record) for record in records],
            index=pd.Index([record.epoch for record in records], name="epoch"),
        )
        return self

    @abstractmethod
    def _validated(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Return features (N, D) and targets (N, ...); raise ``ValueError`` if they cannot be used."""

    @abstractmethod
    def _learned(self, targets: NDArray[Any], y: ArrayLike, whose: str) -> dict[str, Any]:
        """Return the fields of a ``Dataset`` that say what is to be learned; raise ``ValueError`` if nothing.

        ``y`` is what was given, and ``whose`` follows in an error line where the targets are not all of it.
        """

    @abstractmethod
    def _keep(self, targets: NDArray[Any]) -> None:
        """Set the attributes of a fit that tell what was learned."""

    @abstractmethod
    def _own_config(self, targets: NDArray[Any]) -> dict[str, dict[str, Any]]:
        """Return the groups of the config that the subclass has arguments for, and their keys."""

    def _logits(self, X: ArrayLike) -> FloatArray:
        """Return the network's logits (N, C)."""
        check_is_fitted(self, "model_")  # a fit that diverged has set other attributes
        with np.errstate(all="ignore"):  # overflow is checked for by ``_check``
            rows = self.preprocessing_.transform(validate_data(self, X, dtype=np.float64, reset=False))
            blocks = blocks_of_rows(len(rows))
            return np.concatenate([self.model_.predict_logits(rows[block]) for block in blocks])

    def _task_of(self, targets: NDArray[Any]) -> type[Task]:  # noqa: ARG002 (where it depends on them)
        """Return what is learned of these targets."""
        return self.of_task

    def _check(self, lost: NDArray[np.bool_]) -> None:
        """Raise ``InputError`` for the rows (N,) whose numbers overflow."""
        check_answered(lost, SOURCE, self.of_task.answer)

    def _seed(self) -> int:
        random = check_random_state(self.random_state)  # raises if it is not a seed
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(random.randint(np.iinfo(np.int32).max))

    def _config(self, seed: int, targets: NDArray[Any]) -> TrainConfig:
        """Return the recipe of the run that does the same; raise ``InputError`` if a parameter is wrong."""
        own, task = self._own_config(targets), self._task_of(targets)
        container = {
            VERSION_KEY: RECIPE_VERSION,
            "data": {
                "name": NpzArrays.name,  # the source that is an array of features and one of labels
                "path": SOURCE,
                "seed": seed,
                "validation_fraction": self.validation_fraction if self.early_stopping else 0.0,
                "test_fraction": 0.0,
                "standardize": self.standardize,
                **own.pop("data", {}),
            },
            "model": {
                "hidden_size": self.hidden_size,
                "activation": self.activation,
                "batch_norm": self.batch_norm,
                "output_batch_norm": self.output_batch_norm,
                "initializer": self.initializer,
                "initial_scale": self.initial_scale,
                **own.pop("model", {}),
            },
            "optimizer": values_of("optimizer", self),
            "schedule": values_of("schedule", self),
            "training": {
                "num_epochs": self.num_epochs,
                "batch_size": self.batch_size,
                "dtype": self.dtype,
                **(callbacks := values_of_callbacks(self)),
                "metrics": [*task.metrics, *_watched(callbacks)],
                "diagnostics": False,
                **own.pop("training", {}),
            },
            "tracking": {"name": "disabled"},
            "seed": seed,
            "task": task.name,
            **own,
        }
        return parse_train_config(_plain(container))

    def _fitted_to(self, config: TrainConfig, rows: int, weights: FloatArray | None) -> TrainConfig:
        """Return the recipe with batch size and weight decay adapted to the rows trained on."""
        batch_size = min(config.training.batch_size or rows, rows)
        if config.model.batch_norm:
            steps = -(-rows // batch_size)
            batch_size = -(-rows // steps)
        training = replace(config.training, batch_size=batch_size)
        optimizer = config.optimizer
        if self.weight_decay is None and not config.model.batch_norm and optimizer.name in _WEIGHT_DECAY:
            total = rows if weights is None else float(weights.sum())
            decay: dict[str, Any] = {"weight_decay": _WEIGHT_DECAY[optimizer.name] / total}
            optimizer = replace(optimizer, **decay)
        return replace(config, training=training, optimizer=optimizer)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the network as arrays: a copied network would lose its shared buffers."""
        state = {**super().__getstate__()}
        if "model_" in state:
            kind = {
                "activation": self.model_.activation,
                "normalization": self.model_.normalization,
                "output_batch_norm": self.model_.output_batch_norm,
            }
            state["model_"] = {"state": self.model_.state(), **kind}
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        earlier = {**dict.fromkeys(self.derived), "schedule": "constant", "output_batch_norm": True}
        earlier |= self.earlier
        super().__setstate__({**earlier, **state})
        if "model_" in state:
            self.model_ = MLP.from_state(**state["model_"])


def names_of_columns(y: ArrayLike, count: int) -> tuple[str, ...]:
    """Return the names of the columns of a target: those of a data frame, else ``y0``, ``y1`` and so on."""
    given = getattr(y, "columns", None)
    called = tuple(map(str, given)) if given is not None else ()
    if len(set(called)) < count:
        return tuple(f"y{place}" for place in range(count)) if count > 1 else ("y",)
    return called


def _train(
    config: TrainConfig, data: PreparedData, watch: Watch | None
) -> tuple[list[EpochRecord], Departure]:
    """Train; return the record of each epoch, and the network with how its training ended."""
    streams, task = RandomStreams.spawn(config.seed), task_to_learn(config, data)
    model = build_model([config.model], data, config.training.dtype, [streams.weights], task)
    plan = build_plan([config], len(data.training), task)
    training = Training(
        model,
        build_optimizer([config.optimizer], model),
        plan,
        data.training,
        data.validation,
        [streams.shuffling],
        callbacks=build_callbacks([config], model, plan),
        classes=learned_classes([config], [data]),
    )
    records, departures = [], []
    with threadpool_limits(limits=1):  # as in runs: sums then do not depend on the number of processors
        for event in training.run():
            if isinstance(event, Departure):
                departures.append(event)
            elif isinstance(event, EpochRecord):
                records.append(event)
                if watch:
                    watch.epoch_ended(0, event.epoch, _values(event))
    (departure,) = departures
    return records, departure


def _values(record: EpochRecord) -> dict[str, float]:
    return {name: float(value) for name, (value,) in record.metrics.items()}


def _warn_of_validation(records: Sequence[EpochRecord], kind: str) -> None:
    """Warn if the validation loss was not finite, so that early stopping could not use it."""
    losses = np.array([record.metrics["val/loss"][0] for record in records if "val/loss" in record.metrics])
    if wrong := np.count_nonzero(~np.isfinite(losses)):
        kept = "the last weights are kept" if wrong == len(losses) else "the best of the others are kept"
        warnings.warn(
            f"{kind}: the validation loss is not finite after {wrong} of {len(losses)} epochs, "
            f"because rows of the validation part overflow; {kept}",
            ConvergenceWarning,
            stacklevel=3,
        )


def _plain(value: Any) -> Any:
    """Return nested values with NumPy's numbers and arrays, as grids often contain, as Python's."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _watched(callbacks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the metric that early stopping watches, which has to be measured."""
    metric = callbacks["early_stopping"].get("metric")
    part, _, name = metric.partition("/") if isinstance(metric, str) else ("", "", "")
    return [name_of_entry(name)] if part == "val" and names_a_value(name) else []


def _in_our_names(message: str) -> str:
    """Return an error line of runs with the estimator's names: ``batch_size`` for ``training.batch_size``."""
    message = re.sub(r"\b(optimizer|schedule)\.name", r"\1", message)
    message = message.replace("training.class_weights", "class_weight")
    message = with_arguments(message).replace(f"data.name={SOURCE}", SOURCE)
    return re.sub(r"\b(data|model|training|early_stopping)\.(?=[a-z])", "", message)
