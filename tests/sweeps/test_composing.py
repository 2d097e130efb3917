"""The composed config of a job is what Hydra itself would compose."""

from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.config.entries import offer_entries
from micrograde.config.hydra_versions import BEHAVIOUR
from micrograde.sweeps.composing import Composer, resolved

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(scope="module")
def loader():
    offer_entries()
    with (
        pytest.MonkeyPatch.context() as patch,
        initialize_config_dir(config_dir=str(CONF), **BEHAVIOUR),
    ):
        patch.setenv("MICROGRADE_HOME", "/nowhere")
        yield GlobalHydra.instance().config_loader()


def composer_of(loader, *typed):
    master = loader.load_configuration("train", list(typed), run_mode=RunMode.MULTIRUN)
    return Composer(loader, master), master


overrides = st.lists(
    st.sampled_from(
        [
            "data=moons",
            "data=iris",
            "optimizer=adam",
            "schedule=cosine",
            "experiment=notebook",
            "optimizer.learning_rate=0.5",
            "optimizer.learning_rate=1e-3",
            "model.hidden_size=[8,4]",
            "model.hidden_size=[]",
            "training.batch_size=null",
            "training.early_stopping.enabled=true",
            "data.name=other",  # experiment_name refers to it
            "data.seed=7",
            "seed=3",
            "seed='3'",
            "seed=${data.seed}",
            "experiment_name=a b",
            "+extra.key=1",
            "++seed=9",
            "~model.activation",
            "model={hidden_size:3}",
            "tracking=disabled",
        ]
    ),
    max_size=5,
    unique_by=lambda text: text.partition("=")[0].lstrip("+~"),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)  # Hydra takes a third of a second for each
@given(st.lists(overrides, min_size=1, max_size=4))
def test_a_job_is_what_hydra_would_compose(loader, jobs):
    composer, master = composer_of(loader, "seed=1,2")
    for job in jobs:
        expected = resolved(loader.load_sweep_config(master, job))
        assert composer.compose(job) == expected


def test_jobs_do_not_share_what_they_may_change(loader):
    composer, _ = composer_of(loader)
    first = composer.compose(["model.hidden_size=[1,2]"])
    first["model"]["hidden_size"].append(3)
    first["data"]["seed"] = 99
    second = composer.compose(["model.hidden_size=[1,2]"])
    assert second["model"]["hidden_size"] == [1, 2]
    assert second["data"]["seed"] == 0


def test_files_are_read_once_for_each_choice_of_groups(loader, monkeypatch):
    composer, _ = composer_of(loader)
    composed = []
    load = type(loader).load_sweep_config

    def counted(self, *arguments):
        composed.append(arguments)
        return load(self, *arguments)

    monkeypatch.setattr(type(loader), "load_sweep_config", counted)
    for seed in range(50):
        composer.compose(["data=moons", f"seed={seed}"])
        composer.compose([f"seed={seed}"])
    assert len(composed) == 2


def test_a_key_that_is_not_there_is_hydras_to_refuse(loader):
    composer, _ = composer_of(loader)
    with pytest.raises(HydraException):
        composer.compose(["optimizer.lerning_rate=1"])
