"""Which run is the better one: the same in a table, in a report, over seeds and while runs train."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis import best_run, group_over_seeds, order_runs, summarize
from micrograde.analysis.ranking import loss_beside, standing
from micrograde.runs.progress import RunsWatch

few = st.sampled_from([0.25, 0.5, 0.75])
rows = st.lists(
    st.tuples(few, few | st.just(float("nan")), st.sampled_from([0, 2, 10])), min_size=1, max_size=8
)


def frame(rows, names):
    return pd.DataFrame(
        {
            "run_id": [f"id{number}" for number in range(len(rows))],
            "run_name": names,
            "experiment_name": "e",
            "status": "FINISHED",
            "seed": pd.array([seed for _, _, seed in rows], dtype="Int64"),
            "val/accuracy": [value for value, _, _ in rows],
            "val/loss": [loss for _, loss, _ in rows],
        }
    )


@given(rows, st.data())
def test_ties_are_broken_alike_everywhere_whatever_the_order_of_recording(rows, data):
    names = [f"run {number}" for number in range(len(rows))]
    runs = frame(rows, names)
    wanted = sorted(
        range(len(rows)),
        key=lambda at: (-rows[at][0], np.nan_to_num(rows[at][1], nan=9.0), rows[at][2], names[at]),
    )
    shuffled = runs.iloc[data.draw(st.permutations(range(len(rows))))]
    ids = [f"id{at}" for at in wanted]
    assert list(order_runs(shuffled, "val/accuracy")["run_id"]) == ids
    assert best_run(shuffled, "val/accuracy") == ids[0]
    assert list(summarize(shuffled, [], "val/accuracy")["best_run_id"]) == ids[:1]
    seeds = [seed for _, _, seed in rows]
    watch = RunsWatch(names, [1] * len(rows), "val/accuracy", False, lambda *_: None, False, seeds=seeds)
    for place in data.draw(st.permutations(range(len(rows)))):
        value, loss, _ = rows[place]
        watch.run_ended(place, "FINISHED", {"val/accuracy": value, "val/loss": loss})
    assert watch.best is not None
    assert watch.best.name == names[wanted[0]]


def test_settings_of_one_mean_go_by_loss_then_by_size_in_both_tables():
    sizes = ["128", "[16, 16]", "8", "[8, 8]"]
    runs = pd.concat(
        [
            frame([(0.5, 0.2 if size == "[8, 8]" else 0.3, seed) for seed in (0, 1)], [size] * 2).assign(
                **{"model.hidden_size": size}
            )
            for size in sizes
        ],
        ignore_index=True,
    )
    wanted = ["[8, 8]", "8", "[16, 16]", "128"]
    assert list(group_over_seeds(runs, "val/accuracy")["model.hidden_size"]) == wanted
    assert list(summarize(runs, ["model.hidden_size"], "val/accuracy")["model.hidden_size"]) == wanted


@pytest.mark.parametrize(
    ("metric", "there_are", "loss"),
    [
        ("val/accuracy", ["train/loss", "val/loss"], "val/loss"),
        ("train/accuracy", ["train/loss", "val/loss"], "train/loss"),
        ("test/accuracy", ["val/loss"], "val/loss"),
        ("val/loss", ["val/loss"], None),
        ("duration", [], None),
    ],
)
def test_the_loss_is_that_of_the_same_part(metric, there_are, loss):
    assert loss_beside(metric, there_are) == loss


def test_a_run_without_a_value_has_no_standing():
    assert standing({"val/accuracy": float("nan")}, "val/accuracy", 0, "a") is None
    assert standing({}, "val/accuracy", 0, "a") is None
