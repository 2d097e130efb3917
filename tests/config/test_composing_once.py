"""Hydra composes a command's config twice, to see whether it says ``hydra.mode``; the second time is kept."""

import pytest
from hydra._internal import config_loader_impl
from hydra._internal.utils import create_config_search_path
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from tests.conftest import ROOT

from micrograde.config.guard import GuardedLoader
from micrograde.config.hydra_versions import IS_1_4

pytestmark = pytest.mark.skipif(IS_1_4, reason="1.4 parses the overrides once and hands them on")


@pytest.fixture
def loader(monkeypatch, tmp_path):
    """A loader, whose ``composed`` counts."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    setup_globals()
    Plugins.instance()
    loader = GuardedLoader(create_config_search_path(str(ROOT / "conf")))
    counted: list[str] = []
    make = config_loader_impl.create_defaults_list

    def counting(*arguments, **named):
        counted.append("")
        return make(*arguments, **named)

    monkeypatch.setattr(config_loader_impl, "create_defaults_list", counting)
    loader.composed = lambda: len(counted)
    return loader


def mode_of(loader, *overrides):
    found = loader.load_configuration(
        "train", list(overrides), RunMode.MULTIRUN, validate_sweep_overrides=False
    )
    return found.hydra.mode


@pytest.mark.parametrize("overrides", [[], ["seed=3", "optimizer=adam"], ["data.path=a.csv", "data.target=b"]])
def test_a_lone_run_has_the_config_that_it_has_without(loader, overrides):
    told = [*overrides, "hydra.mode=RUN"]
    alone = OmegaConf.to_yaml(loader.load_configuration("train", told, RunMode.RUN))
    before = loader.composed()
    assert mode_of(loader, *overrides) is None
    once = loader.composed()
    assert once > before
    assert OmegaConf.to_yaml(loader.load_configuration("train", told, RunMode.RUN)) == alone
    assert loader.composed() == once
    assert OmegaConf.to_yaml(loader.load_configuration("train", told, RunMode.RUN)) == alone  # as it is kept once
    assert loader.composed() > once


def test_other_overrides_are_composed_anew(loader):
    mode_of(loader, "seed=3")
    assert loader.load_configuration("train", ["seed=4", "hydra.mode=RUN"], RunMode.RUN).seed == 4


def test_a_sweep_is_told_as_before(loader):
    assert mode_of(loader, "seed=1,2") is None
    swept = loader.load_configuration("train", ["seed=1,2", "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    assert OmegaConf.to_container(swept.hydra.overrides.task) == ["seed=1,2"]
    with pytest.raises(HydraException, match="multirun|multiple|Ambiguous"):
        loader.load_configuration("train", ["seed=1,2", "hydra.mode=RUN"], RunMode.RUN)
