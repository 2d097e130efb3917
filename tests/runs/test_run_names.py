"""Names of runs and sweeps tell apart what they name."""

import pytest

from micrograde.runs.train import run_name
from micrograde.sweeps.jobs import sweep_name


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["optimizer.learning_rate=0.3", "seed=1"], "learning_rate=0.3 seed=1"),
        (["seed=1", "data.seed=0"], "seed=1 data.seed=0"),
        (["optimizer=adam", "data=wine", "tracking.register=x"], "optimizer=adam data=wine"),
        (["+data.seed=0"], "seed=0"),
        ([], "defaults"),
    ],
)
def test_a_run_is_named_by_the_ends_of_its_keys_as_far_as_they_differ(overrides, name):
    assert run_name(overrides) == name


def test_so_is_a_sweep():
    assert sweep_name(["optimizer.learning_rate", "seed", "data.seed"]) == "learning_rate × seed × data.seed"
    assert sweep_name(["data.seed", "data.fold"]) == "seed × fold"
    assert sweep_name([]) == "one run"
