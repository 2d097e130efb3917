"""The classifier is one of scikit-learn's, and a fit of it is a run."""

import copy
import dataclasses
import inspect
import json
import os
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.utils import estimator_checks

import micrograde as mg
from micrograde.api.estimator import MLPClassifier
from micrograde.api.estimator_arguments import DERIVED
from micrograde.config.choices import one_of
from micrograde.config.parsing import parse_train_config
from micrograde.config.recipe_versions import VERSION_KEY, dataclass_members, names_of_choice
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.metrics import METRICS
from micrograde.nn import ACTIVATIONS
from micrograde.runs.train import train_and_record
from micrograde.store.metric_names import by_plain_name

CHECKS = """
import json, sys
from sklearn.utils.estimator_checks import check_estimator
from micrograde.api.estimator import MLPClassifier
checks = check_estimator(MLPClassifier(**json.loads(sys.argv[1])), on_skip=None, on_fail=None)
print(json.dumps([[each["check_name"], each["status"], repr(each["exception"])] for each in checks]))
"""


_OF_NO_METHOD = "check_classifiers_multilabel_output_format_decision_function"
"""The check of a method that scikit-learn's own MLPClassifier has not, either: it skips itself."""


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


def quick(**parameters):
    return MLPClassifier(**{"hidden_size": 8, "num_epochs": 5, "random_state": 0, **parameters})


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        pytest.param({"batch_norm": True, "batch_size": 7}, marks=pytest.mark.matrix),
        {"optimizer": "adam", "dtype": "float64", "hidden_size": [16, 8], "activation": "relu"},
        pytest.param({"standardize": False, "batch_size": None, "num_epochs": 200}, marks=pytest.mark.matrix),
        pytest.param({"output": "sigmoid", "num_epochs": 20}, marks=pytest.mark.matrix),
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
    assert [each for each in checks if each[1] != "passed" and each[0] != _OF_NO_METHOD] == []


def run_of(name, **changes):
    """The history of the recorded run's like: no test part, one seed."""
    model = {"hidden_size": 8, **changes.pop("model", {})}
    data = {
        "name": name,
        "seed": 3,
        "test_fraction": 0.0,
        "validation_fraction": 0.0,
        **changes.pop("data", {}),
    }
    config = parse_train_config(
        {
            VERSION_KEY: RECIPE_VERSION,
            "data": data,
            "model": model,
            "optimizer": {"name": "sgd", **changes.pop("optimizer", {})},
            "schedule": {"name": "constant", **changes.pop("schedule", {})},
            "training": {"num_epochs": 5, "diagnostics": False, **changes},
            "tracking": {"name": "disabled"},
            "seed": 3,
        }
    )
    (result,) = train_and_record([config])
    assert result.status == "FINISHED"
    return by_plain_name(result.history)


def test_a_fit_has_the_numbers_of_the_run_with_the_same_recipe(wine):
    fitted = quick(batch_norm=True, batch_size=30, random_state=3).fit(*wine)
    assert fitted.history_.to_dict("list") == run_of("wine", batch_size=30)
    fitted = quick(random_state=3, optimizer="adam").fit(*wine)
    history = run_of("wine", optimizer={"name": "adam", "weight_decay": 2 / 178}, model={"batch_norm": False})
    assert fitted.history_.to_dict("list") == history


def test_stopping_early_a_fit_has_the_numbers_of_the_run_with_the_same_recipe():
    features, labels = load_breast_cancer(return_X_y=True)
    stopping = {"early_stopping": True, "validation_fraction": 0.2, "patience": 3, "num_epochs": 100}
    fitted = quick(random_state=3, optimizer="adam", weight_decay=0.0, learning_rate=0.03, **stopping)
    fitted.fit(features, labels)
    history = run_of(
        "breast_cancer",
        data={"validation_fraction": 0.2},
        model={"batch_norm": False},
        optimizer={"name": "adam", "learning_rate": 0.03},
        num_epochs=100,
        early_stopping={"enabled": True, "patience": 3},
    )
    assert fitted.history_.to_dict("list") == history
    losses = fitted.history_["val/loss"]
    assert fitted.n_iter_ == len(losses) < 100
    assert losses.idxmin() == fitted.n_iter_ - 3


def test_batches_of_batch_norm_are_even_and_one_row_joins_the_batch_before(wine):
    features, labels = wine  # 178 rows: 5 batches of 32 and one of 18, or 6 of 30 but for the last with 28
    fitted = quick(batch_norm=True, random_state=3).fit(features, labels)
    assert fitted.history_.to_dict("list") == run_of("wine", batch_size=30)
    fitted = quick(batch_norm=True, batch_size=3, random_state=3).fit(features, labels)
    assert fitted.history_.to_dict("list") == run_of("wine", batch_size=3)
    with pytest.raises(InputError, match=r"^batch_size=1: .* or batch_norm=false$"):
        quick(batch_norm=True, batch_size=1).fit(features, labels)
    assert quick(batch_size=1, num_epochs=1).fit(features, labels).n_iter_ == 1
    assert quick(batch_norm=True, batch_size=10**6).fit(features, labels).n_iter_ == 5


def test_the_same_seed_gives_the_same_numbers_and_another_others(wine):
    first, again, other = (quick(random_state=seed).fit(*wine) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first.history_, again.history_)
    assert np.array_equal(first.predict_proba(wine[0]), again.predict_proba(wine[0]))
    assert not np.array_equal(first.predict_proba(wine[0]), other.predict_proba(wine[0]))
    drawn = quick(random_state=None).fit(*wine)
    again = quick(random_state=drawn.seed_).fit(*wine)
    pd.testing.assert_frame_equal(drawn.history_, again.history_)
    assert drawn.seed_ != quick(random_state=None).fit(*wine).seed_
    of_state = [quick(random_state=np.random.RandomState(5)).fit(*wine).seed_ for _ in range(2)]
    assert of_state[0] == of_state[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_are_of_each_class_and_sum_to_1(digits, dtype):
    features, labels = digits
    fitted = quick(dtype=dtype).fit(features, labels)
    probabilities = fitted.predict_proba(features)
    assert probabilities.shape == (1797, 10)
    assert probabilities.dtype == dtype
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert np.array_equal(fitted.classes_[probabilities.argmax(axis=1)], fitted.predict(features))


@pytest.mark.parametrize(
    "names",
    [["a", "b", "c"], [30, 10, 20], [2.0, 1.0, 0.0], np.array(["x", "yy", "zzz"]), pd.Index(["k", "l", "m"])],
)
def test_labels_may_be_of_any_kind(wine, names):
    features, numbers = wine
    labels = np.asarray(names)[numbers]
    fitted = quick(num_epochs=20).fit(features, labels)
    assert fitted.classes_.tolist() == sorted(names)
    assert set(fitted.predict(features)) == set(names)
    assert fitted.score(features, labels) > 0.95
    two = quick(num_epochs=20).fit(features, numbers == 1)
    assert two.predict(features).dtype == bool


def test_the_names_of_a_data_frame_are_kept_and_looked_at(wine):
    features, labels = wine
    fitted = quick().fit(features, labels)
    assert fitted.feature_names_in_.tolist() == list(features)
    assert fitted.preprocessing_.feature_names == tuple(features)
    assert fitted.n_features_in_ == 13
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(features[features.columns[::-1]])
    assert not hasattr(quick().fit(features.to_numpy(), labels), "feature_names_in_")


def test_the_history_has_a_row_for_each_epoch_and_the_network_is_there(wine):
    fitted = quick(hidden_size=(6, 5)).fit(*wine)
    assert fitted.history_.index.tolist() == [1, 2, 3, 4, 5]
    assert fitted.history_.index.name == "epoch"
    assert {"train/loss", "train/accuracy", "gradient_norm/total"} <= set(fitted.history_)
    assert "val/loss" not in fitted.history_
    assert fitted.history_["train/loss"].iloc[-1] < fitted.history_["train/loss"].iloc[0]
    assert fitted.model_.sizes == (13, 6, 5, 3)
    logits = fitted.model_.predict_logits(fitted.preprocessing_.transform(wine[0].to_numpy()))
    assert np.array_equal(logits.argmax(axis=1), fitted.predict(wine[0]))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])  # noqa: S301
def test_a_copy_predicts_the_same_and_its_network_is_whole(wine, how, batch_norm):
    features, labels = wine
    fitted = quick(batch_norm=batch_norm).fit(features, labels)
    copied = how(fitted)
    assert np.array_equal(copied.predict_proba(features), fitted.predict_proba(features))
    copied.model_.parameters[:] = 0.0  # one buffer, which the layers look into
    assert not copied.model_.layer1.weights.any()
    assert fitted.model_.layer1.weights.any()
    assert not hasattr(clone(fitted), "model_")
    assert quick().__getstate__() == quick().get_params()


def test_a_grid_is_searched_in_a_pipeline_with_columns_of_several_kinds(wine):
    features, labels = wine
    columns: ColumnTransformer = make_column_transformer(
        (
            make_pipeline(KBinsDiscretizer(3, encode="ordinal"), OneHotEncoder(sparse_output=False)),
            ["hue", "ash"],
        ),
        (StandardScaler(), ["proline", "alcohol"]),
    )
    search = GridSearchCV(
        make_pipeline(columns, quick()),
        {
            "mlpclassifier__hidden_size": [np.int64(4), (8, 4)],
            "mlpclassifier__learning_rate": np.logspace(-1, 0, 2),
            "mlpclassifier__batch_norm": np.array([False, True]),
        },
        cv=3,
        error_score="raise",
    )
    search.fit(features, np.array(["barolo", "grignolino", "barbera"])[labels])
    assert search.best_score_ > 0.85
    assert search.best_estimator_["mlpclassifier"].n_features_in_ == 8
    assert set(search.predict(features)) == {"barolo", "grignolino", "barbera"}


@pytest.mark.slow
def test_a_search_in_several_processes_finds_the_same(wine):
    grid, scores = {"learning_rate": [0.01, 0.1]}, []
    for jobs in (1, 2):
        scores.append(
            GridSearchCV(quick(), grid, cv=3, n_jobs=jobs).fit(*wine).cv_results_["mean_test_score"]
        )
    assert np.array_equal(*scores)


def test_a_fit_that_diverges_says_so_and_costs_a_search_that_score_alone(wine):
    features, labels = wine
    hot = quick(learning_rate=1e38)
    with pytest.raises(
        RunFailedError, match=r"^MLPClassifier diverged: the loss is .* lower the learning rate$"
    ):
        hot.fit(features, labels)
    with pytest.raises(NotFittedError):
        hot.predict(features)
    search = GridSearchCV(quick(), {"learning_rate": [1e38, 0.1]}, cv=2)
    with pytest.warns(FitFailedWarning, match="fits failed"), pytest.warns(UserWarning, match="non-finite"):
        search.fit(features, labels)
    assert search.best_params_ == {"learning_rate": 0.1}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_size": (4, 0)}, "hidden_size[1]=0: should be greater than or equal to 1"),
        ({"activation": "swish"}, f"activation=swish: should be {one_of(ACTIVATIONS)}"),
        ({"schedule": "step", "step_epochs": 0}, "step_epochs=0: should be greater than or equal to 1"),
        ({"optimizer": "adam", "beta1": 1.5}, "beta1=1.5: should be less than 1"),
        ({"optimizer": "lbfgs"}, "optimizer=lbfgs: must be one of 'adam', 'adamw', 'rmsprop', 'sgd'"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0: should be greater than 0"),
        ({"clip_norm": 0.0}, "clip_norm=0.0: should be greater than 0"),
        ({"early_stopping_metric": "val/f2"},
         "early_stopping_metric=val/f2: should be " + one_of(dict.fromkeys(
             ["val/loss", *(f"val/{name}{'/<class>' * METRICS[name].per_class}" for name in METRICS)]))),
        ({"num_epochs": 0, "patience": 0}, "num_epochs=0: should be greater than or equal to 1\n"
                                           "patience=0: should be greater than or equal to 1"),
        ({"nesterov": True}, "nesterov=true: needs momentum, but momentum=0; set it to 0.9, say"),
        ({"early_stopping": True, "validation_fraction": 0},
         "early_stopping=true: needs a validation part, but validation_fraction=0; set it to 0.1, say"),
        ({"early_stopping": True, "validation_fraction": 0.001},
         "validation_fraction=0.001: is less than one of the 178 rows; raise it to 0.01, or set it to 0"),
        ({"early_stopping": True, "validation_fraction": 0.01},
         "validation_fraction=0.01: is 2 of 178 rows, fewer than the 3 classes that stratify=true puts into "
         "each part; set validation_fraction=0.02, or stratify=false"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_as_it_was_given(wine, parameters, message):
    with pytest.raises(InputError) as raised:
        quick(**parameters).fit(*wine)
    assert str(raised.value) == message


def test_rows_of_one_class_are_refused(wine):
    features, labels = wine
    with pytest.raises(ValueError, match=r"^y: holds 1 class, .*; MLPClassifier needs two or more$"):
        quick().fit(features, labels * 0)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_the_defaults_learn_real_data(load):
    features, labels = load(return_X_y=True)
    assert cross_val_score(MLPClassifier(num_epochs=20, random_state=0), features, labels, cv=3).mean() > 0.9


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # all epochs are asked for
@pytest.mark.parametrize("name", ["digits", "wine", "breast_cancer"])
def test_test_accuracy_is_not_below_that_of_scikit_learns_classifier(name):
    from benchmarks.estimator import DATA, peer

    features, labels = DATA[name](return_X_y=True)
    ours, theirs, rows = 0.0, 0.0, 0
    for seed in range(5):
        train, test, train_labels, test_labels = train_test_split(
            features, labels, test_size=0.2, stratify=labels, random_state=seed
        )
        classifier, rows = MLPClassifier(random_state=seed), len(test)
        ours += classifier.fit(train, train_labels).score(test, test_labels)
        theirs += peer(classifier).fit(train, train_labels).score(test, test_labels)
    # Another machine's rounding may turn one of the rows that lie on a border.
    assert ours >= theirs - 1.5 / rows


def test_early_stopping_that_has_nothing_to_go_by_says_so_and_keeps_the_last_weights():
    features, labels = load_iris(return_X_y=True)
    features, labels = np.r_[features, [[-1e100, 1, 1, 1]]], np.r_[labels, 0]
    told = 0
    for seed in range(6):  # until the row is in the validation part
        stopping = {"early_stopping": True, "patience": 3, "validation_fraction": 0.4}
        fitted = quick(activation="relu", num_epochs=20, random_state=seed, **stopping)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted.fit(features, labels)
        if fitted.history_["val/loss"].notna().all():  # it was trained on
            assert not caught
            continue
        (warning,) = caught
        told += 1
        assert warning.category is ConvergenceWarning
        assert "not finite after 3 of 3 epochs" in str(warning.message)
        assert "the last weights are kept" in str(warning.message)
        assert fitted.score(features[:-1], labels[:-1]) > 0.5
    assert told


def test_rows_that_overflow_are_refused_by_their_numbers():
    features, labels = load_iris(return_X_y=True)
    fitted = quick(activation="relu").fit(features, labels)
    features[[60, 120]] *= 1e40
    for method in (fitted.predict, fitted.predict_proba):
        with pytest.raises(
            ValueError, match=r"^X: rows 61 and 121 have no probabilities: the network's numbers overflow$"
        ):
            method(features)
    assert fitted.predict(features[:60]).shape == (60,)


def test_every_hyperparameter_of_every_optimizer_and_schedule_is_an_argument():
    arguments = inspect.signature(MLPClassifier).parameters
    assert set(MLPClassifier().get_params()) == set(arguments)
    documented = MLPClassifier.__doc__ or ""
    for group in ("optimizer", "schedule"):
        (annotation,) = (each.type for each in dataclasses.fields(TrainConfig) if each.name == group)
        for entry in dataclass_members(annotation):
            for field in dataclasses.fields(entry):
                assert field.name == "name" or {field.name, f"{group}_{field.name}"} & set(arguments)
            for name in names_of_choice(entry):
                assert f'"{name}"' in documented
    assert all(
        f"{name} :" in documented or f"{name}, " in documented or f", {name}" in documented
        for name in arguments
    )


def test_derived_arguments_give_the_numbers_of_the_run_with_the_same_recipe(wine):
    fitted = quick(random_state=3, optimizer="adam", beta1=0.5, epsilon=1e-6, weight_decay=0.0).fit(*wine)
    changed = {"name": "adam", "beta1": 0.5, "epsilon": 1e-6}
    assert fitted.history_.to_dict("list") == run_of("wine", optimizer=changed, model={"batch_norm": False})
    fitted = quick(random_state=3, schedule="cosine", final_fraction=0.5, batch_norm=True, batch_size=30)
    assert fitted.fit(*wine).history_.to_dict("list") == run_of(
        "wine", schedule={"name": "cosine", "final_fraction": 0.5}, batch_size=30
    )
    assert clone(fitted).get_params() == fitted.get_params()
    fitted = quick(random_state=3, optimizer="sgd", weight_decay=0.0, clip_norm=0.1, clip_value=0.05)
    clipped = run_of("wine", clip={"norm": 0.1, "value": 0.05}, model={"batch_norm": False})
    assert fitted.fit(*wine).history_.to_dict("list") == clipped


def test_what_early_stopping_watches_is_measured(wine):
    fitted = quick(
        early_stopping=True, early_stopping_metric="val/error_rate", validation_fraction=0.2, patience=1
    )
    history = fitted.fit(*wine).history_
    assert np.allclose(history["val/error_rate"], 1 - history["val/accuracy"])


def test_an_argument_that_there_is_not_is_refused_as_python_says_it():
    with pytest.raises(
        TypeError, match=r"^MLPClassifier.__init__\(\) got an unexpected keyword argument 'beta3'$"
    ):
        MLPClassifier(beta3=0.9)
    assert MLPClassifier((8, 4)).hidden_size == (8, 4)


def test_a_pickle_from_before_the_derived_arguments_is_read(wine):
    fitted = quick(random_state=3).fit(*wine)
    state = fitted.__getstate__()
    earlier = {key: value for key, value in state.items() if key not in (*DERIVED, "schedule")}
    read = MLPClassifier.__new__(MLPClassifier)
    read.__setstate__(earlier)
    assert read.get_params() == fitted.get_params()
    assert np.array_equal(read.predict(wine[0]), fitted.predict(wine[0]))


FULL_BATCH: dict[str, Any] = {"batch_size": None, "dtype": "float64", "num_epochs": 30}


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
@pytest.mark.parametrize("parameters", [{}, {"class_weight": "balanced", "label_smoothing": 0.1}], ids=str)
def test_scikit_learns_checks_of_weights_pass_for_full_batches_in_float64(check, parameters):
    # It checks its own MLPClassifier likewise: with the solver that knows no batches.
    getattr(estimator_checks, check)("MLPClassifier", MLPClassifier(**FULL_BATCH, **parameters))


@pytest.mark.parametrize("parameters", [{}, {"batch_norm": True, "early_stopping": True}], ids=str)
def test_class_weights_pass_scikit_learns_check(parameters):
    estimator_checks.check_class_weight_classifiers("MLPClassifier", MLPClassifier(**parameters))


def test_a_fit_with_weights_is_the_run_with_the_same_recipe_and_routes():
    features, labels = load_iris(return_X_y=True, as_frame=True)
    names, weights = labels.map(lambda label: f"iris {label}"), np.linspace(0.5, 2, len(labels))
    chosen: dict[str, Any] = {
        "class_weight": {"iris 1": 3},
        "label_smoothing": 0.1,
        "weight_decay": 0.0,
        "random_state": 3,
    }
    fitted = quick(**chosen).fit(features, names, sample_weight=weights)
    run = mg.run(
        features.assign(kind=names, w=weights), "tracking=disabled", "data.validation_fraction=0",
        "data.test_fraction=0", "seed=3", "data.seed=3", "training.early_stopping.enabled=false",
        "training.num_epochs=5", "training.diagnostics=false", target="kind", weight="w", hidden_size=8,
        class_weight={"iris 1": 3}, label_smoothing=0.1, batch_norm=False, weight_decay=0.0,
    )  # fmt: skip
    assert fitted.history_["train/loss"].tolist() == run.history["train/loss"].tolist()
    plain = quick(random_state=3, weight_decay=0.0).fit(features, names)
    assert plain.history_["train/loss"].tolist() != fitted.history_["train/loss"].tolist()
    piped = make_pipeline(StandardScaler(), quick(**chosen))
    piped.fit(features, names, mlpclassifier__sample_weight=weights)
    np.testing.assert_allclose(piped[-1].history_["train/loss"], fitted.history_["train/loss"], rtol=0.05)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = quick(**chosen).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(routed, {"hidden_size": [8]}, cv=2).fit(features, names, sample_weight=weights)
    best, expected = search.best_estimator_, fitted
    assert best.history_["train/loss"].tolist() == expected.history_["train/loss"].tolist()
    by_column = mg.fit(
        features.assign(kind=names, w=weights), target="kind", sample_weight="w", **FIT, **chosen
    )
    assert by_column.history_["train/loss"].tolist() == fitted.history_["train/loss"].tolist()


FIT: dict[str, Any] = {"hidden_size": 8, "num_epochs": 5}


@pytest.mark.parametrize(
    ("parameters", "weights", "error", "said"),
    [
        (
            {"class_weight": {7: 2}},
            None,
            InputError,
            r"^class_weight: there is no class '7'; the classes are",
        ),
        ({"class_weight": "even"}, None, InputError, r"^class_weight=even: should be null, balanced"),
        ({"class_weight": {0: -2}}, None, InputError, r"^class_weight=.*: the weight of '0' should be"),
        ({"label_smoothing": 1.0}, None, InputError, r"^label_smoothing=1.0: should be less than 1"),
        ({}, np.zeros(178), ValueError, "every row weighs 0|at least one non-zero"),
        ({}, np.full(178, -1.0), ValueError, "[Nn]egative"),
        ({}, np.ones(3), ValueError, "sample_weight.shape"),
    ],
)
def test_weights_that_are_wrong_are_refused_in_one_line(wine, parameters, weights, error, said):
    with pytest.raises(error, match=said):
        quick(**parameters).fit(*wine, sample_weight=weights)
    with pytest.raises(TypeError, match="unexpected keyword argument 'weight'"):
        quick().fit(*wine, weight=np.ones(178))


def test_two_classes_by_one_logit_are_those_of_a_run(wine):
    features, classes = wine
    two = (classes < 2).to_numpy()
    features, names = features[two], np.array(["a", "b"])[classes[two]]
    fitted = quick(output="sigmoid").fit(features, names)
    assert (fitted.n_outputs_, fitted.model_.sizes[-1], fitted.classes_.tolist()) == (1, 1, ["a", "b"])
    shares = fitted.predict_proba(features)
    assert shares.shape == (len(features), 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert (fitted.predict(features) == np.where(shares[:, 1] > 0.5, "b", "a")).all()
    assert fitted.score(features, names) > 0.9
    np.testing.assert_array_equal(copy.deepcopy(fitted).predict_proba(features), shares)
    with pytest.raises(ValueError, match=r'output="sigmoid" is for two classes, and y holds 3'):
        quick(output="sigmoid").fit(*wine)


def test_several_labels_are_learned_as_scikit_learns_own_does_it(wine):
    features, classes = wine
    labels = np.stack([classes == 0, classes != 1, features["ash"] > 2.3], axis=1).astype(int)
    fitted = quick(num_epochs=60).fit(features, labels)
    theirs = SklearnMLP(8, max_iter=20, random_state=0).fit(features, labels)
    assert fitted.classes_.tolist() == theirs.classes_.tolist()
    assert fitted.n_outputs_ == theirs.n_outputs_
    shares, said = fitted.predict_proba(features), fitted.predict(features)
    assert shares.shape == theirs.predict_proba(features).shape
    assert said.shape == theirs.predict(features).shape
    assert (said == (shares > 0.5)).all()
    assert fitted.score(features, labels) == (said == labels).all(axis=1).mean() > 0.8
    assert "train/hamming_loss" in fitted.history_
    named = pd.DataFrame(labels, columns=["one", "two", "three"])
    assert quick().fit(features, named).preprocessing_.target_names == ("one", "two", "three")
    sparse = quick(num_epochs=60).fit(features, csr_matrix(labels))
    np.testing.assert_array_equal(sparse.predict_proba(features), shares)
    np.testing.assert_array_equal(copy.deepcopy(fitted).predict_proba(features), shares)
    weights = np.repeat([0.0, 1.0], [20, len(features) - 20])
    of_weights = quick().fit(features, labels, sample_weight=weights)
    of_rows = quick().fit(features[20:], labels[20:])
    shares_of_both = of_weights.predict_proba(features), of_rows.predict_proba(features)
    np.testing.assert_allclose(*shares_of_both, rtol=1e-4)
    assert cross_val_score(quick(), features, labels, cv=2).shape == (2,)
    for wrong, line in (
        (labels + 1, "then have to hold 0 and 1 alone"),
        (labels * 0, "every row has the target '0', '0', '0'; multilabel needs two different ones"),
    ):
        with pytest.raises(ValueError, match=line):
            quick().fit(features, wrong)
    for parameters, line in (
        ({"output": "sigmoid"}, "output=sigmoid: is for two classes; of several labels each has a logit"),
        ({"class_weight": "balanced"}, "class_weight: the data have no classes"),
        ({"output": "tanh"}, "output"),
    ):
        with pytest.raises(ValueError, match=line):
            quick(**parameters).fit(features, labels)
