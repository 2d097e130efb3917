"""``mg.run`` beside what the user does with Hydra, asyncio, threads and warnings: nothing is left behind."""

import asyncio
import logging
import os
import signal
import sys
import threading
import warnings

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase

import micrograde as mg
from micrograde.config.hydra_versions import IS_1_4

TINY = ("data=moons", "training.num_epochs=2", "tracking=disabled")


def state():
    return {
        "hydra": (GlobalHydra.instance().hydra, HydraConfig.instance().cfg),
        "hydra's version and job": (VersionBase.instance().getbase(), JobRuntime.instance().get("name")),
        "logging": (list(logging.getLogger().handlers), logging.getLogger().level),
        "warnings": list(warnings.filters),
        "signals": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
        "process": (os.getcwd(), list(sys.argv)),
        "environment": {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"},
    }


def loss():
    return mg.run(*TINY).history["train/loss"].iloc[-1]


def test_a_run_is_the_same_anywhere_and_leaves_all_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    (tmp_path / "app.yaml").write_text("a: 1\n")
    losses = [loss()]
    warnings.simplefilter("error", UserWarning)  # pytest restores the filters
    before = state()

    async def cell():
        losses.append(loss())
        losses.append(loss())

    asyncio.run(cell())
    assert state() == before
    threads = [threading.Thread(target=lambda: losses.append(loss())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state() == before
    with initialize_config_dir(str(tmp_path), **({} if IS_1_4 else {"version_base": "1.2"})):
        mine = state()
        losses.append(loss())
        assert state() == mine
        assert compose("app") == {"a": 1}
    assert len(losses) == 7
    assert len(set(losses)) == 1
