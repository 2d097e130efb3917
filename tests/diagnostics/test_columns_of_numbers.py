"""What columns do where numbers are predicted: against scikit-learn, in the numbers' own units."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance
from sklearn.metrics import root_mean_squared_error
from tests.drawing.numbers import run_of_numbers
from tests.drawing.reading import curves, outside, says, texts

from micrograde.diagnostics import Estimates, Importances, measure_importances
from micrograde.diagnostics.partial_dependence import Values, partial_dependence
from micrograde.drawing.run.partial_dependence import PartialDependences, draw_dependence_of_numbers
from micrograde.nn import MLP
from micrograde.runs.column_importances import FILE, read_importances, write_importances


def network(inputs=3, targets=1):
    generators = [np.random.default_rng(0)]
    return MLP(
        inputs, (8,), targets, batch_norm=False, output_batch_norm=False, generators=generators, loss="mse"
    )


class Network(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A network as scikit-learn asks for it."""

    def __init__(self, model: Any, task: Any):
        self.model, self.task, self.fitted_ = model, task, True

    def fit(self, *_):
        return self

    def predict(self, x):
        return self.task.predicted(self.model.predict_logits(x)[0])


def run(targets=1):
    random = np.random.default_rng(1)
    features = random.normal(size=(200, 3))
    model = network(targets=targets)
    said = model.predict_logits(features)[0]
    true = 1000.0 * (said + 0.2 * random.normal(size=said.shape)) * 10.0 ** np.arange(targets)
    return run_of_numbers(
        {"train": (true, true, features)}, ("price", "size", "age", "year")[:targets], model=model
    )


def measured(given):
    columns = given.preprocessing.columns()
    return measure_importances(given.model, given.training, columns, task=given.task, seed=0, part="train")


def test_the_rise_of_the_error_is_what_scikit_learn_finds():
    given = run()
    found, task = measured(given), given.task
    features, true = given.training.features, given.training.labels
    said = task.predicted(given.model.predict_logits(features)[0])
    assert (found.metric, found.measure, found.worsens) == ("rmse", "rmse_rise", "rises")
    assert found.reached == pytest.approx(root_mean_squared_error(true, said))
    theirs = permutation_importance(
        Network(given.model, task), features, true, n_repeats=200, random_state=0,
        scoring="neg_root_mean_squared_error",
    )  # fmt: skip
    for place, column in enumerate(found.columns):
        wanted = theirs.importances_mean[int(column[1:])]
        assert found.cost.low[place] * 0.98 < wanted < found.cost.high[place] * 1.02
    assert (np.diff(found.cost.mean) <= 0).all()


def test_of_several_numbers_the_loss_orders_the_columns():
    found = measured(run(targets=3))
    assert (np.diff(found.loss_rise.mean) <= 0).all()


def test_the_file_names_what_rises(tmp_path):
    found = measured(run())
    write_importances(tmp_path, found)
    read = read_importances(tmp_path / FILE)
    assert list(read.columns[:4]) == ["column", "rmse_rise", "rmse_rise_low", "rmse_rise_high"]
    np.testing.assert_array_equal(read["rmse_rise"], found.cost.mean)


def test_dependence_is_the_mean_of_the_predicted_numbers():
    given = run()
    tried = np.array([[-1.0], [0.0], [2.0]])
    values = Values(tried, tried[:, 0])
    found = partial_dependence(given.model, given.training, slice(1, 2), values, task=given.task, column="x1")
    for value, mean in zip(tried[:, 0], found.means[:, 0], strict=True):
        features = given.training.features.copy()
        features[:, 1] = value
        expected = given.task.predicted(given.model.predict_logits(features)[0]).mean()
        assert mean == pytest.approx(expected)
    picture = draw_dependence_of_numbers([found], target_names=("price",), title="a run")
    low, high = found.means.min(), found.means.max()
    assert says(picture, f"the mean predicted 'price' would be between {low:.4g} and {high:.4g}, depending")
    assert outside(picture) == []


def test_each_number_has_a_row_of_dependences_three_at_most():
    given = run(targets=4)
    ones = Estimates(*np.ones((3, 3)))
    places = tuple(slice(number, number + 1) for number in range(3))
    known = Importances("train", 9, 9, "rmse", 1.0, 1.0, ("x0", "x1", "x2"), places, ones, ones)
    object.__setattr__(given, "importances", known)
    picture = PartialDependences().draw(given)
    assert {f"mean predicted {name}" for name in ("price", "size", "age")} <= set(texts(picture))
    assert len(curves(picture)) == 9
    assert says(picture, "the first 3 of 4 numbers")


def test_values_that_are_not_finite_are_no_curve():
    values = Values(np.zeros((2, 1)), np.array([0.0, 1.0]))
    found = partial_dependence(network(), run().training, slice(0, 1), values, task=run().task, column="x0")
    found.means[...] = np.nan
    assert says(
        draw_dependence_of_numbers([found], target_names=("price",), title="a run"),
        "the mean predicted 'price' is finite at no value",
    )
