"""What shuffling each column costs, against scikit-learn and against a table whose columns are shuffled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance

import micrograde.diagnostics.permutation_importance as module
from micrograde.diagnostics import measure_importances
from micrograde.diagnostics.permutation_importance import (
    MOST_COLUMNS,
    REPEATS,
    Estimates,
    why_not_measured,
)
from micrograde.nn import MLP
from micrograde.runs.building import PreparedData, prepare_data
from micrograde.training import Samples, measure


def table(rows=300):
    random = np.random.default_rng(1)
    days = pd.to_timedelta(random.integers(0, 900, rows), unit="D")
    return pd.DataFrame(
        {
            "size": random.normal(size=rows).round(2),
            "colour": random.choice(["red", "green", "blue", "grey"], rows),
            "gap": np.where(random.random(rows) < 0.4, np.nan, random.normal(size=rows).round(2)),
            "when": (pd.Timestamp("2020-01-01") + days).strftime("%Y-%m-%d"),
            "kind": random.choice(["a", "b", "c"], rows),
        }
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    from micrograde.data.sets.tables import CsvTable

    path = tmp_path_factory.mktemp("table") / "table.csv"
    table().to_csv(path, index=False)
    config = CsvTable(path=str(path), target="kind", validation_fraction=0.4)
    return prepare_data(config, "float64")


@pytest.fixture(scope="module")
def model(prepared):
    features = prepared.training.features.shape[1]
    return MLP(features, (16,), 3, initial_scale=2.0, generators=[np.random.default_rng(0)])


def as_it_says(model, samples):
    """The rows with the labels that the network gives them: every column that it uses then costs something."""
    labels = model.predict_logits(samples.features)[0].argmax(axis=1)
    return Samples(samples.features, np.eye(3)[labels], labels)


def over_seeds(model, rows, columns, task, seeds=8):
    """The mean cost of each column over many repeats, and its standard error."""
    found = [
        measure_importances(model, rows, columns, task=task, seed=seed, part="val") for seed in range(seeds)
    ]
    drops = np.array([[each.cost.mean[each.columns.index(name)] for name, _ in columns] for each in found])
    return drops.mean(axis=0), drops.std(axis=0, ddof=1) / np.sqrt(seeds)


class Network(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The network as scikit-learn asks for it."""

    def __init__(self, model):
        self.model = model
        self.classes_ = np.arange(3)

    def fit(self, *_):
        return self

    def predict(self, X):
        return self.model.predict_logits(X)[0].argmax(axis=1)


def test_features_that_are_columns_cost_what_scikit_learn_finds(model, prepared):
    rows = as_it_says(model, prepared.validation)
    columns = [(name, slice(at, at + 1)) for at, name in enumerate(prepared.dataset.feature_names)]
    mean, error = over_seeds(model, rows, columns, prepared.task)
    found = permutation_importance(Network(model), rows.features, rows.labels, n_repeats=40, random_state=3)
    difference = np.hypot(error, found.importances_std / np.sqrt(40))
    assert (np.abs(mean - found.importances_mean) <= 4 * difference).all()
    assert found.importances_mean.max() > 0.1  # so that there is something to compare


def test_all_features_of_a_column_are_shuffled_together(model, prepared):
    rows = as_it_says(model, prepared.validation)
    columns = prepared.preprocessing.columns()
    assert [name for name, _ in columns] == ["size", "colour", "gap", "when"]
    assert [place.stop - place.start for _, place in columns] == [1, 4, 2, 4]
    mean, error = over_seeds(model, rows, columns, prepared.task)
    frame = table().iloc[prepared.rows["val"] - 1].reset_index(drop=True)
    random = np.random.default_rng(5)
    drops: dict[str, Any] = {}
    for name, _ in columns:
        drops[name] = []
        for _ in range(25):
            shuffled = frame.assign(**{name: frame[name].to_numpy()[random.permutation(len(frame))]})
            features = prepared.preprocessing.transform_table(shuffled)
            drops[name].append(1 - (Network(model).predict(features) == rows.labels).mean())
    right = np.array([np.mean(drops[name]) for name, _ in columns])
    difference = np.hypot(error, [np.std(drops[name]) / np.sqrt(25) for name, _ in columns])
    assert (np.abs(mean - right) <= 4 * difference).all()
    assert right.min() > 0.02


def test_a_columns_cost_depends_on_the_seed_and_on_no_other_column(model, prepared):
    rows, columns, task = (
        as_it_says(model, prepared.validation),
        prepared.preprocessing.columns(),
        prepared.task,
    )

    def found(columns, seed):
        each = measure_importances(model, rows, columns, task=task, seed=seed, part="val")
        drops, rises = each.cost, each.loss_rise
        return {name: (drops.mean[at], drops.low[at], rises.mean[at]) for at, name in enumerate(each.columns)}

    assert found(columns, 0) == found(columns, 0) != found(columns, 1)
    assert found(columns[1:2], 0)["colour"] == found(columns, 0)["colour"]


def test_losses_of_rows_with_weights_are_weighted(model, prepared):
    rows = prepared.validation
    weights = np.linspace(0.5, 1.5, len(rows))
    weighted = replace(rows, weights=weights)
    columns = prepared.preprocessing.columns()
    found = measure_importances(model, weighted, columns, task=prepared.task, seed=0, part="val")
    assert found.loss == pytest.approx(measure(model, weighted, [])["loss"][0], rel=1e-12)
    plain = measure_importances(model, rows, columns, task=prepared.task, seed=0, part="val")
    assert found.loss != plain.loss
    assert found.reached == plain.reached


def test_a_column_of_one_value_costs_exactly_nothing(model, prepared):
    rows = as_it_says(model, prepared.validation)
    features = rows.features.copy()
    features[:, 0] = 0.1
    found = measure_importances(
        model,
        as_it_says(model, replace(rows, features=features)),
        prepared.preprocessing.columns(),
        task=prepared.task,
        seed=0,
        part="val",
    )
    assert found.columns[-1] == "size"
    for each in (found.cost, found.loss_rise):
        assert each.mean[-1] == each.low[-1] == each.high[-1] == 0


def test_rows_that_overflow_count_as_wrong(model, prepared):
    features = prepared.validation.features.copy()
    features[0] = np.inf
    rows = replace(prepared.validation, features=features)
    columns = prepared.preprocessing.columns()
    found = measure_importances(model, rows, columns, task=prepared.task, seed=0, part="val")
    assert np.isfinite(found.cost.mean).all()
    assert not np.isfinite(found.loss_rise.mean).any()


def test_the_interval_is_students():
    values = np.random.default_rng(0).normal(size=(3, REPEATS))
    found = Estimates.of_repeats(values)
    error = values.std(axis=1, ddof=1) / np.sqrt(REPEATS)
    low, high = t.interval(0.95, REPEATS - 1, values.mean(axis=1), error)
    np.testing.assert_allclose([found.low, found.high], [low, high], rtol=1e-5)


def test_the_time_is_bounded(model, prepared, monkeypatch):
    assert why_not_measured(model, MOST_COLUMNS) is None
    assert f"{MOST_COLUMNS + 1} columns" in (why_not_measured(model, MOST_COLUMNS + 1) or "")
    large = MLP(50, (2000, 2000), 2, generators=[np.random.default_rng(0)], dtype="float32")
    assert "too long" in (why_not_measured(large, 50) or "")
    monkeypatch.setattr(module, "_BUDGET", 1.0)
    monkeypatch.setattr(module, "_LEAST_ROWS", 30)
    columns = prepared.preprocessing.columns()
    found = measure_importances(model, prepared.validation, columns, task=prepared.task, seed=0, part="val")
    assert (found.rows, found.of_rows) == (30, len(prepared.validation))
