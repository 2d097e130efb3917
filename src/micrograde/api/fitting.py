"""``mg.fit``: the estimator, fitted to data in one call."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from micrograde.api.estimator import MLPClassifier
from micrograde.api.given_data import names_of
from micrograde.api.keywords import nearest
from micrograde.api.regressor import MLPRegressor
from micrograde.config.choices import one_of
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.interrupts import interrupt_in_one_line
from micrograde.core.notebook import in_notebook
from micrograde.core.terminal import say
from micrograde.data.frames import SOURCE, is_data, table_with_labels, table_with_target
from micrograde.data.messages import counted, listed, quoted
from micrograde.data.roles.truth import SPELLINGS
from micrograde.data.targets import MOST_WHOLE_NUMBERS
from micrograde.runs.progress import watch_epochs
from micrograde.tasks.classification import Classification
from micrograde.tasks.multilabel import Multilabel
from micrograde.tasks.regression import Regression

if TYPE_CHECKING:
    import pandas

Estimator: TypeAlias = MLPClassifier | MLPRegressor
_ESTIMATORS: Mapping[str, type[Estimator]] = {
    Classification.name: MLPClassifier,
    Regression.name: MLPRegressor,
    Multilabel.name: MLPClassifier,
}


def fit(
    X: Any,
    y: Any = None,
    *,
    target: str | Sequence[str] | None = None,
    sample_weight: Any = None,
    task: str | None = None,
    **parameters: Any,
) -> Estimator:
    """Return an ``MLPClassifier`` that is fitted to data, or for numbers an ``MLPRegressor``.

    Nothing is recorded. In a notebook a bar and the learning curves are shown while it trains, and stay.

    >>> mg.fit(X, y, hidden_size=[32, 32]).predict(X)
    >>> mg.fit(frame, target="species", learning_rate=0.1)

    Parameters
    ----------
    X, y
        Features (N, D), which are numbers, and what is to be learned of N rows; or a table alone, of whose
        columns ``target`` holds it. Data may be of any kind that ``mg.run`` takes.
    target
        The column of the table with what is to be learned, classes or numbers; or a list of several columns
        of numbers, or of yes and no.
    sample_weight
        What each row counts, (N,), or the name of the table's column that says it, which is then no feature.
    task
        ``"classification"``, ``"regression"`` or ``"multilabel"``; None to decide it by the target as
        ``mg.run`` does: numbers with fractions, or more than 20 whole ones, are predicted as numbers, and
        several columns that all hold yes and no, or 1 and 0, are labels; a line says so.
    parameters
        As for the estimator.

    Raises
    ------
    InputError
        If the data or a parameter is wrong.
    RunFailedError
        If training diverged.
    """
    if task not in (None, *_ESTIMATORS):
        raise InputError(f"task={task}: should be {one_of(_ESTIMATORS)}")
    every = {name: default for each in _ESTIMATORS.values() for name, default in each().get_params().items()}
    for name in parameters:
        if name not in every:
            raise InputError(nearest(name, every))
    if not is_data(X):
        raise InputError(f"X: is a value of type {type(X).__name__}; needs features: mg.fit(X, y)")
    if y is not None and target is not None:
        raise InputError(f"target={target}: the labels are given, too; give the column or the labels")
    if y is None and target is None:
        raise InputError("y: is missing; give the labels, mg.fit(X, y), or their column, target=...")
    given = table_with_target(X, *names_of(target, "fit")) if y is None else table_with_labels(X, y)
    table = given.rows.to_pandas()
    if (missing := table.isna().sum()).any():
        raise InputError(
            f"{SOURCE}: missing values in {counted(missing.items())}; the estimator takes none: "
            "leave these rows out, or fill them"
        )
    features = table.drop(columns=list(given.targets))
    if isinstance(sample_weight, str):
        if sample_weight not in features:
            raise InputError(
                f"sample_weight={sample_weight}: there is no such column; the columns are {listed(features)}"
            )
        sample_weight = features.pop(sample_weight)
    if texts := [name for name, kind in features.dtypes.items() if kind.kind not in "biuf"]:
        raise InputError(
            f"{SOURCE}: {listed(texts)} {'holds' if len(texts) == 1 else 'hold'} text, and the estimator "
            "takes numbers; mg.run encodes text by itself, scikit-learn's OneHotEncoder in a pipeline"
        )
    has_names = hasattr(X, "columns") or hasattr(X, "column_names")
    rows, labels = features if has_names else features.to_numpy(), _labels(table, given.targets)
    kind = _ESTIMATORS[_task_of(labels, given.targets, task)]
    estimator = _estimator(kind, parameters)
    with interrupt_in_one_line():
        if in_notebook():
            return _fitted_in_cell(estimator, rows, labels, sample_weight)
        return estimator.fit(rows, labels, sample_weight=sample_weight)


def _labels(table: "pandas.DataFrame", targets: Sequence[str]) -> NDArray[Any]:
    """Return the labels (N,), or of several columns, which have to be numbers, or yes and no, (N, K)."""
    if len(targets) == 1:
        return np.asarray(table[targets[0]].to_numpy())
    truths = {name: _truths(table[name].to_numpy()) for name in targets}
    if all(each is not None for each in truths.values()):
        return np.stack([each for each in truths.values() if each is not None], axis=1)
    for name in targets:
        if table[name].dtype.kind not in "iuf":
            raise InputError(
                f"y: {quoted(name)} holds no numbers; several columns are learned together as numbers, or "
                "where each holds yes and no, or 1 and 0"
            )
    return np.asarray(table[list(targets)].to_numpy(np.float64))


def _truths(values: NDArray[Any]) -> NDArray[np.int64] | None:
    """Return 1 for yes and 0 for no, (N,); None if anything else is there, or one of them alone."""
    found = values
    if values.dtype.kind not in "biuf":
        found = np.array([SPELLINGS.get(str(each).strip().lower(), np.nan) for each in values], np.float64)
    return found.astype(np.int64) if set(np.unique(found).tolist()) == {0, 1} else None


def _task_of(labels: NDArray[Any], names: Sequence[str], task: str | None) -> str:
    """Return what labels (N,) or (N, K) call for, as ``mg.run`` decides it of columns of numbers."""
    if len(names) > 1:
        are_truths = np.isin(labels, (0, 1)).all()
        if task == Classification.name:
            raise InputError("task=classification: needs one label a row; leave it out, or give one column")
        if task == Multilabel.name and not are_truths:
            raise InputError("task=multilabel: needs columns that hold yes and no, or 1 and 0, each")
        if task is None and are_truths:
            say(
                f"{listed(names, limit=5)}: these columns are learned together, each as yes or no; "
                'task="regression" predicts 1 and 0 as numbers',
                sys.stderr,
            )
            return Multilabel.name
        return task or Regression.name
    if task == Multilabel.name:
        raise InputError("task=multilabel: is for several columns of yes and no; leave it out")
    if task is not None:
        return task
    (name,) = names
    if labels.dtype.kind not in "iuf":
        return Classification.name
    values = np.unique(labels)
    if len(values) <= MOST_WHOLE_NUMBERS and (values == np.floor(values)).all():
        return Classification.name
    say(
        f"{name}: holds {len(values)} different numbers, which are predicted as numbers (a regression); "
        'task="classification" makes a class of each',
        sys.stderr,
    )
    return Regression.name


def _estimator(kind: type[Estimator], parameters: Mapping[str, Any]) -> Estimator:
    known = kind().get_params()
    if foreign := [name for name in parameters if name not in known]:
        raise InputError(f"{foreign[0]}: {kind.__name__} has no such argument; leave it out")
    return kind(**parameters)


def _fitted_in_cell(estimator: Estimator, rows: Any, labels: Any, sample_weight: Any) -> Estimator:
    """Fit the estimator, and show its epochs as those of a run are."""
    with watch_epochs("mg.fit", estimator.num_epochs) as watch:
        try:
            estimator._fit(rows, labels, sample_weight, watch)
        except (RunFailedError, KeyboardInterrupt) as error:
            watch.run_ended(0, "FAILED" if isinstance(error, RunFailedError) else "KILLED", {})
            raise
        watch.run_ended(0, "FINISHED", {})
    return estimator
