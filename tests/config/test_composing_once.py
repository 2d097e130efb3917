"""Hydra composes a command's config twice, to see whether it says ``hydra.mode``; the second time is kept."""

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
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
    """A command's loader of configs."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    setup_globals()
    Plugins.instance()
    return GuardedLoader(create_config_search_path(str(ROOT / "conf")))


@pytest.fixture
def composed(monkeypatch):
    """What has been composed by now."""
    counted = []
    make = ConfigLoaderImpl._compose_config_from_defaults_list

    def counting(*arguments, **named):
        counted.append(arguments)
        return make(*arguments, **named)

    monkeypatch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", counting)
    return counted


def mode_of(loader, *overrides):
    found = loader.load_configuration(
        "train", list(overrides), RunMode.MULTIRUN, validate_sweep_overrides=False
    )
    return found.hydra.mode


@pytest.mark.parametrize(
    "overrides", [[], ["seed=3", "optimizer=adam"], ["data.path=a.csv", "data.target=b"]]
)
def test_a_lone_run_has_the_config_that_it_has_without(loader, composed, overrides):
    told = [*overrides, "hydra.mode=RUN"]
    alone = OmegaConf.to_yaml(loader.load_configuration("train", told, RunMode.RUN))
    before = len(composed)
    assert mode_of(loader, *overrides) is None
    once = len(composed)
    assert once > before
    assert OmegaConf.to_yaml(loader.load_configuration("train", told, RunMode.RUN)) == alone
    assert len(composed) == once
    # It is kept for one time.
    assert OmegaConf.to_yaml(loader.load_configuration("train", told, RunMode.RUN)) == alone
    assert len(composed) > once


def test_other_overrides_are_composed_anew(loader):
    mode_of(loader, "seed=3")
    assert loader.load_configuration("train", ["seed=4", "hydra.mode=RUN"], RunMode.RUN).seed == 4


def test_a_sweep_is_told_as_before(loader):
    assert mode_of(loader, "seed=1,2") is None
    swept = loader.load_configuration("train", ["seed=1,2", "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    assert OmegaConf.to_container(swept.hydra.overrides.task) == ["seed=1,2"]
    with pytest.raises(HydraException, match="Ambiguous"):
        loader.load_configuration("train", ["seed=1,2", "hydra.mode=RUN"], RunMode.RUN)
