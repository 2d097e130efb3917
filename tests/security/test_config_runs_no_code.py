"""A config cannot name Python code to be run, wherever it comes from; choosing what ships stays possible."""

import re
import sys
from pathlib import Path

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import OmegaConfBaseException
from tests.narrowing import of_type

from micrograde.config.guard import EXECUTION_WHITELIST, GuardedLoader
from micrograde.config.hydra_messages import hydra_message
from micrograde.config.hydra_versions import IS_1_4
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.data.sets.tables import CsvTable

ROOT = Path(__file__).parents[2]
REFUSAL = "would run Python code, which no config may do"


@pytest.fixture
def compose(monkeypatch, tmp_path):
    """Composes what is typed, as the commands do, with the user's own folder of configs."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    setup_globals()
    Plugins.instance()
    search_path = create_config_search_path(str(ROOT / "conf"))
    search_path.prepend("mine", f"file://{tmp_path}")
    loader = GuardedLoader(search_path)
    return lambda *overrides: loader.load_configuration("train", list(overrides), RunMode.RUN)


HOSTILE = [
    ("+model._target_=os.system", "model._target_"),
    ("+data._args_=[x]", "data._args_"),
    ("+optimizer._partial_=true", "optimizer._partial_"),
    ("+training.early_stopping.x={_target_: os.system}", "training.early_stopping.x._target_"),
    ("+x=[{_target_: os.system}]", "x.0._target_"),
    ("hydra.launcher._target_=subprocess.call", "hydra.launcher._target_"),
    ("+hydra.launcher.x._target_=os.system", "hydra.launcher.x._target_"),
    ("hydra.sweeper._target_=hydra_plugins/../os.system", "hydra.sweeper._target_"),
    ("+hydra.sweeper.sampler._target_=os.system", "hydra.sweeper.sampler._target_"),
    ("+hydra.sweeper.sampler._target_=optuna.samplers.os.system", "hydra.sweeper.sampler._target_"),
    ("+hydra.sweeper.custom_search_space=os.system", "hydra.sweeper.custom_search_space"),
    ("hydra.callbacks.sweep._target_=os.system", "hydra.callbacks.sweep._target_"),
    ("+hydra.callbacks.x._target_=micrograde.sweeps.callback.SweepCallback", "hydra.callbacks.x._target_"),
    ("+hydra.callbacks.sweep._args_=[x]", "hydra.callbacks.sweep._args_"),
    ("hydra.callbacks.sweep._target_=${oc.env:HOME}", "hydra.callbacks.sweep._target_"),
    ("+hydra.job_logging.handlers.x.class=subprocess.Popen", "hydra.job_logging.handlers.x.class"),
    ("+hydra.hydra_logging.formatters.x.format=ext://os.environ", "hydra.hydra_logging.formatters.x.format"),
]  # fmt: skip


@pytest.mark.parametrize(("override", "where"), HOSTILE, ids=[override for override, _ in HOSTILE])
def test_an_override_that_names_code_is_refused(compose, override, where):
    with pytest.raises(InputError) as refused:
        compose(override)
    assert str(refused.value).startswith(f"{where}: {REFUSAL}")


@pytest.mark.parametrize(
    "content",
    [
        "hydra: {callbacks: {x: {_target_: os.system}}}",
        "hydra: {callbacks: {x: '${evil}'}}\nevil: {_target_: os.system}",
        "hydra: {callbacks: {x: '${oc.create:{_target_: os.system}}'}}",
        "hydra: {launcher: {x: \"${oc.decode:'{_target_: os.system}'}\"}}",
        "hydra: {job_logging: {handlers: {x: {'()': os.system}}}}",
        "hydra: {job_logging: {handlers: {x: '${oc.create:{y: ${hydra.runtime.output_dir}, class: z}}'}}}",
        "hydra: {job_logging: '${oc.create:{handlers: {x: {class: os.system}}}}'}",
        "model: {_target_: os.system}",
    ],
)
def test_a_file_of_somebody_elses_is_refused(compose, tmp_path, content):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "evil.yaml").write_text(f"# @package _global_\n{content}\n")
    # What cannot be looked at is refused by OmegaConf: it refers to what is not there yet.
    with pytest.raises((InputError, HydraException, OmegaConfBaseException)) as refused:
        compose("experiment=evil")
    assert re.search(f"{REFUSAL}|output_dir", hydra_message(refused.value))


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [id]", "!!python/name:os.system"])
def test_yaml_makes_no_python_objects(compose, tmp_path, tag):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "evil.yaml").write_text(f"# @package _global_\nseed: {tag}\n")
    with pytest.raises(InputError, match="the config cannot be composed: could not determine a constructor"):
        compose("experiment=evil")


@pytest.mark.parametrize(
    "choices",
    [
        (),
        ("hydra/launcher=basic",),
        ("hydra/launcher=ray",),
        ("hydra/sweeper=basic",),
        *(("hydra/sweeper=optuna", "search=sgd", f"hydra/sweeper/sampler={name}") for name in ("tpe", "random", "grid", "cmaes")),
        ("hydra/job_logging=default", "hydra/hydra_logging=default"),
        ("hydra/job_logging=stdout",),
    ],
)  # fmt: skip
def test_choices_that_ship_stay_possible(compose, choices):
    for group in ("launcher", "sweeper"):
        if f"hydra/{group}=" in " ".join(choices):
            pytest.importorskip("hydra_plugins.hydra_optuna_sweeper" if "optuna" in choices[0] else "hydra")
    assert compose(*choices).seed == 0


@pytest.mark.parametrize(
    "override",
    ["hydra.run.dir=out", "hydra.run.dir=${oc.env:HOME}", "hydra.output_subdir=x", "hydra.job.chdir=true", "+hydra.job.env_set.PATH=/evil"],
)  # fmt: skip
def test_a_config_chooses_neither_folders_nor_the_environment(compose, override):
    with pytest.raises(InputError, match=override.partition("=")[0].lstrip("+")):
        compose(override)


def test_only_resolvers_that_run_no_code_are_there(compose):
    compose()
    ours = {"hydra", "now", "python_version"}  # Hydra's: its own config, the time, the version
    ours |= (
        {"hydra_override_dirname", "hydra_deprecated_override_dirname"} if IS_1_4 else set()
    )  # what is typed
    omegaconf = {"create", "decode", "deprecated", "dict.keys", "dict.values", "env", "select"}
    omegaconf |= {"coerce"} if IS_1_4 else set()  # which we limit
    of_plugins = {"ray_pkg_version", "hydra.instantiate_override"}  # of launchers that may be installed
    assert set(BaseContainer._resolvers) - of_plugins == ours | {f"oc.{name}" for name in omegaconf}


# Hydra 1.4 and OmegaConf 2.4 have resolvers of which one imports any module; 1.3 knows none of them.
@pytest.mark.parametrize(
    "value",
    [
        "${oc.coerce:evil_module.Kind,1}",
        "${oc.decode:'${oc.coerce:evil_module.Kind,1}'}",
        "${hydra_override_dirname:{element_resolver: oc.coerce}}-${oc.coerce:evil_module,1}",
    ],
)
@pytest.mark.parametrize("key", ["experiment_name", "+hydra.callbacks.x", "hydra.mode"])
def test_no_resolver_imports_a_module(compose, tmp_path, monkeypatch, key, value):
    (tmp_path / "evil_module.py").write_text("from enum import Enum\nclass Kind(Enum):\n    one = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((InputError, HydraException, OmegaConfBaseException)):
        OmegaConf.resolve(compose(f'{key}="{value}"'))
    assert "evil_module" not in sys.modules


def test_hydra_may_build_what_the_guard_lets_through():
    samplers = pytest.importorskip("hydra_plugins.hydra_optuna_sweeper.config")
    shipped = {
        each._target_
        for name, each in vars(samplers).items()
        if name.endswith("SamplerConfig") and name != "SamplerConfig"
    }
    assert shipped <= set(EXECUTION_WHITELIST)


def test_text_in_a_recipe_from_the_store_is_never_interpolated(monkeypatch):
    monkeypatch.setenv("SECRET", "told")
    container = {
        "data": {"name": "csv", "path": "${oc.env:SECRET}", "target": "${seed}"},
        "model": {}, "optimizer": {"name": "sgd"}, "schedule": {"name": "constant"}, "training": {},
        "tracking": {"name": "local"}, "experiment_name": "${oc.env:SECRET}",
    }  # fmt: skip
    config = parse_train_config(container)
    table = of_type(CsvTable, config.data)
    assert (table.path, table.target) == ("${oc.env:SECRET}", "${seed}")
    assert config.experiment_name == "${oc.env:SECRET}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("+hydra.callbacks.x={_target_: pathlib.Path.touch, self: marker}",),
        ("-m", "seed=1,2", "hydra.launcher._target_=subprocess.call"),
        ("-m", "+model._target_=os.getcwd,os.getpid"),
        ("--config-dir", ".", "experiment=evil"),
        ("--cfg", "job", "--config-dir", ".", "experiment=evil"),
    ],
    ids=" ".join,
)
def test_the_command_says_so_in_a_line(user, arguments):
    (user.folder / "experiment").mkdir()
    (user.folder / "experiment" / "evil.yaml").write_text(
        "# @package _global_\nhydra: {callbacks: {x: {_target_: os.mkdir, path: marker}}}\n"
    )
    before = user.files()
    done = user.run("train", *arguments, status=2)
    assert done.stderr.count("\n") == 1
    assert REFUSAL in done.stderr
    assert user.files() == before
    assert user.runs() == []
