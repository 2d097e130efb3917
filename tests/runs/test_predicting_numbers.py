"""A table of which a model predicts numbers: beside the target's own, how far off it is and the baseline is."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from tests.records import stored_run

from micrograde.cli.commands.predict import summary
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.data.sets.npz import NpzArrays
from micrograde.data.sets.tables import CsvTable
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import MLP
from micrograde.runs.building import prepare_data
from micrograde.runs.predicting import predict_table
from micrograde.runs.recorded_models import RecordedModel

ROWS = 60


def houses(rows=ROWS):
    random = np.random.default_rng(1)
    area = random.uniform(40, 200, rows).round(1)
    return pd.DataFrame(
        {
            "area": area,
            "garden": random.choice(["back", "front", "both"], rows),
            "price": (area * 3000 + random.normal(size=rows) * 9000).round(2),
        }
    )


def model_of(data, target):
    """A network for these data whose weights are of no account, as a run has left it."""
    prepared = prepare_data(data, "float64", version=RECIPE_VERSION)
    sizes = prepared.training.features.shape[1], (5,), prepared.training.targets.shape[1]
    model = MLP(
        *sizes, generators=[np.random.default_rng(3)], dtype="float64", batch_norm=False, activation="relu"
    ).alone(0)
    state = {name: array[0] for name, array in model.state().items()}
    network = TrainedNetwork(MLP.from_state(state, model.activation), prepared.preprocessing)
    return RecordedModel(stored_run(), network, target)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "houses.csv"
    houses().to_csv(path, index=False)
    return model_of(CsvTable(path=str(path), target="price", test_fraction=0.0), "price")


def predicted(model, folder, table, **options):
    path = folder / "new.csv"
    path.write_text(table) if isinstance(table, str) else table.to_csv(path, index=False)
    return predict_table(model, str(path), **options)


def test_numbers_stand_behind_the_table_and_are_compared_with_its_own(model, tmp_path):
    table = houses()
    found = predicted(model, tmp_path, table)
    assert list(found.table) == ["area", "garden", "price", "predicted_price"]
    assert list(found.shown) == ["price", "predicted_price"]
    assert found.main_columns == ("predicted_price",)
    assert found.counts == {}
    assert (found.accuracy, found.known) == (None, 0)
    expected = model.network.predict(table)["predicted_price"]
    assert found.table["predicted_price"].tolist() == expected.tolist()
    numbers = found.numbers
    assert numbers is not None
    assert numbers.known == ROWS
    assert numbers.predicted["price"] == (expected.min(), pytest.approx(expected.mean()), expected.max())
    mean = model.network.preprocessing.target_scaling.means[0]
    assert numbers.baselines == {"price": mean}
    constant, known = np.full(ROWS, mean), table["price"]
    assert list(numbers.measured) == ["rmse", "mae", "r2"]
    for name, metric in (("rmse", root_mean_squared_error), ("mae", mean_absolute_error), ("r2", r2_score)):
        assert numbers.measured[name] == pytest.approx((metric(known, expected), metric(known, constant)))
    lines = summary(model, found)
    assert lines[1].startswith(f"predicted   price: from {expected.min():.6g} to {expected.max():.6g}, mean ")
    assert lines[1].endswith(f", in {ROWS} rows")
    assert lines[2] == (
        f"compared    {ROWS} of {ROWS} rows, by column price; the baseline always says {mean:.6g}, "
        "as the training part does in the mean"
    )
    assert [line.split()[0] for line in lines[3:]] == ["rmse", "mae", "r2"]
    assert all(", the baseline " in line for line in lines[3:])


def test_without_the_target_nothing_is_compared(model, tmp_path):
    found = predicted(model, tmp_path, houses().drop(columns="price"))
    assert found.numbers is not None
    assert (found.numbers.known, dict(found.numbers.measured)) == (0, {})
    assert len(summary(model, found)) == 2
    without = predicted(model, tmp_path, houses(), keep_columns=False)
    assert list(without.table) == ["predicted_price"]
    assert without.numbers is not None
    assert without.numbers.known == ROWS


def test_a_column_called_like_the_prediction_is_no_obstacle(model, tmp_path):
    found = predicted(model, tmp_path, houses().assign(predicted_price=1))
    assert list(found.table)[-2:] == ["predicted_price", "predicted_predicted_price"]
    assert found.main_columns == ("predicted_predicted_price",)


def test_what_is_no_number_is_said_and_rows_count_that_of_units(model, tmp_path):
    table = "area,garden,price\nm2,,EUR\n" + "50,back,150000\n60,front,\n70,back,180000\n" * 8
    found = predicted(model, tmp_path, table + "80,front,much\n90,front,1e400\n80,back,NA\n")
    assert found.numbers is not None
    assert found.numbers.known == 16
    units, text = found.notes
    assert units.endswith("holds units and no numbers, and is left out")
    assert (
        text == "'price' holds 'much' in row 26, which is no number; 2 rows of 27 like that are not compared"
    )
    only = predicted(model, tmp_path, "area,garden,price\n50,back,much\n")
    assert only.numbers is not None
    assert only.numbers.known == 0
    assert only.notes == (
        "'price' holds 'much' in row 1, which is no number; 1 row of 1 like that is not compared",
    )


def test_rows_are_numbered_as_they_stand_in_the_file_below_a_row_of_units(model, tmp_path):
    table = "area,garden,price\nm2,,EUR\n" + "50,back,150000\n60,front,160000\n70,back,180000\n" * 8
    with pytest.raises(InputError, match=r"column 'area' holds no number in row 26, as it did in training$"):
        predicted(model, tmp_path, table + "wide,front,1\n")
    houses().to_csv(tmp_path / "houses.csv", index=False)
    wide = model_of(CsvTable(path=str(tmp_path / "houses.csv"), target="price", test_fraction=0.0), "price")
    wide.network.model.parameters[:] = np.sign(wide.network.model.parameters) * 1e10
    with pytest.raises(InputError, match=r"row 26 has no prediction: the network's numbers overflow$"):
        predicted(wide, tmp_path, table + "1e308,front,1\n")
    (_, note) = predicted(model, tmp_path, table + "50,perhaps,1\n").notes
    assert "the first in row 26" in note


def test_a_decimal_comma_is_read_as_in_training(tmp_path):
    path = tmp_path / "houses.csv"
    houses().to_csv(path, index=False, sep=";", decimal=",")
    model = model_of(CsvTable(path=str(path), target="price", test_fraction=0.0), "price")
    found = predict_table(model, str(path))
    assert found.notes == ()
    assert found.numbers is not None
    assert found.numbers.measured["rmse"][0] == pytest.approx(
        root_mean_squared_error(houses()["price"], model.network.predict(houses())["predicted_price"])
    )
    one = predicted(model, tmp_path, "area;garden;price\n50,5;back;1.299\n")
    assert one.numbers is not None
    expected = abs(one.table["predicted_price"][0] - 1299)
    assert one.numbers.measured["mae"][0] == pytest.approx(expected)


def test_several_numbers_each_have_their_own_lines(tmp_path):
    random = np.random.default_rng(0)
    features = random.normal(size=(40, 2))
    labels = np.stack([features.sum(axis=1) * 100, features[:, 0] - 1], axis=1)
    np.savez(tmp_path / "arrays.npz", features=features, labels=labels)
    model = model_of(NpzArrays(path=str(tmp_path / "arrays.npz"), test_fraction=0.0), ())
    table = pd.DataFrame(features, columns=["feature_0", "feature_1"])
    found = predicted(model, tmp_path, table)
    assert found.main_columns == ("predicted_labels_0", "predicted_labels_1")
    assert [line.split()[1] for line in summary(model, found)[1:]] == ["labels_0:", "labels_1:"]
    known = predicted(model, tmp_path, table.assign(labels_0=labels[:, 0], labels_1=labels[:, 1]))
    assert known.numbers is not None
    names = [f"{name}{end}" for name in ("rmse", "mae", "r2") for end in ("", "/labels_0", "/labels_1")]
    assert list(known.numbers.measured) == names
    of_each = [known.numbers.measured[f"rmse/labels_{place}"][0] for place in (0, 1)]
    assert known.numbers.measured["rmse"][0] == pytest.approx(np.mean(of_each))
    assert "by columns labels_0, labels_1; the baseline always says" in "\n".join(summary(model, known))
