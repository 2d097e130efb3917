"""The regressor is one of scikit-learn's, and a fit of it is a run."""

import copy
import inspect
import json
import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import micrograde as mg
from micrograde.api.regressor import MLPRegressor
from micrograde.core.errors import InputError, RunFailedError

CHECKS = """
import json, sys
from sklearn.utils.estimator_checks import check_estimator
from micrograde.api.regressor import MLPRegressor
checks = check_estimator(MLPRegressor(**json.loads(sys.argv[1])), on_skip=None, on_fail=None)
print(json.dumps([[each["check_name"], each["status"], repr(each["exception"])] for each in checks]))
"""
FULL_BATCH: dict[str, Any] = {"batch_size": None, "dtype": "float64", "num_epochs": 30}


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True, as_frame=True)


def quick(**parameters):
    return MLPRegressor(**{"hidden_size": 8, "num_epochs": 5, "random_state": 0, **parameters})


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        pytest.param({"batch_norm": True, "batch_size": 7}, marks=pytest.mark.matrix),
        {
            "optimizer": "adam",
            "dtype": "float64",
            "hidden_size": [16, 8],
            "activation": "relu",
            "loss": "mse",
        },
        pytest.param({"loss": "mae", "early_stopping": True}, marks=pytest.mark.matrix),
        pytest.param({"standardize": False, "batch_size": None, "num_epochs": 200}, marks=pytest.mark.matrix),
    ],
    ids=str,
)
def test_every_check_of_scikit_learn_passes_and_none_is_skipped(parameters):
    # One of them is only made where SciPy was imported with this variable.
    done = subprocess.run(
        [sys.executable, "-c", CHECKS, json.dumps(parameters)],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    checks = json.loads(done.stdout.splitlines()[-1])
    assert len(checks) > 50
    assert [each for each in checks if each[1] != "passed"] == []


@pytest.mark.parametrize(
    "check",
    [
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weights_list",
        "check_sample_weights_not_an_array",
        "check_sample_weights_not_overwritten",
        "check_sample_weights_pandas_series",
        "check_sample_weights_shape",
    ],
)
@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_scikit_learns_checks_of_weights_pass_for_full_batches_in_float64(check, loss):
    getattr(estimator_checks, check)("MLPRegressor", MLPRegressor(**FULL_BATCH, loss=loss))


@pytest.mark.parametrize(
    ("parameters", "overrides"),
    [
        ({}, ()),
        ({"loss": "huber", "delta": 0.5}, ("loss=huber", "loss.delta=0.5")),
        ({"loss": "mae"}, ("loss=mae",)),
    ],
)
def test_a_fit_has_the_numbers_of_the_run_with_the_same_recipe(diabetes, parameters, overrides):
    features, targets = diabetes
    fitted = quick(random_state=3, weight_decay=0.0, **parameters).fit(features, targets)
    run = mg.run(
        features.assign(progression=targets), "tracking=disabled", "data.validation_fraction=0",
        "data.test_fraction=0", "seed=3", "data.seed=3", "training.early_stopping.enabled=false",
        "training.num_epochs=5", "training.diagnostics=false", "data.roles={sex:number}", *overrides,
        target="progression", hidden_size=8, batch_norm=False, weight_decay=0.0,
    )  # fmt: skip
    for metric in ("train/loss", "train/rmse"):
        assert fitted.history_[metric].tolist() == run.history[metric].tolist()


def test_predictions_and_the_score_are_in_own_units(diabetes):
    features, targets = diabetes
    fitted = quick(num_epochs=30).fit(features, targets)
    predicted = fitted.predict(features)
    assert predicted.shape == (442,)
    assert predicted.dtype == np.float64
    assert fitted.score(features, targets) == r2_score(targets, predicted) > 0.4
    error = np.sqrt(np.mean((predicted - targets) ** 2))
    assert error == pytest.approx(fitted.history_["train/rmse"].iloc[-1], rel=0.1)
    assert fitted.n_outputs_ == 1
    scaled = quick(num_epochs=30).fit(features, targets * 1024 + 4096)  # exact in float64
    np.testing.assert_allclose(scaled.predict(features), predicted * 1024 + 4096, rtol=1e-6)


def test_several_numbers_keep_their_shape_and_names(diabetes):
    features, targets = diabetes
    several = pd.DataFrame({"progression": targets, "less": -targets})
    fitted = quick().fit(features, several)
    assert fitted.predict(features).shape == (442, 2)
    assert fitted.n_outputs_ == 2
    assert {"train/rmse", "train/rmse/progression", "train/rmse/less"} <= set(fitted.history_)
    assert fitted.score(features, several) == pytest.approx(r2_score(several, fitted.predict(features)))
    assert {"train/rmse/y0", "train/rmse/y1"} <= set(quick().fit(features, several.to_numpy()).history_)
    column = quick().fit(features, several[["progression"]].to_numpy())
    assert column.predict(features).shape == (442, 1)
    assert np.array_equal(column.predict(features)[:, 0], quick().fit(features, targets).predict(features))


@pytest.mark.parametrize("how", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])  # noqa: S301
def test_a_copy_predicts_the_same(diabetes, how):
    fitted = quick(delta=2.0).fit(*diabetes)
    copied = how(fitted)
    assert np.array_equal(copied.predict(diabetes[0]), fitted.predict(diabetes[0]))
    assert copied.delta == 2.0
    assert not hasattr(clone(fitted), "model_")


def test_it_is_searched_in_a_pipeline_and_takes_routed_weights(diabetes):
    features, targets = diabetes
    search = GridSearchCV(
        make_pipeline(StandardScaler(), quick()),
        {"mlpregressor__loss": ["huber", "mae"]},
        cv=2,
        error_score="raise",
    )
    search.fit(features, targets, mlpregressor__sample_weight=np.ones(442))
    assert search.best_estimator_["mlpregressor"].n_features_in_ == 10


def test_the_defaults_learn_real_data(diabetes):
    assert cross_val_score(MLPRegressor(random_state=0), *diabetes, cv=5).mean() > 0.35


def test_its_arguments_are_the_classifiers_but_for_those_of_classes():
    ours, others = (set(inspect.signature(each).parameters) for each in (MLPRegressor, mg.MLPClassifier))
    assert others - ours == {"stratify", "class_weight", "label_smoothing", "output"}
    assert ours - others == {"loss", "delta"}
    documented = MLPRegressor.__doc__ or ""
    assert all(
        f"{name} :" in documented or f"{name}, " in documented or f", {name}" in documented for name in ours
    )
    assert "{" not in documented.replace('{"', "")
    with pytest.raises(
        TypeError, match=r"^MLPRegressor.__init__\(\) got an unexpected keyword argument 'stratify'$"
    ):
        MLPRegressor(stratify=True)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "cross_entropy"}, "loss=cross_entropy: should be 'huber', 'mae' or 'mse'"),
        ({"loss": 7}, "loss=7: should be 'huber', 'mae' or 'mse'"),
        ({"delta": -1.0}, "delta=-1.0: should be greater than 0"),
        ({"early_stopping": True, "early_stopping_metric": "val/accuracy"},
         "early_stopping_metric=val/accuracy: is for classification, and the data are for regression; "
         "choose val/loss or val/mae or val/r2 or val/rmse"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0: should be greater than 0"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_as_it_was_given(diabetes, parameters, message):
    with pytest.raises(InputError) as raised:
        quick(**parameters).fit(*diabetes)
    assert str(raised.value) == message


def test_targets_that_cannot_be_learned_are_refused(diabetes):
    features, targets = diabetes
    with pytest.raises(
        ValueError, match=r"^y: is the same in 442 samples; MLPRegressor needs two different numbers$"
    ):
        quick().fit(features, targets * 0)
    weights = (targets == targets[0]).astype(float)
    with pytest.raises(ValueError, match=r"in the rows whose sample_weight is not 0; MLPRegressor needs"):
        quick().fit(features, targets, sample_weight=weights)
    with pytest.raises(ValueError, match=r"infinity|infinite"):
        quick().fit(features, targets.where(targets.index > 0, np.inf))
    with pytest.raises(RunFailedError, match=r"^MLPRegressor diverged: .*; lower the learning rate$"):
        quick(loss="mse", learning_rate=1e30).fit(features, targets)


def test_rows_that_overflow_are_refused_by_their_numbers(diabetes):
    features = diabetes[0].to_numpy().copy()
    fitted = quick(activation="relu").fit(features, diabetes[1])
    features[[60, 120]] *= 1e42
    with pytest.raises(
        ValueError, match=r"^X: rows 61 and 121 have no prediction: the network's numbers overflow$"
    ):
        fitted.predict(features)


def test_fit_takes_the_regressor_where_numbers_are_to_be_predicted_and_says_so(diabetes, capfd):
    features, targets = diabetes
    fitted = mg.fit(features, targets, num_epochs=2, loss="mae", random_state=0)
    assert isinstance(fitted, MLPRegressor)
    assert capfd.readouterr().err == (
        "target: holds 214 different numbers, which are predicted as numbers (a regression); "
        'task="classification" makes a class of each\n'
    )
    table = features.assign(progression=targets)
    same = mg.fit(table, target="progression", task="regression", num_epochs=2, loss="mae", random_state=0)
    assert capfd.readouterr().err == ""
    assert np.array_equal(same.predict(features), fitted.predict(features))
    assert isinstance(mg.fit(features, targets > 100, num_epochs=1), mg.MLPClassifier)
    assert isinstance(mg.fit(features, (targets > 100) * 1.0, num_epochs=1), mg.MLPClassifier)
    with pytest.raises(InputError, match=r"^stratify: MLPRegressor has no such argument; leave it out$"):
        mg.fit(features, targets, stratify=False, task="regression")
    with pytest.raises(
        InputError, match=r"^task=dreams: should be 'classification', 'regression' or 'multilabel'$"
    ):
        mg.fit(features, targets, task="dreams")
