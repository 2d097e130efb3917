import pandas as pd

from micrograde.analysis import VERDICT, by_importance, load_runs, short_ids


def runs(**columns):
    length = len(next(iter(columns.values())))
    given = {
        "status": ["FINISHED"] * length,
        "experiment_name": ["digits"] * length,
        "run_name": ["a=1"] * length,
    }
    return pd.DataFrame(given | {name.replace("__", "."): values for name, values in columns.items()})


def order(frame, *names, metric="val/loss"):
    found = by_importance(frame, metric)
    return sorted(names, key=found.index)


def test_first_the_id_the_metric_and_what_differs_in_most_runs():
    frame = runs(model__size=[1, 1, 1, 2], optimizer__rate=[1, 2, 3, 4], seed=[0, 1, 2, 3])
    assert by_importance(frame, "val/loss")[:2] == ["run_id", "val/loss"]
    assert order(frame, "seed", "model.size", "optimizer.rate") == ["optimizer.rate", "model.size", "seed"]
    assert order(frame, "kept/test/loss", "run_name", "seed") == ["seed", "kept/test/loss", "run_name"]


def test_what_follows_from_a_choice_comes_last():
    frame = runs(data__name=["moons", "moons", "xor"], data__noise=[0.2, 0.2, 0.3], seed=[0, 1, 0])
    assert order(frame, "data.noise", "data.name", "run_name", "kept/train/loss")[-1] == "data.noise"
    varied = runs(data__name=["moons", "moons", "xor"], data__noise=[0.1, 0.2, 0.3], seed=[0, 1, 0])
    assert order(varied, "data.noise", "run_name") == ["data.noise", "run_name"]


def test_a_status_comes_early_where_some_did_not_finish():
    frame = runs(seed=[0, 1])
    assert "status" not in by_importance(frame, "val/loss")
    frame["status"] = ["FINISHED", "FAILED"]
    assert [name for name in by_importance(frame, "val/loss") if name != VERDICT][2] == "status"


def test_a_name_that_somebody_gave_comes_early():
    frame = runs(seed=[0, 1])
    frame["run_name"] = ["first try", "defaults"]
    assert order(frame, "run_name", "seed") == ["run_name", "seed"]


def test_every_column_of_a_real_store_is_known(uri):
    assert set(by_importance(load_runs(uri), "val/loss")) >= {"run_id", "val/loss", "seed", "experiment_name"}


def test_ids_are_as_short_as_can_be_told_apart():
    ids = ["12345678" + "0" * 24, "12345678" + "1" * 24, "a" * 32]
    assert short_ids(ids[1:]) == ["12345678", "aaaaaaaa"]
    assert short_ids(ids) == ["123456780", "123456781", "aaaaaaaaa"]
    assert short_ids(ids[1:], others=ids) == ["123456781", "aaaaaaaaa"]
    assert short_ids([ids[0], ids[0]]) == ["12345678"] * 2
    assert short_ids([]) == []
    almost = ["b" * 31 + "0", "b" * 31 + "1"]
    assert short_ids(almost) == almost
