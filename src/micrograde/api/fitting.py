"""``mg.fit``: the estimator, fitted to data in one call."""

from typing import Any

from micrograde.api.estimator import MLPClassifier
from micrograde.api.keywords import nearest
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.interrupts import interrupt_in_one_line
from micrograde.core.notebook import in_notebook
from micrograde.data.frames import SOURCE, is_data, table_with_labels, table_with_target
from micrograde.data.messages import counted, listed
from micrograde.runs.progress import watch_epochs


def fit(
    X: Any,
    y: Any = None,
    *,
    target: str | None = None,
    sample_weight: Any = None,
    **parameters: Any,
) -> MLPClassifier:
    """Return an ``MLPClassifier`` that is fitted to data; nothing is recorded.

    In a notebook a bar and the learning curves are shown while it trains, and stay.

    >>> mg.fit(X, y, hidden_size=[32, 32]).predict(X)
    >>> mg.fit(frame, target="species", learning_rate=0.1)

    Parameters
    ----------
    X, y
        Features (N, D), which are numbers, and N labels; or a table alone, of whose columns ``target`` holds
        the classes. Data may be of any kind that ``mg.run`` takes.
    target
        The column of the table that holds the classes.
    sample_weight
        What each row counts, (N,), or the name of the table's column that says it, which is then no feature.
    parameters
        As for ``MLPClassifier``.

    Raises
    ------
    InputError
        If the data or a parameter is wrong.
    RunFailedError
        If training diverged.
    """
    known = MLPClassifier().get_params()
    for name in parameters:
        if name not in known:
            raise InputError(nearest(name, known))
    if not is_data(X):
        raise InputError(f"X: is a value of type {type(X).__name__}; needs features: mg.fit(X, y)")
    classifier = MLPClassifier(**parameters)
    if y is not None and target is not None:
        raise InputError(f"target={target}: the labels are given, too; give the column or the labels")
    if y is None and target is None:
        raise InputError("y: is missing; give the labels, mg.fit(X, y), or their column, target=...")
    given = table_with_target(X, target) if y is None else table_with_labels(X, y)
    if len(given.targets) > 1:
        raise InputError(f"y: has {len(given.targets)} columns; needs one, with a label a row")
    table = given.rows.to_pandas()
    if (missing := table.isna().sum()).any():
        raise InputError(
            f"{SOURCE}: missing values in {counted(missing.items())}; the estimator takes none: "
            "leave these rows out, or fill them"
        )
    features = table.drop(columns=given.targets[0])
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
    rows, labels = features if has_names else features.to_numpy(), table[given.targets[0]].to_numpy()
    with interrupt_in_one_line():
        if in_notebook():
            return _fitted_in_cell(classifier, rows, labels, sample_weight)
        return classifier.fit(rows, labels, sample_weight=sample_weight)


def _fitted_in_cell(classifier: MLPClassifier, rows: Any, labels: Any, sample_weight: Any) -> MLPClassifier:
    """Fit the classifier, and show its epochs as those of a run are."""
    with watch_epochs("mg.fit", classifier.num_epochs) as watch:
        try:
            classifier._fit(rows, labels, sample_weight, watch)
        except (RunFailedError, KeyboardInterrupt) as error:
            watch.run_ended(0, "FAILED" if isinstance(error, RunFailedError) else "KILLED", {})
            raise
        watch.run_ended(0, "FINISHED", {})
    return classifier
