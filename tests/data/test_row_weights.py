"""A table's column of weights: what each row counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograde as mg
from micrograde.core.errors import InputError
from micrograde.data import Preprocessing
from micrograde.data.frames import table_with_target
from micrograde.data.raw_table import RawTable
from micrograde.data.role_tables import TableOptions, dataset_of_table
from micrograde.data.row_weights import scaled_weights


def table(weights, rows=None):
    random = np.random.default_rng(0)
    rows = len(weights) if rows is None else rows
    frame = pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "colour": np.array(["red", "blue", "green"])[np.arange(rows) % 3],
            "kind": np.where(np.arange(rows) % 2, "a", "b"),
        }
    )
    frame["z"] = np.where(np.arange(rows) % 7 == 3, np.nan, random.normal(size=rows))
    return frame if weights is None else frame.assign(w=weights)


def dataset(frame, weight=None, **options):
    given_table = table_with_target(frame, "kind")
    settled = TableOptions(targets=("kind",), weight=weight, **options)
    return dataset_of_table(RawTable(given_table.rows), settled, name="frame", file="t", source="t")


def test_a_column_of_weights_is_no_feature_and_is_told():
    found = dataset(table([1, 2.5] * 10), "w")
    np.testing.assert_array_equal(found.weights, [1, 2.5] * 10)
    assert found.feature_names == dataset(table(None, 20)).feature_names
    assert "weights     'w': 1 to 2.5, what each row counts in the loss" in found.summary.lines()
    assert "left out    'w': dropped, used by data.weight" in found.summary.lines()


def test_a_row_that_weighs_nothing_takes_no_part_whatever_stands_in_it():
    weights = np.ones(30)
    weights[[0, 4]] = 0
    frame = table(weights)
    frame.loc[4, "x"] = 1e300
    frame.loc[0, "colour"] = "ultraviolet"
    found, without = dataset(frame, "w"), dataset(frame.drop(index=[0, 4]), "w")
    assert found.digest == without.digest
    assert found.numbers.tolist() == [row for row in range(1, 31) if row not in (1, 5)]
    assert "rows        2 left out, which weigh 0" in found.summary.lines()
    weights = np.where(frame["kind"] == "a", 0, 1)
    weights[1] = 1
    three = frame.assign(
        kind=["c" if row == 7 else kind for row, kind in enumerate(frame["kind"])], w=weights
    )
    (line,) = [each for each in dataset(three, "w").summary.lines() if each.startswith("rows ")]
    assert line.endswith("left out, which weigh 0, and with them the class 'c'")


def test_weights_of_rows_without_a_class_do_not_matter():
    frame = table(np.ones(20))
    frame.loc[2, "kind"] = None
    frame.loc[2, "w"] = -1
    assert len(dataset(frame, "w")) == 19


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (-1.0, "row 6 weighs -1, and 1 more is like it"),
        (np.nan, "row 6 has no weight, and 1 more is like it"),
        (np.inf, "row 6 (weighs inf|has no weight), and 1 more is like it"),
    ],
)
def test_weights_that_are_none_are_refused_in_one_line(wrong, said):
    weights = np.ones(20)
    weights[[5, 7]] = wrong
    with pytest.raises(
        InputError, match=rf"^data\.weight=w: {said}; give each row a finite number from 0 on"
    ):
        dataset(table(weights), "w")


@pytest.mark.parametrize(
    ("weights", "weight", "said"),
    [
        (np.zeros(20), "w", "^data.weight=w: every row weighs 0"),
        ([f"no {row}" for row in range(20)], "w", "^data.weight=w: column 'w' holds no numbers"),
        (np.ones(20), "q", "^data.weight: there is no column 'q'; the columns are"),
        (np.ones(20), "kind", "^data.weight: 'kind' is the target"),
    ],
)
def test_columns_that_hold_no_weights_are_refused_in_one_line(weights, weight, said):
    with pytest.raises(InputError, match=said):
        dataset(table(weights), weight)


def test_weights_are_part_of_the_digest_only_where_there_are_any():
    plain, ones = dataset(table(None, 20)), dataset(table(np.ones(20)), "w")
    assert len({plain.digest, ones.digest, dataset(table([1, 2] * 10), "w").digest}) == 3


@given(
    st.lists(st.integers(0, 4), min_size=24, max_size=24).filter(
        lambda weights: {"a", "b"} == {"ab"[row % 2] for row, each in enumerate(weights) if each}
    ),
    st.sampled_from(["fill", "median"]),
)
@settings(deadline=None, max_examples=40)
def test_preprocessing_of_weights_is_that_of_repeated_rows(weights, missing):
    frame = table(weights)
    options = {"missing": missing}
    try:
        weighted = dataset(frame, "w", **options)
        repeated = dataset(frame.loc[frame.index.repeat(weights)].drop(columns="w"), **options)
    except InputError:  # nothing of a class or of a column is left
        return
    if weighted.feature_names != repeated.feature_names:
        return  # roles of columns, such as constants and rare categories, are by rows
    found, expected = (
        Preprocessing.fit(each, each.features, standardize=True) for each in (weighted, repeated)
    )
    if np.isnan(repeated.features).all(axis=0).any():
        return
    for name in ("fill", "means", "scales"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
def test_weights_of_any_size_are_scaled_to_a_mean_of_one(factor):
    scaled = scaled_weights(factor * np.array([1.0, 2, 3, 4]))
    np.testing.assert_allclose(scaled, np.array([1, 2, 3, 4]) / 2.5, rtol=1e-15)


OPTIONS = (
    "training.num_epochs=20", "training.dtype=float64", "training.batch_size=null", "model.batch_norm=false",
    "data.validation_fraction=0", "data.test_fraction=0", "training.early_stopping.enabled=false", "tracking=disabled",
)  # fmt: skip


@pytest.mark.parametrize("also", [(), ("training.class_weights=balanced", "training.label_smoothing=0.2")])
def test_a_run_with_a_weight_of_k_is_the_run_with_the_row_k_times(also):
    weights = np.random.default_rng(1).integers(0, 4, 60)
    frame = table(weights)
    weighted = mg.run(frame, *OPTIONS, *also, target="kind", weight="w")
    repeated = mg.run(
        frame.loc[frame.index.repeat(weights)].drop(columns="w"), *OPTIONS, *also, target="kind"
    )
    for metric in ("train/loss", "kept/train/loss"):
        found, expected = (np.asarray({**run.history, **run.metrics}[metric]) for run in (weighted, repeated))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["mse", "huber", "mae"])
def test_a_run_of_numbers_with_a_weight_of_k_is_the_run_with_the_row_k_times(loss):
    weights = np.random.default_rng(1).integers(0, 4, 60)
    frame = table(weights).drop(columns="kind")
    frame["price"] = np.exp(frame["x"]) + np.arange(60) / 7
    options = (*OPTIONS, f"loss={loss}")
    weighted = mg.run(frame, *options, target="price", weight="w")
    repeated = mg.run(frame.loc[frame.index.repeat(weights)].drop(columns="w"), *options, target="price")
    for metric in ("train/loss", "kept/train/loss"):
        found, expected = (np.asarray({**run.history, **run.metrics}[metric]) for run in (weighted, repeated))
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    with pytest.raises(InputError, match=r"^training\.class_weights: the data have no classes; leave it out"):
        mg.run(frame, *options, "training.class_weights=balanced", target="price", weight="w")


def test_all_weights_three_are_all_weights_one():
    frame = table(np.ones(60))
    three = frame.assign(w=3.0)
    runs = [
        mg.run(each, "tracking=disabled", "training.num_epochs=5", target="kind", weight="w")
        for each in (frame, three)
    ]
    pd.testing.assert_frame_equal(runs[0].history, runs[1].history, check_exact=True)
