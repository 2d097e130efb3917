"""Models that predict numbers: in own units wherever they are read, served or exported, and hostile files are a line."""

import copy
import json

import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.data import Dataset, Part, Preprocessing
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.target_scaling import TargetScaling
from micrograde.models.onnx_export import as_feeds, compare_onnx, example_rows, export_onnx, run_onnx
from micrograde.models.trained_network import (
    PREPROCESSING,
    TrainedNetwork,
    describe_model,
    read_network,
    write_network,
)
from micrograde.nn import ACTIVATIONS, MLP
from micrograde.store.mlmodel import write_mlmodel

CONFIG = parse_train_config(
    {
        "data": {"name": "iris"},
        "model": {"hidden_size": 4, "batch_norm": False},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {},
        "tracking": {"name": "disabled"},
    }
)


def network_of(targets, *, seed=0, columns=None, features=3, **kind):
    """A network of random weights for numbers with these means and scales."""
    random = np.random.default_rng(seed)
    names = columns or tuple(f"x{place}" for place in range(features))
    count = len(targets)
    model = MLP(
        len(names),
        [4],
        count,
        initializer="xavier",
        generators=random,
        loss_epsilon=0.0,
        batch_norm=False,
        **kind,
    )
    scaling = TargetScaling(random.normal(size=count) * 1e5, 10.0 ** random.uniform(-3, 6, count))
    preprocessing = Preprocessing(
        None,
        random.normal(size=len(names)),
        np.full(len(names), 2.0),
        names,
        (),
        ColumnEncoding.of_numbers(names) if columns else None,
        task="regression",
        target_names=tuple(targets),
        target_scaling=scaling,
    )
    return TrainedNetwork(model, preprocessing)


def exported(network):
    model = export_onnx(network)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


@given(
    st.lists(st.text(min_size=1, max_size=4).filter(str.isprintable), min_size=1, max_size=4, unique=True),
    st.sampled_from(sorted(ACTIVATIONS)),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 99),
)
@settings(max_examples=20)
def test_answers_are_in_own_units_and_onnx_gives_the_same(targets, activation, dtype, seed):
    network = network_of(targets, seed=seed, activation=activation, dtype=dtype)
    rows, scaling = example_rows(network, 20), network.preprocessing.target_scaling
    logits = network.model.predict_logits(network.preprocessing.transform(rows).astype(dtype))
    expected = logits.astype(np.float64) * scaling.scales + scaling.means
    assert np.array_equal(network.answers(rows), expected)
    assert list(network.predict(rows)) == [f"predicted_{name}" for name in targets]
    content = exported(network)
    (found,) = run_onnx(content, as_feeds(network, rows))
    assert found.shape == (20, len(targets))
    agreement = compare_onnx(content, network, rows)
    assert agreement
    np.testing.assert_allclose(
        found / scaling.scales, expected / scaling.scales, rtol=1e-9, atol=agreement.allowed
    )


def test_the_onnx_model_says_what_it_predicts_and_its_output_has_a_name_of_its_own():
    network = network_of(["price", "rent"], columns=("predicted", "label", "predicted_"))
    model = export_onnx(network)
    told = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert told == {
        "target_names": ["price", "rent"],
        "feature_names": ["predicted", "label", "predicted_"],
        "columns": {"predicted__": "predicted", "label": "label", "predicted_": "predicted_"},
    }
    (output,) = model.graph.output
    assert (output.name, output.type.tensor_type.elem_type) == ("predicted", onnx.TensorProto.DOUBLE)
    rows = example_rows(network, 5)
    (found,) = run_onnx(model.SerializeToString(), as_feeds(network, rows))
    np.testing.assert_allclose(found, network.answers(rows), rtol=1e-9)


def test_an_onnx_model_of_other_weights_or_another_scale_does_not_agree():
    network = network_of(["price"], dtype="float64")
    rows, scaling = example_rows(network, 50), network.preprocessing.target_scaling
    other = TrainedNetwork(network.model.same_kind(np.random.default_rng(1)), network.preprocessing)
    assert not compare_onnx(exported(other), network, rows)
    shifted = copy.copy(network.preprocessing)
    object.__setattr__(
        shifted, "target_scaling", TargetScaling(scaling.means + scaling.scales, scaling.scales)
    )
    agreement = compare_onnx(exported(TrainedNetwork(network.model, shifted)), network, rows)
    assert not agreement
    assert agreement.difference == pytest.approx(1)  # a standard deviation, whatever the unit


def test_rows_whose_numbers_overflow_are_named_and_have_none_in_onnx():
    network = network_of(["price", "rent"], activation="relu", dtype="float32")
    rows = np.array([[1.0, 2.0, 3.0], [1e40, -1e41, 1e42], [0.0, 0.0, 0.0]])
    with pytest.raises(
        InputError, match=r"^features: row 2 has no prediction: the network's numbers overflow$"
    ):
        network.predict(rows)
    (found,) = run_onnx(exported(network), {"features": rows})
    unchecked = network.unchecked_answers(rows)
    assert np.isnan(unchecked).any(axis=1).tolist() == [False, True, False]
    assert np.array_equal(np.isnan(found), np.isnan(unchecked))
    assert compare_onnx(exported(network), network, rows)
    (found,) = run_onnx(exported(network), {"features": np.array([[np.nan, 0.0, 0.0]])})
    assert np.isnan(found).all()


def test_there_are_no_probabilities_of_numbers():
    network = network_of(["price"])
    for method in (network.probabilities, network.unchecked_probabilities):
        with pytest.raises(InputError, match=r"predicts numbers, 'price'; answers returns them"):
            method(np.zeros((1, 3)))


def written(folder):
    random = np.random.default_rng(0)
    features = random.normal(size=(30, 2))
    labels = np.stack([features[:, 0] * 1000 + 5000, features[:, 1]], axis=1)
    dataset = Dataset(
        "npz", features, labels, (), ("a", "b"), task="regression", target_names=("price", "rent")
    )
    stack = MLP(2, 4, 2, generators=[random], loss_epsilon=0.0, batch_norm=False, dtype="float32")
    preprocessing = Preprocessing.fit(dataset, _part(dataset), standardize=True)
    write_network(folder, stack, CONFIG, preprocessing)
    return dataset


def _part(dataset):
    return Part(dataset.features, dataset.labels, np.arange(len(dataset.features)))


def test_mlflow_serves_numbers_with_their_signature(tmp_path):
    import mlflow
    from mlflow.pyfunc import scoring_server

    folder = tmp_path / "model"
    dataset = written(folder)
    described = describe_model(dataset)
    assert described.outputs == {"predicted_price": "double", "predicted_rent": "double"}
    write_mlmodel(folder, described, "0" * 32)
    model = mlflow.pyfunc.load_model(str(folder))
    rows = pd.DataFrame(dataset.features[:3], columns=["a", "b"])
    found = model.predict(rows)
    pd.testing.assert_frame_equal(found, read_network(folder).predict(rows))
    schema = model.metadata.get_output_schema()
    assert [each.name for each in schema] == list(found)
    body = json.dumps({"dataframe_records": rows.to_dict("records")})
    answer = scoring_server.invocations(body, "application/json", model, model.metadata.get_input_schema())
    predictions = json.loads(answer.response)["predictions"]
    assert predictions[0] == pytest.approx(found.iloc[0].to_dict())


def test_what_was_kept_gives_the_very_numbers(tmp_path):
    dataset = written(tmp_path)
    network = read_network(tmp_path)
    state = network.preprocessing.state()
    again = Preprocessing.from_state(json.loads(json.dumps(state)))
    assert again.state() == state
    assert np.array_equal(
        network.answers(dataset.features), TrainedNetwork(network.model, again).answers(dataset.features)
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["task", "names", "means", "scales", None]),
    ANYTHING
    | st.sampled_from([[0.0, 1.0], [-1.0, 1.0], ["price", "price"], "classification", "ab", [1e400, 1.0]]),
    st.lists(st.text(max_size=3), max_size=2),
)
@settings(max_examples=150)
def test_a_hostile_target_is_a_line_or_a_sound_model(tmp_path_factory, key, value, classes):
    folder = tmp_path_factory.mktemp("hostile")
    written(folder)
    state = json.loads((folder / PREPROCESSING).read_text())
    if key is None:
        state["target"] = value
    else:
        state["target"][key] = value
    state["class_names"] = classes
    (folder / PREPROCESSING).write_text(json.dumps(state))
    try:
        network = read_network(folder)
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert len(refused.splitlines()) == 1
        return
    found = network.predict(np.zeros((2, 2)))
    assert list(found) == list(network.task.column_types)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scales": [0.0, 1.0]}, "above 0"),
        ({"scales": [1.0]}, "2 finite numbers each"),
        ({"means": [float("nan"), 1.0]}, "finite"),
        ({"names": ["price", "price"]}, "occurs twice"),
        ({"names": ["price", 7]}, "no string|not a string"),
        ({"task": "classification"}, "nothing else has"),
        ({"task": "dreams"}, "nothing else has"),
        ({"means": None}, "have a scale"),
    ],
)
def test_a_target_that_fits_nothing_is_refused_with_the_reason(tmp_path, change, reason):
    written(tmp_path)
    state = json.loads((tmp_path / PREPROCESSING).read_text())
    state["target"].update(change)
    (tmp_path / PREPROCESSING).write_text(json.dumps(state))
    with pytest.raises(InputError, match=rf"holds no micrograde model \(.*({reason})"):
        read_network(tmp_path)
