"""An ONNX model gives what the classifier gives that it was made of, whatever its layers and columns."""

import dataclasses
import json

import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.core.errors import InputError
from micrograde.data import Preprocessing, TableEncoding
from micrograde.models.onnx_export import as_feeds, compare_onnx, example_rows, export_onnx, run_onnx
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import ACTIVATIONS, MLP, BatchNormalization, LinearLayer

TEXTS = st.text(min_size=1, max_size=5).filter(lambda text: text.isprintable())
NAMES = st.one_of(TEXTS, st.sampled_from(["label", "probabilities", "features", "equal_1", "axis_1"]))
CATEGORIES = st.one_of(
    st.none(),
    st.just(("False", "True")),
    st.sets(TEXTS.filter(lambda text: text not in ("True", "False")), min_size=1, max_size=4).map(
        lambda names: tuple(sorted(names))
    ),
)
ENCODINGS = st.lists(
    st.tuples(NAMES, CATEGORIES), min_size=1, max_size=5, unique_by=lambda pair: pair[0]
).map(lambda pairs: TableEncoding(tuple(name for name, _ in pairs), tuple(each for _, each in pairs)))


def classifier_of(encoding, features, hidden, classes, seed, *, fill=False, **kind):
    """A network whose running statistics are those of data, as after training."""
    random = np.random.default_rng(seed)
    if encoding:
        features = len(encoding.feature_names)
    means, scales = random.normal(size=features) * 100, 10.0 ** random.uniform(-2, 3, features)
    model = MLP(
        features, hidden, len(classes), initializer="xavier", generators=random, loss_epsilon=0.0, **kind
    )
    for layer in model.layers.values():
        if isinstance(layer, LinearLayer):
            layer.biases[...] = random.normal(size=layer.biases.shape)
        if isinstance(layer, BatchNormalization):
            layer.gamma[...] = random.uniform(0.5, 1.5, layer.gamma.shape)
            layer.beta[...] = random.normal(size=layer.beta.shape)
    targets = np.eye(len(classes))[random.integers(0, len(classes), 64)]
    for _ in range(50):
        model.forward(random.normal(size=(64, features)), targets)
    names = encoding.feature_names if encoding else tuple(f"feature {number}" for number in range(features))
    filled = means + scales if fill else None
    return TrainedNetwork(model, Preprocessing(filled, means, scales, names, classes, encoding))


def classifiers():
    return st.builds(
        classifier_of,
        encoding=st.none() | ENCODINGS,
        features=st.integers(1, 6),
        hidden=st.lists(st.integers(1, 8), max_size=4),
        classes=st.lists(TEXTS, min_size=2, max_size=5, unique=True).map(tuple),
        seed=st.integers(0, 2**32),
        fill=st.booleans(),
        activation=st.sampled_from(sorted(ACTIVATIONS)),
        batch_norm=st.booleans(),
        output_batch_norm=st.booleans(),
        dtype=st.sampled_from(["float32", "float64"]),
    )


def exported(classifier):
    model = export_onnx(classifier)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


@given(classifiers(), st.integers(1, 40))
@settings(max_examples=150)
def test_it_gives_the_same_probabilities_and_labels(classifier, number):
    rows, names = example_rows(classifier, number), np.array(classifier.preprocessing.class_names, object)
    labels, probabilities = run_onnx(exported(classifier), as_feeds(classifier, rows))
    expected = classifier.probabilities(rows)
    agreement = compare_onnx(exported(classifier), classifier, rows)
    # Of gelu a part is computed in float32.
    is_exact = classifier.model.dtype == np.float64 and classifier.model.activation.name != "gelu"
    allowed = 1e-12 if is_exact else agreement.allowed
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=allowed)
    second, first = np.sort(expected, axis=1)[:, -2:].T
    clear = first - second > 2 * allowed
    assert labels[clear].tolist() == names[expected.argmax(axis=1)][clear].tolist()
    assert probabilities.shape == (number, len(names))
    assert labels.shape == (number,)
    assert agreement


@given(
    st.sampled_from(sorted(ACTIVATIONS)),
    st.booleans(),
    st.sampled_from([(), (32,)]),
    st.integers(0, 99),
)
@settings(max_examples=30)
def test_of_a_network_as_trained_by_default_all_agree_to_a_millionth(activation, batch_norm, hidden, seed):
    kind = {"activation": activation, "batch_norm": batch_norm, "dtype": "float32"}
    classifier = classifier_of(None, 64, hidden, tuple("0123456789"), seed, **kind)
    assert compare_onnx(exported(classifier), classifier, example_rows(classifier, 500)).difference < 1e-6


@pytest.fixture
def classifier():
    """Of a number that is filled, a category and a truth value."""
    encoding = TableEncoding(("height", "leaf", "wild"), (None, ("broad", "needle"), ("False", "True")))
    return classifier_of(encoding, 0, [8], ("fir", "oak"), 0, fill=True, dtype="float64")


def test_what_it_is_called_and_takes_is_in_it(classifier):
    model = export_onnx(classifier, {"run_id": "abc"})
    told = {each.key: each.value for each in model.metadata_props}
    assert told.pop("run_id") == "abc"
    assert {key: json.loads(value) for key, value in told.items()} == {
        "class_names": ["fir", "oak"],
        "feature_names": ["height", "leaf=broad", "leaf=needle", "wild=False", "wild=True"],
        "columns": {"height": "height", "leaf": "leaf", "wild": "wild"},
    }
    kinds = {each.name: each.type.tensor_type.elem_type for each in model.graph.input}
    kind = onnx.TensorProto
    assert kinds == {"height": kind.DOUBLE, "leaf": kind.STRING, "wild": kind.BOOL}
    assert [each.name for each in model.graph.output] == ["label", "probabilities"]
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 19)]


def test_a_column_called_like_an_output_has_an_input_of_another_name():
    encoding = TableEncoding(("label", "label_", "probabilities"), (None, None, None))
    model = export_onnx(classifier_of(encoding, 0, [2], ("a", "b"), 0))
    names = {each.key: each.value for each in model.metadata_props}["columns"]
    assert json.loads(names) == {
        "label__": "label", "label_": "label_", "probabilities_": "probabilities",
    }  # fmt: skip


def test_a_missing_number_is_filled(classifier):
    rows = pd.DataFrame({"height": [np.nan, 3.0], "leaf": ["broad"] * 2, "wild": [True] * 2})
    _, found = run_onnx(exported(classifier), as_feeds(classifier, rows))
    np.testing.assert_allclose(found, classifier.probabilities(rows), rtol=0, atol=1e-12)


def test_a_row_that_the_classifier_refuses_has_no_probabilities_and_no_label(classifier):
    rows = pd.DataFrame(
        {"height": [1.0, np.inf, 1.0], "leaf": ["broad", "broad", "round"], "wild": [True] * 3}
    )
    labels, found = run_onnx(exported(classifier), as_feeds(classifier, rows))
    assert labels[0] in ("fir", "oak")
    assert labels[1:].tolist() == ["", ""]
    assert np.isnan(found).tolist() == [[False] * 2, [True] * 2, [True] * 2]
    for bad in (rows[1:2], rows[2:]):
        with pytest.raises(InputError):
            classifier.probabilities(bad)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_row_that_overflows_has_no_probabilities_and_no_label(batch_norm):
    kind = {"activation": "relu", "batch_norm": batch_norm, "dtype": "float32"}
    classifier = classifier_of(None, 3, [4], ("a", "b", "c"), 0, **kind)
    rows = np.array([[1.0, 2.0, 3.0], [1e40, -1e41, 1e42], [0.0, 0.0, 0.0], [-1e300, 1e300, 1e300]])
    labels, found = run_onnx(exported(classifier), {"features": rows})
    assert [label == "" for label in labels] == [False, True, False, True]
    assert np.isnan(found).tolist() == [[False] * 3, [True] * 3, [False] * 3, [True] * 3]
    assert compare_onnx(exported(classifier), classifier, rows)
    with pytest.raises(InputError, match="rows 2 and 4 have no probabilities"):
        classifier.predict(rows)


def test_missing_features_of_a_model_of_arrays_give_nothing():
    classifier = classifier_of(None, 2, [3], ("a", "b"), 0, activation="relu")
    labels, found = run_onnx(exported(classifier), {"features": np.array([[np.nan, 0.0], [0.0, 1.0]])})
    assert labels[0] == ""
    assert labels[1] in ("a", "b")
    assert np.isnan(found).tolist() == [[True, True], [False, False]]


def test_no_rows_give_no_rows(classifier):
    feeds = as_feeds(classifier, example_rows(classifier, 0))
    labels, found = run_onnx(exported(classifier), feeds)
    assert labels.shape == (0,)
    assert found.shape == (0, 2)


def test_a_model_of_other_weights_does_not_agree(classifier):
    other = TrainedNetwork(classifier.model.same_kind(np.random.default_rng(1)), classifier.preprocessing)
    agreement = compare_onnx(exported(other), classifier, example_rows(classifier, 100))
    assert not agreement
    assert agreement.difference > agreement.allowed


def test_labels_in_another_order_do_not_agree(classifier):
    model = export_onnx(classifier)
    (names,) = [each for each in model.graph.initializer if each.name.startswith("class_names")]
    names.string_data[:] = [b"oak", b"fir"]
    agreement = compare_onnx(model.SerializeToString(), classifier, example_rows(classifier, 100))
    assert agreement.difference == np.inf
    assert not agreement


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_the_label_is_by_the_networks_threshold(classifier, share):
    rows = example_rows(classifier, 300)
    threshold = float(np.quantile(classifier.probabilities(rows)[:, 1], share))
    decided = dataclasses.replace(classifier, threshold=threshold)
    agreement = compare_onnx(exported(decided), decided, rows)
    assert agreement
    labels, shares = run_onnx(exported(decided), as_feeds(decided, rows))
    positive = decided.preprocessing.class_names[1]
    np.testing.assert_array_equal(labels == positive, shares[:, 1] > threshold)
    assert (labels == positive).mean() == pytest.approx(1 - share)
    about = {each.key: each.value for each in export_onnx(decided).metadata_props}
    assert json.loads(about["threshold"]) == threshold
    assert "threshold" not in {each.key for each in export_onnx(classifier).metadata_props}
    assert not compare_onnx(exported(classifier), decided, rows)  # other labels


def test_a_deep_float32_network_may_differ_by_what_float32_itself_is_off():
    """Two right float32 libraries are 1e-5 apart here; NumPy is as far from the exact values."""
    random = np.random.default_rng(0)
    model = MLP(
        30, [64, 32, 16, 8, 8], 2, activation="relu", batch_norm=False, initializer="xavier",
        initial_scale=5.0, generators=random, dtype="float32",
    )  # fmt: skip
    names = tuple(f"feature {number}" for number in range(30))
    plain = Preprocessing(None, np.zeros(30), np.ones(30), names, ("a", "b"))
    classifier = TrainedNetwork(model, plain)
    agreement = compare_onnx(exported(classifier), classifier, example_rows(classifier, 1000))
    assert agreement
    assert agreement.allowed == pytest.approx(10 * agreement.rounding)
    assert agreement.rounding > 1e-6


def test_names_that_are_no_unicode_are_a_line():
    encoding = TableEncoding(("height", "leaf"), (None, ("\ud800", "needle")))
    with pytest.raises(InputError, match="the model cannot be exported") as error:
        export_onnx(classifier_of(encoding, 0, [2], ("a", "b"), 0))
    assert "\n" not in str(error.value)
