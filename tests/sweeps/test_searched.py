"""What is known of a recorded sweep: whether a search chose its runs, also where an earlier version recorded it."""

import pytest

from micrograde.store import tags
from micrograde.store.records import RunDetails
from micrograde.sweeps.searched import is_of_a_search


@pytest.mark.parametrize("runs", [0, 4, 1000])
def test_a_sweep_says_it(runs):
    grid, search = (RunDetails({"seed": "0,1"}, {tags.SEARCH: said}, "") for said in ("false", "true"))
    assert not is_of_a_search(grid, runs)
    assert is_of_a_search(search, runs)


@pytest.mark.parametrize(
    ("space", "runs", "searched"),
    [
        ({"seed": "range(2)", "optimizer.learning_rate": "0.1,0.5"}, 4, False),
        ({"optimizer": "sgd,adam", "data.fold": "range(5)", "seed": "3"}, 10, False),
        ({"model.hidden_size": "[8],[16,16],null"}, 3, False),
        ({"optimizer.learning_rate": "interval(0.01,1)"}, 20, True),
        ({"optimizer.learning_rate": "tag(log,interval(0.01,1))", "seed": "0,1"}, 20, True),
        ({"optimizer.learning_rate": "0.1,0.2,0.3", "optimizer.momentum": "range(10)"}, 16, True),
        ({"optimizer.learning_rate": "0.1,0.2,0.3"}, 2, True),  # stopped, perhaps
        ({"optimizer.learning_rate": "0.1,0.2 (cut"}, 2, True),
        ({"optimizer.learning_rate": "[" * 5000}, 2, True),
        ({"seed": "range(0,inf)"}, 2, True),
    ],
)
def test_what_an_earlier_version_recorded_shows_it(space, runs, searched):
    assert is_of_a_search(RunDetails(space, {}, ""), runs) == searched
