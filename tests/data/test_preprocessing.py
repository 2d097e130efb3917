import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from micrograde.core.errors import InputError
from micrograde.data import Dataset, Preprocessing, TableEncoding, load_dataset, preprocessing
from micrograde.data.dataset import Part

VALUES = st.floats(-1e6, 1e6)
FEATURES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=8), elements=VALUES)


def dataset_of(features, **changes):
    rows, columns = features.shape
    names = tuple(f"x{column}" for column in range(columns))
    return Dataset("made", features, np.arange(rows) % 2, ("a", "b"), names, **changes)


def fit(features, standardize=True, **changes):
    return Preprocessing.fit(dataset_of(features, **changes), features, standardize=standardize)


@given(FEATURES)
def test_training_features_get_mean_0_and_standard_deviation_1(features):
    result = fit(features).transform(features)
    constant = np.ptp(features, axis=0) == 0
    spread = features.std(axis=0) > 1e-9 * (1 + np.abs(features).max(axis=0))
    assert np.all(result[:, constant] == 0)
    assert np.allclose(result.mean(axis=0)[spread], 0, atol=1e-6)
    assert np.allclose(result.std(axis=0)[spread], 1, atol=1e-6)
    assert np.isfinite(result).all()


def test_standardisation_is_scikit_learns():
    from sklearn.preprocessing import StandardScaler

    dataset = load_dataset("wine", seed=0)
    train, rest = dataset.features[::2], dataset.features[1::2]
    expected = StandardScaler().fit(train).transform(rest)
    preprocessing = Preprocessing.fit(dataset, train, standardize=True)
    assert np.allclose(preprocessing.transform(rest), expected, rtol=1e-12, atol=1e-12)


def test_only_the_training_features_count():
    dataset = load_dataset("wine", seed=0)
    preprocessing = Preprocessing.fit(dataset, dataset.features[:50], standardize=True)
    assert np.array_equal(preprocessing.means, dataset.features[:50].mean(axis=0))
    assert preprocessing.feature_names == dataset.feature_names
    assert preprocessing.class_names == dataset.class_names


@given(FEATURES)
def test_without_standardisation_nothing_changes(features):
    assert np.array_equal(fit(features, standardize=False).transform(features), features)


def test_a_constant_column_is_not_blown_up():
    features = np.column_stack([np.full(10, 0.1), np.arange(10.0)])
    assert fit(features).scales[0] == 1
    assert np.array_equal(fit(features).transform(features)[:, 0], np.zeros(10))


@pytest.mark.parametrize("standardize", [True, False])
def test_missing_values_become_the_training_mean(standardize):
    train = np.array([[1.0, 10.0], [np.nan, 20.0], [5.0, 60.0]])
    preprocessing = fit(train, standardize, fill_missing=True)
    new = np.array([[np.nan, np.nan]])
    assert np.allclose(preprocessing.transform(new), [[0, 0]] if standardize else [[3, 30]])
    assert preprocessing.scales[0] == (np.std([1, 3, 5]) if standardize else 1)


def test_a_column_without_values_has_no_mean():
    dataset = dataset_of(np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 4.0]]), fill_missing=True)
    with pytest.raises(InputError, match=r"data.missing=mean: the training part has no value .* in 'x1'"):
        Preprocessing.fit(dataset, dataset.features[:2], standardize=True)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (np.zeros((1, 3)), r"shape \(1, 3\); needs \(n, 2\)"),
        (np.zeros(2), r"shape \(2,\); needs \(n, 2\)"),
        (np.array([[0, np.nan], [1, np.nan]]), r"missing or infinite values in 'x1' \(2\)"),
        (np.array([[np.inf, 0]]), r"missing or infinite values in 'x0' \(1\)"),
    ],
)
def test_features_that_do_not_fit(features, words):
    with pytest.raises(InputError, match=words):
        fit(np.array([[1.0, 2.0], [3.0, 4.0]])).transform(features)


def test_a_table_goes_the_way_of_the_training_table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("age,colour,kind\n30,red,a\n,blue,b\n50,red,a\n")
    dataset = load_dataset("csv", version=2, seed=0, path=str(path), target="kind", missing="mean")
    preprocessing = Preprocessing.fit(dataset, dataset.features, standardize=True)
    expected = preprocessing.transform(dataset.features)
    assert np.array_equal(preprocessing.transform_table(pd.read_csv(path)), expected)
    without_target = pd.read_csv(path).drop(columns="kind")
    assert np.array_equal(preprocessing.transform_table(without_target), expected)
    with pytest.raises(InputError, match="unknown category 'green'"):
        preprocessing.transform_table(pd.DataFrame({"age": [1], "colour": ["green"]}))
    with pytest.raises(InputError, match="has no column 'colour'"):
        preprocessing.transform_table(pd.DataFrame({"age": [1]}))


def test_a_table_needs_a_table_in_training():
    with pytest.raises(InputError, match="not on a table; give an array of its 2 features: 'x0', 'x1'"):
        fit(np.array([[1.0, 2.0], [3.0, 4.0]])).transform_table(pd.DataFrame({"x0": [1]}))


NAMES = st.lists(st.text(), max_size=4).map(tuple)
ENCODINGS = st.lists(st.tuples(st.text(), st.none() | NAMES), max_size=4).map(
    lambda pairs: TableEncoding(tuple(c for c, _ in pairs), tuple(names for _, names in pairs))
)


@st.composite
def preprocessings(draw):
    vectors = arrays(
        np.float64, draw(st.integers(1, 5)), elements=st.floats(allow_nan=False, allow_infinity=False)
    )
    return Preprocessing(
        fill=draw(st.none() | vectors),
        means=draw(vectors),
        scales=draw(vectors),
        feature_names=draw(NAMES),
        class_names=draw(NAMES),
        encoding=draw(st.none() | ENCODINGS),
    )  # fmt: skip


@given(preprocessings())
def test_state_goes_through_json_and_back_exactly(preprocessing):
    again = Preprocessing.from_state(json.loads(json.dumps(preprocessing.state(), allow_nan=False)))
    assert again.means.tobytes() == preprocessing.means.tobytes()
    assert again.scales.tobytes() == preprocessing.scales.tobytes()
    assert (again.fill is None) == (preprocessing.fill is None)
    assert again.fill is None or again.fill.tobytes() == preprocessing.fill.tobytes()
    assert again.feature_names == preprocessing.feature_names
    assert again.class_names == preprocessing.class_names
    assert again.encoding == preprocessing.encoding


GAPPY = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9),
    elements=st.one_of(st.floats(-1e6, 1e6), st.floats(-1e308, 1e308), st.just(np.nan)),
)


@given(GAPPY, st.integers(1, 40))
def test_how_much_is_processed_at_a_time_changes_no_bit(features, numbers):
    """Recipes of earlier versions give the same results, however large a table is."""
    features[0] = np.nan_to_num(features[0])  # a column without values is refused
    whole = fit(features, fill_missing=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preprocessing, "_NUMBERS", numbers)
        in_parts = fit(features, fill_missing=True)
        assert in_parts.state() == whole.state()
        assert np.array_equal(in_parts.transform(features), whole.transform(features))


@given(GAPPY)
def test_the_numbers_are_numpys(features):
    features[0] = np.nan_to_num(features[0])
    ordinary = (np.abs(np.nan_to_num(features)) <= 1e6).all(axis=0)
    with np.errstate(over="ignore"):
        means = np.nanmean(features, axis=0)
    found = fit(features, fill_missing=True)
    differ = np.nanmin(features, axis=0) < np.nanmax(features, axis=0)
    assert np.array_equal(found.fill[ordinary & differ], means[ordinary & differ])
    filled = np.where(np.isnan(features), found.fill, features)
    with np.errstate(over="ignore", invalid="ignore"):
        deviations = filled.std(axis=0)
    usual = ordinary & differ & (deviations > 1e-100)
    assert np.array_equal(found.scales[usual], deviations[usual])


def test_a_part_of_a_data_set_is_as_its_features():
    iris = load_dataset("iris", seed=0)
    rows = np.arange(0, 150, 3)
    part = Part(iris.features, iris.labels[rows], rows)
    fitted = Preprocessing.fit(iris, part, standardize=True)
    assert fitted.state() == Preprocessing.fit(iris, iris.features[rows], standardize=True).state()
    inputs = fitted.inputs(part, np.float32)
    assert inputs.dtype == np.float32
    assert np.array_equal(inputs, fitted.transform(iris.features[rows]).astype(np.float32))
