"""Many configs at once: grouped into stacks, each run as if it were alone, results in the order given."""

import numpy as np
import pytest
from tests.recipes import with_keys

from micrograde.cli.commands.train import outcome
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.data import load
from micrograde.runs import train
from micrograde.runs.building import one_batch_line, prepare_data, stack_key, stack_size
from micrograde.runs.train import PreparedSets, train_and_record


def config(**changes):
    container = {
        "data": {"name": "moons", "samples": 100},
        "model": {"hidden_size": 4},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 3},
        "tracking": {"name": "disabled"},
    }
    return parse_train_config(
        with_keys(container, {key.replace("__", "."): value for key, value in changes.items()})
    )


def test_what_differs_in_numbers_stacks_and_what_differs_in_shapes_does_not():
    plain = config()
    for same in (
        config(seed=3),
        config(optimizer__learning_rate=0.5),
        config(model__initial_scale=2.0),
        config(schedule={"name": "cosine", "warmup_epochs": 1}),
        config(experiment_name="other"),
        config(training__label_noise=0.2),
        config(data__seed=1),
        config(data__noise=0.3),
    ):
        assert stack_key(same) == stack_key(plain)
    smoothed = config(training__label_smoothing=0.1)
    assert stack_key(smoothed) == stack_key(config(training__label_smoothing=0.2)) != stack_key(plain)
    for other in (
        config(model__hidden_size=5),
        config(model__activation="relu"),
        config(training__batch_size=16),
        config(training__num_epochs=4),
        config(training__dtype="float64"),
        config(data={"name": "circles", "samples": 100}),
        config(optimizer={"name": "adam"}),
        config(optimizer__momentum=0.9),
        config(optimizer__weight_decay=0.1),
        config(training__class_weights="balanced"),
    ):
        assert stack_key(other) != stack_key(plain)


def test_results_come_in_the_order_given_and_equal_each_run_alone():
    configs = [
        config(seed=1),
        config(model__hidden_size=5),
        config(seed=2, optimizer__learning_rate=0.05),
        config(optimizer__learning_rate=1e38, model__batch_norm=False),
        config(seed=1, schedule={"name": "step", "step_epochs": 1}),
        config(model__hidden_size=5, seed=9),
        config(seed=3, model__batch_norm=False),
        config(seed=1, training__label_noise=0.4),
        *(
            config(seed=seed, training__label_smoothing=0.1 * seed, training__class_weights=weights)
            for seed in (1, 2)
            for weights in (None, "balanced")
        ),
        config(training__label_smoothing=0.3, training__label_noise=0.2, seed=4),
    ]
    together = train_and_record(configs)
    assert [result.config for result in together] == configs
    for result in together:
        (alone,) = train_and_record([result.config])
        assert repr(alone) == repr(result)  # repr: NaN is NaN
    assert [result.status for result in together] == ["FINISHED"] * 3 + ["FAILED"] + ["FINISHED"] * 9
    assert np.isfinite(together[0].test["test/loss"])


def test_a_cancelled_run_is_killed_and_the_others_do_not_notice():
    configs = [config(seed=seed, training__num_epochs=400) for seed in range(3)]
    asked = []

    def cancel(place, epoch, metrics):
        asked.append((place, epoch))
        assert metrics["train/loss"] > 0
        return place == 1 and epoch >= 2

    results = train_and_record(configs, cancel=cancel)
    assert [result.status for result in results] == ["FINISHED", "KILLED", "FINISHED"]
    epochs = len(results[1].history["train/loss"])
    assert 2 <= epochs < 400
    assert results[1].reason == f"cancelled after epoch {epochs}"
    assert max(epoch for place, epoch in asked if place == 1) == epochs
    for place in (0, 2):
        assert results[place] == train_and_record([configs[place]])[0]


def test_large_networks_make_small_stacks_and_few_runs_are_not_cut_up():
    def size(count, workers, **changes):
        asked = config(**changes)
        data = prepare_data(asked.data, asked.training.dtype)
        return stack_size(asked, data, count, workers)

    digits = {"data": {"name": "digits"}, "model__hidden_size": 32}
    assert size(1, 2, **digits) == 1
    assert size(64, 2, **digits) == 64
    assert size(1000, 2, **digits) == 128
    assert size(1000, 1, **digits) == 128
    wide = {"data": {"name": "digits"}, "model__hidden_size": 4096}
    assert size(100, 2, **wide) == 1


def a_table_with_a_huge_value(path, rows=80, where=0.99):
    """Two classes far apart; one value that no float32 has, in the row that the split puts where it is wanted."""
    import pandas as pd

    random = np.random.default_rng(0)
    table = pd.DataFrame({"a": np.r_[random.normal(0, 1, rows // 2), random.normal(9, 1, rows // 2)]})
    table["b"], table["y"] = random.normal(size=rows), ["p"] * (rows // 2) + ["q"] * (rows // 2)
    table.loc[where, "b"] = -1e100
    table.to_csv(path, index=False)
    return str(path)


def test_a_row_that_overflows_is_said_and_does_not_keep_early_stopping_from_learning(tmp_path):
    """In whichever part the row is: all rows are tried, and there must be some of each part."""
    stopping = {"enabled": True, "patience": 4}
    seen = set()
    for row in range(12):
        data = {
            "name": "csv",
            "path": a_table_with_a_huge_value(tmp_path / "t.csv", where=row),
            "target": "y",
        }
        shape = {"hidden_size": 4, "activation": "relu", "batch_norm": False}
        (result,) = train_and_record(
            [
                config(
                    data=data,
                    model=shape,
                    training__num_epochs=12,
                    training__early_stopping=stopping,
                    recipe_version=RECIPE_VERSION,
                )
            ]
        )
        said = [each for each in result.findings if "overflow" in each]
        if np.isnan(result.history["val/loss"]).any():
            part = "validation"
        else:
            part = "test" if np.isnan(result.test["test/loss"]) else "training"
        seen.add(part)
        if part == "training":  # where the deviation is as large
            assert said == []
            continue
        rows = 8
        assert [f"for 1 of {rows} {part} rows" in each for each in said] == [True]
        if part == "validation":
            assert any("early stopping had nothing to go by" in each for each in result.findings)
            assert result.test["test/accuracy"] > 0.9
            assert max(result.history["val/accuracy"]) <= (rows - 1) / rows
        else:
            assert result.test["test/accuracy"] <= (rows - 1) / rows
    assert seen == {"training", "validation", "test"}


def test_the_best_epoch_of_a_table_is_kept_and_said(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    rows = "".join(f"{a},{b},{'pq'[int(a + noise > 0)]}\n" for a, b, noise in random.normal(size=(60, 3)))
    (tmp_path / "noise.csv").write_text(f"a,b,y\n{rows}")
    monkeypatch.chdir(tmp_path)
    table = {"data": {"name": "csv", "path": "noise.csv", "target": "y"}, "recipe_version": RECIPE_VERSION}
    iris = {"data": {"name": "iris"}, "recipe_version": RECIPE_VERSION}
    of_table, of_iris = train_and_record([config(**each, training__num_epochs=30) for each in (table, iris)])
    losses = of_table.history["val/loss"]
    best = int(np.argmin(losses)) + 1
    assert of_table.kept_epoch == best < len(losses) == min(30, best + 10)
    assert of_table.kept["kept/val/loss"] == min(losses) < of_table.last_metrics()["val/loss"]
    assert f"kept        the weights of epoch {best} of {len(losses)} (val/loss {min(losses):.4f})" in (
        outcome(of_table).splitlines()
    )
    assert f"loss {min(losses):.4f}" in outcome(of_table).splitlines()[0]
    assert of_iris.kept_epoch is None
    assert of_iris.kept["kept/val/loss"] == of_iris.last_metrics()["val/loss"]
    assert "kept" not in outcome(of_iris)


def test_a_table_is_read_once_for_all_its_splits(tmp_path, monkeypatch):
    read, prepared = [], PreparedSets()
    path = a_table_with_a_huge_value(tmp_path / "table.csv", where=3)

    def counted(data, **keys):
        read.append(data)
        return load(data, **keys)

    monkeypatch.setattr(train, "load", counted)

    def of(**keys):
        data = {"name": "csv", "path": path, "target": "y", **keys}
        return prepared.of(config(recipe_version=RECIPE_VERSION, data=data))

    splits = [of(seed=0), of(seed=1), of(test_fraction=0.3), of(standardize=False)]
    assert len(read) == 1
    assert {id(each.dataset) for each in splits} == {id(splits[0].dataset)}
    assert len({each.rows["train"].tobytes() for each in splits}) == 3
    of(drop=["b"])
    assert len(read) == 2


@pytest.mark.parametrize("changes", [{}, {"training__drop_last": True}, {"model__batch_norm": True}])
def test_of_fewer_training_rows_than_a_batch_usually_has_all_are_one(changes):
    """Whoever has twenty rows did not choose batches of 32; a size that was chosen is refused, as it is no batch's."""
    usual = config(data__samples=20, training__batch_size=32, **changes)
    whole = config(data__samples=20, training__batch_size=None, **changes)
    (one,), (other,) = train_and_record([usual]), train_and_record([whole])
    assert one.status == "FINISHED"
    assert one.history == other.history
    with pytest.raises(InputError, match="batch_size=64: the training part has 16 rows; at most that many"):
        train_and_record([config(data__samples=20, training__batch_size=64, **changes)])


def test_that_all_rows_are_one_batch_is_said():
    said = "training.batch_size=32: the training part has 16 rows, all in one batch"
    assert one_batch_line(config().training, 16) == said
    assert one_batch_line(config().training, 1).endswith("has one row, all in one batch")
    assert not one_batch_line(config().training, 32)
    assert not one_batch_line(config(training__batch_size=None).training, 1)
