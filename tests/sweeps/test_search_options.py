"""What a search is asked for, where it cannot be."""

import pytest
from omegaconf import OmegaConf

from micrograde.core.errors import InputError
from micrograde.sweeps.search_options import check_options, open_storage

pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
GOOD = {"n_trials": 4, "n_jobs": None, "max_failure_rate": 1.0, "direction": "maximize"}
SPACE = {"optimizer.learning_rate": "tag(log, interval(0.003, 3.0))", "seed": "range(3)"}


def test_what_can_be_searched_passes():
    check_options(OmegaConf.create(GOOD), SPACE)
    on_grid = {"sampler": {"_target_": "optuna.samplers.GridSampler"}}
    check_options(OmegaConf.create(GOOD | on_grid), {"seed": "range(3)", "model.hidden_size": "4,8"})


@pytest.mark.parametrize(
    ("options", "space", "message"),
    [
        ({}, {}, "hydra/sweeper=optuna: there is nothing to search"),
        ({"n_trials": 0}, SPACE, "hydra.sweeper.n_trials=0: should be greater than 0"),
        ({"n_jobs": -1}, SPACE, "hydra.sweeper.n_jobs=-1: should be greater than 0"),
        ({"max_failure_rate": 2.0}, SPACE, "hydra.sweeper.max_failure_rate=2.0: should be from 0 to 1"),
        ({"direction": "up"}, SPACE, "hydra.sweeper.direction=up: should be minimize or maximize"),
        ({"direction": ["minimize", "minimize"]}, SPACE, "hydra.sweeper.direction="),
        (
            {"sampler": {"_target_": "optuna.samplers.GridSampler"}},
            SPACE | {"optimizer.momentum": "interval(0.0,0.9)"},
            "hydra/sweeper/sampler=grid: tries every value, which is endless for "
            "optimizer.learning_rate optimizer.momentum; name them, as in optimizer.learning_rate=1,2,5, or",
        ),
        ({}, {"seed": "interval(2,1)"}, "seed=interval(2,1): cannot be searched (The `low` value"),
        ({}, {"seed": "tag(log, interval(0,1))"}, "seed=tag(log, interval(0,1)): cannot be searched"),
        ({}, {"seed": "interval(0,inf)"}, "seed=interval(0,inf): cannot be searched (its ends, and how far"),
        (
            {},
            {"x": "interval(-1.7e308,1.7e308)"},
            "x=interval(-1.7e308,1.7e308): cannot be searched (its ends",
        ),
        (
            {},
            {"seed": f"range(0,{10**30})"},
            f"seed=range(0,{10**30}): cannot be searched (its ends should be",
        ),
        ({"n_jobs": 10**12}, SPACE, "hydra.sweeper.n_jobs=1000000000000: should be at most 100000"),
        (
            {"sampler": {"_target_": "optuna.samplers.GridSampler"}},
            {"seed": "range(0,1000000000)"},
            "seed=range(0,1000000000): makes 1000000000 runs; a sweep may have 100000",
        ),
    ],
)
def test_what_cannot_be_is_a_line(options, space, message):
    with pytest.raises(InputError) as refused:
        check_options(OmegaConf.create(GOOD | options), space)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["nonsense", "nothing://me:swordfish@host/x", "postgresql+psycopg://me:swordfish@127.0.0.1:1/x", "sqlite:////no/such/folder/x.db"]
)  # fmt: skip
def test_a_storage_that_cannot_be_opened_is_a_line_without_its_password(url):
    with pytest.raises(InputError, match=r"storage: cannot be opened") as refused:
        open_storage(url)
    assert "swordfish" not in str(refused.value)
    assert "\n" not in str(refused.value)
